//! Which tags a record can be given.

use std::slice::from_ref;

use crm_proto::customers as pb;
use crm_server::token::Role;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tonic::{Code, Status};
use tonic_types::StatusExt;
use uuid::Uuid;

use super::{delete, tag, undelete};
use crate::support::{Caller, account, contact, eventually, refusal, refused, tenant, violations, world};

fn tagged(name: &str, tags: &[&str]) -> pb::Account {
    pb::Account { tag_ids: tags.iter().map(|tag| (*tag).to_owned()).collect(), ..account(name) }
}

async fn give(caller: &Caller, id: &str, tags: &[&str]) -> Result<pb::Account, Status> {
    caller.update_account(pb::Account { id: id.to_owned(), ..tagged("", tags) }, &["tag_ids"]).await
}

/// What is said of each field at fault.
fn rules<T: std::fmt::Debug>(answer: Result<T, Status>) -> Vec<(String, String)> {
    let status = answer.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument, "{status:?}");
    let bad = status.get_error_details().bad_request().cloned().unwrap();
    bad.field_violations.iter().map(|it| (it.field.clone(), it.description.clone())).collect()
}

#[tokio::test]
async fn tags_are_kept_in_order_and_none_twice() {
    let world = world().await;
    let mut tags = [tag(&world.agent, "A").await, tag(&world.agent, "B").await, tag(&world.agent, "C").await];
    tags.sort_unstable();
    let [a, b, c] = &tags;
    let upper = c.to_uppercase();
    let created = world.agent.create_account(tagged("Acme", &[&upper, a, c, a])).await.unwrap();
    assert_eq!(created.tag_ids, [a.clone(), c.clone()]);
    assert_eq!(world.agent.get_account(&created.id).await.unwrap(), created);
    // What is the same changes nothing.
    assert_eq!(give(&world.agent, &created.id, &[c, a]).await.unwrap(), created);
    assert_eq!(give(&world.agent, &created.id, &[b]).await.unwrap().tag_ids, from_ref(b));
    assert_eq!(give(&world.agent, &created.id, &[]).await.unwrap().tag_ids, [""; 0]);
    let person = pb::Contact { tag_ids: vec![b.clone()], ..contact(&created.id, "Love") };
    assert_eq!(world.agent.create_contact(person).await.unwrap().tag_ids, from_ref(b));
    let many: Vec<String> = (0..21).map(|_| Uuid::new_v4().to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(violations(world.agent.create_account(tagged("Many", &many)).await), ["account.tag_ids"]);
    assert_eq!(
        violations(give(&world.agent, &created.id, &[a, "x", ""]).await),
        ["account.tag_ids[1]", "account.tag_ids[2]"]
    );
}

#[tokio::test]
async fn none_is_given_a_tag_that_is_not_there_and_whoever_has_one_keeps_it() {
    let world = world().await;
    let (kept, gone) = (tag(&world.agent, "Kept").await, tag(&world.agent, "Gone").await);
    let stranger = world.service.caller("globex", Role::Agent);
    let others = tag(&stranger, "Others").await;
    let has = world.agent.create_account(tagged("Has", &[&gone])).await.unwrap();
    let has_none = world.agent.create_account(account("Has none")).await.unwrap();
    delete(&world.agent, &gone).await.unwrap();

    let (nobody, field) = (Uuid::now_v7().to_string(), "account.tag_ids".to_owned());
    for (id, rule) in [
        (&nobody, format!("there is no tag {nobody}")),
        (&others, format!("there is no tag {others}")),
        (&gone, format!("the tag {gone} is deleted")),
    ] {
        let expected = vec![(field.clone(), rule)];
        assert_eq!(rules(world.agent.create_account(tagged("New", &[&kept, id])).await), expected);
        assert_eq!(rules(give(&world.agent, &has_none.id, &[&kept, id]).await), expected);
    }
    let person = pb::Contact { tag_ids: vec![nobody], ..contact(&has.id, "Love") };
    assert_eq!(violations(world.agent.create_contact(person).await), ["contact.tag_ids"]);
    assert_eq!(give(&world.agent, &has_none.id, &[]).await.unwrap(), has_none, "nothing was given");

    // Nothing was rewritten, nothing is in the way, and the tag comes back with its records.
    assert_eq!(world.agent.get_account(&has.id).await.unwrap(), has);
    let both = give(&world.agent, &has.id, &[&gone, &kept]).await.unwrap();
    assert_eq!(both.tag_ids.len(), 2);
    give(&world.agent, &has.id, &[&kept]).await.unwrap();
    assert_eq!(violations(give(&world.agent, &has.id, &[&gone]).await), ["account.tag_ids"]);
    undelete(&world.agent, &gone).await.unwrap();
    give(&world.agent, &has.id, &[&gone]).await.unwrap();
    assert_eq!(refusal(undelete(&world.agent, &gone).await), refused(Code::AlreadyExists, "TAG_NOT_DELETED"));
}

#[tokio::test]
async fn whoever_deletes_a_tag_and_whoever_gives_it_wait_for_each_other() {
    let world = world().await;
    let id = tag(&world.agent, "Contended").await;
    let row = format!("from customers.tags where tenant_id = '{}' and id = '{id}'", tenant());
    let waiting = async |database: &str| {
        let mut owner = PgConnection::connect(database).await.unwrap();
        let waits =
            "select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'";
        sqlx::query_scalar::<_, i64>(waits).fetch_one(&mut owner).await.unwrap() == 1
    };
    // Somebody gives it and has not ended: the deletion waits.
    let mut giver = PgConnection::connect(world.database.url()).await.unwrap();
    giver.execute(AssertSqlSafe(format!("begin; select id {row} for share"))).await.unwrap();
    let (agent, gone) = (world.agent.clone(), id.clone());
    let deletion = tokio::spawn(async move { delete(&agent, &gone).await });
    eventually("the deletion waits", async || waiting(world.database.url()).await).await;
    giver.execute("commit").await.unwrap();
    deletion.await.unwrap().unwrap();
    // Somebody deletes it and has not ended: whoever gives it waits, and is refused.
    undelete(&world.agent, &id).await.unwrap();
    let mut deleter = PgConnection::connect(world.database.url()).await.unwrap();
    let delete = row.replace("from customers.tags where", "update customers.tags set delete_time = now() where");
    deleter.execute(AssertSqlSafe(format!("begin; {delete}"))).await.unwrap();
    let (agent, given) = (world.agent.clone(), id.clone());
    let gift = tokio::spawn(async move { agent.create_account(tagged("New", &[&given])).await });
    eventually("the gift waits", async || waiting(world.database.url()).await).await;
    deleter.execute("commit").await.unwrap();
    assert_eq!(violations(gift.await.unwrap()), ["account.tag_ids"]);
}
