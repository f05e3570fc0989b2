//! Demo data.

use crm_customers::seed::{self, SeedSize, Seeded};
use crm_proto::activities::{ListActivitiesRequest, ListOpenTasksRequest, UpdateActivityRequest};
use crm_proto::customers as pb;
use sqlx::{Connection, PgConnection};

use crate::support::{account, call, field_mask, pool, tenant, world};

#[tokio::test]
async fn a_second_run_creates_nothing_and_a_taken_domain_is_left_alone() {
    let world = world().await;
    let size = SeedSize { accounts: 2_300, contacts: 6_000 };
    let pool = pool(&world.database).await;
    // Somebody has the domain of the third company.
    let taken = pb::Account { domain: "polarframe.example".to_owned(), ..account("Mine") };
    let mine = world.agent.create_account(taken).await.unwrap();
    let mut told = Vec::new();
    let Seeded { accounts, contacts } =
        seed::demo(&pool, tenant(), size, |progress| told.push((progress.what, progress.done))).await.unwrap();
    assert_eq!(accounts, 2_299, "all but the third");
    assert!((5_001..6_000).contains(&contacts), "all but those of the third: {contacts}");
    assert_eq!(told, [("accounts", 2_000), ("accounts", 2_300), ("contacts", 6_000)]);
    assert_eq!(seed::demo(&pool, tenant(), size, |_| ()).await.unwrap(), Seeded::default());
    assert_eq!(world.agent.get_account(&mine.id).await.unwrap(), mine);
}

#[tokio::test]
async fn a_larger_set_continues_a_smaller_one() {
    let database = crate::support::database().await;
    let pool = pool(&database).await;
    let (small, large) = (SeedSize { accounts: 100, contacts: 400 }, SeedSize { accounts: 300, contacts: 3_000 });
    let first = seed::demo(&pool, tenant(), small, |_| ()).await.unwrap();
    let second = seed::demo(&pool, tenant(), large, |_| ()).await.unwrap();
    assert_eq!((first.accounts, second.accounts), (100, 200));
    assert!(first.contacts + second.contacts >= 3_000, "contacts have no account: {first:?} {second:?}");
}

#[tokio::test]
async fn seeded_rows_are_like_those_that_are_created() {
    let world = world().await;
    let size = SeedSize { accounts: 2_500, contacts: 9_000 };
    seed::demo(&pool(&world.database).await, tenant(), size, |_| ()).await.unwrap();
    let answer =
        call!(world.agent, accounts.list_accounts(pb::ListAccountsRequest { page_size: 150, ..Default::default() }));
    for seeded in answer.unwrap().accounts {
        // An update of everything with what is there passes all checks and changes nothing.
        let same = world.agent.update_account(seeded.clone(), &["*"]).await.unwrap();
        assert_eq!(same, seeded);
    }
    // But for their history, which begins later.
    let request = pb::ListAccountsRequest { page_size: 1, ..Default::default() };
    let seeded = call!(world.agent, accounts.list_accounts(request)).unwrap().accounts.remove(0);
    let request = pb::GetAccountHistoryRequest { id: seeded.id.clone(), ..Default::default() };
    let history = call!(world.agent, accounts.get_account_history(request.clone())).unwrap();
    assert_eq!(history, pb::GetAccountHistoryResponse::default());
    let changed =
        world.agent.update_account(pb::Account { owner: "bo".to_owned(), ..seeded }, &["owner"]).await.unwrap();
    let history = call!(world.agent, accounts.get_account_history(request)).unwrap();
    assert_eq!((history.changes.len(), history.complete, history.begin_time), (1, false, changed.update_time));
    let request = pb::ListContactsRequest { page_size: 100, ..Default::default() };
    for seeded in call!(world.agent, contacts.list_contacts(request)).unwrap().contacts {
        assert_eq!(world.agent.update_contact(seeded.clone(), &["*"]).await.unwrap(), seeded);
    }
    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let (largest, smallest, subsidiaries): (i64, i64, i64) = sqlx::query_as(
        "select max(people), min(people), (select count(*) from customers.accounts where parent_id is not null) \
         from (select count(*) people from customers.contacts group by account_id) sizes",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert!(largest > 500 && smallest < 5 && subsidiaries > 5, "{largest} {smallest} {subsidiaries}");
}

#[tokio::test]
async fn activities_are_loaded_once_on_what_is_there_and_are_like_those_that_are_created() {
    let world = world().await;
    let (pool, size) = (pool(&world.database).await, SeedSize { accounts: 300, contacts: 900 });
    assert_eq!(seed::activities(&pool, tenant(), size, 100, |_| ()).await.unwrap(), 0, "nothing is there to be about");
    seed::demo(&pool, tenant(), size, |_| ()).await.unwrap();
    assert_eq!(seed::activities(&pool, tenant(), size, 2_000, |_| ()).await.unwrap(), 2_000);
    assert_eq!(seed::activities(&pool, tenant(), size, 2_000, |_| ()).await.unwrap(), 0);
    let request = ListActivitiesRequest { page_size: 150, ..Default::default() };
    for seeded in call!(world.agent, activities.list_activities(request)).unwrap().activities {
        let request = UpdateActivityRequest { activity: Some(seeded.clone()), update_mask: field_mask(&["*"]) };
        assert_eq!(call!(world.agent, activities.update_activity(request)).unwrap(), seeded);
    }
    let request = ListOpenTasksRequest { page_size: 1_000, ..Default::default() };
    let tasks = call!(world.agent, activities.list_open_tasks(request)).unwrap().activities;
    assert!(tasks.len() > 3, "ada has {} open tasks", tasks.len());
}

#[tokio::test]
#[ignore = "for measuring, by hand: the whole demo set"]
async fn the_demo_set_is_loaded() {
    let database = crate::support::database().await;
    let pool = pool(&database).await;
    for run in ["first", "second"] {
        let begin = std::time::Instant::now();
        let seeded = seed::demo(&pool, tenant(), SeedSize::DEMO, |_| ()).await.unwrap();
        println!("{run} run: {seeded:?} in {:?}", begin.elapsed());
    }
}
