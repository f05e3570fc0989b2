//! The caller's open tasks.

use crm_proto::activities as pb;
use crm_proto::activities::Activity;
use crm_proto::activities::activity::Kind;
use crm_server::token::Role;

use super::{at, delete, of, open_tasks, parents, task, update};
use crate::support::{call, violations, world};

#[tokio::test]
async fn what_is_overdue_comes_first_and_what_is_never_due_last() {
    let world = world().await;
    let (account, contact) = parents(&world.agent).await;
    let create = async |it: Activity| world.agent.create_activity(it).await.unwrap();
    let due = |subject: &str, seconds| Activity { due_time: at(seconds), ..task(&account, subject) };
    create(task(&account, "never")).await;
    create(due("in years", 4_000_000_000)).await;
    create(due("overdue", 1_000_000_000)).await;
    let same = create(due("long overdue", 1_000)).await;
    create(Activity {
        subject: "before 1970".to_owned(),
        due_time: at(-1),
        owner: "ada".to_owned(),
        ..of(Kind::Task, "contacts", &contact)
    })
    .await;
    create(due("in years, too", 4_000_000_000)).await;
    create(task(&account, "never, either")).await;
    // Not of these: another's, nobody's, done, deleted, no task.
    create(Activity { owner: "bob".to_owned(), ..task(&account, "bob's") }).await;
    create(Activity { owner: String::new(), ..task(&account, "nobody's") }).await;
    create(Activity { done: Some(true), ..task(&account, "done") }).await;
    delete(&world.agent, &create(task(&account, "deleted")).await.id).await.unwrap();
    create(Activity { owner: "ada".to_owned(), ..of(Kind::Call, "accounts", &account) }).await;

    let expected = ["before 1970", "long overdue", "overdue", "in years", "in years, too", "never", "never, either"]
        .map(str::to_owned);
    for size in [1, 2, 3, 6, 7, 50] {
        let pages = open_tasks(&world.agent, size).await;
        assert_eq!(pages.concat(), expected, "pages of {size}");
        let full = usize::try_from(size).unwrap();
        assert_eq!(pages.len(), expected.len().div_ceil(full), "pages of {size}");
    }
    let done = Activity { done: Some(true), ..same };
    update(&world.agent, done, &["done"]).await.unwrap();
    assert_eq!(open_tasks(&world.agent, 0).await.concat().len(), 6);
}

#[tokio::test]
async fn open_tasks_are_the_caller_s_and_so_are_their_tokens() {
    let world = world().await;
    let (account, _) = parents(&world.agent).await;
    for subject in ["one", "two"] {
        world.agent.create_activity(task(&account, subject)).await.unwrap();
    }
    // Another tenant's user of the same name.
    let stranger = world.service.caller("globex", Role::Admin);
    assert_eq!(open_tasks(&stranger, 0).await, [Vec::<String>::new()]);
    let request =
        |page_size, page_token: &str| pb::ListOpenTasksRequest { page_size, page_token: page_token.to_owned() };
    let page = call!(world.agent, activities.list_open_tasks(request(1, ""))).unwrap();
    let foreign = call!(stranger, activities.list_open_tasks(request(1, &page.next_page_token)));
    assert_eq!(violations(foreign), ["page_token"]);
    let wrong = call!(world.agent, activities.list_open_tasks(request(-1, "x")));
    assert_eq!(violations(wrong), ["page_size", "page_token"]);
}
