//! Watching: who is told what, when, and who is not.

use std::time::Duration;

use crm_resource::{ServiceConfig, StoreConfig};
use crm_sandbox::testing;
use crm_server::stack::StackSettings;
use crm_server::token::{Role, tenant_id};
use tokio::time::timeout;
use tonic::Code;

use super::{Replicas, list, told, watch, watch_of};
use crate::support::{
    Service, account, app, as_owner, contact, database, eventually, refusal, refused, violations, world,
};

#[tokio::test]
async fn a_watch_begins_at_its_cursor_and_goes_on_with_what_is_made() {
    let world = world().await;
    let acme = world.agent.create_account(account("Acme")).await.unwrap();
    let mut all = watch(&world.agent, "").await.unwrap();
    assert_eq!(told(&all.next().await.changes), [(acme.id.clone(), 1)]);
    let mut new = watch(&world.agent, "now").await.unwrap();
    // A heart-beat, so that there is a cursor at once.
    let beat = new.message().await.unwrap().unwrap();
    assert!(beat.changes.is_empty() && !beat.cursor.is_empty());

    let mut contacts = watch_of(&world.agent, &["contacts"], "now").await.unwrap();
    world.agent.delete_account(&acme.id, "").await.unwrap();
    for stream in [&mut all, &mut new] {
        let next = stream.next().await;
        assert_eq!(told(&next.changes), [(acme.id.clone(), 2)]);
        assert!(list(&world.agent, &next.cursor, 0).await.unwrap().changes.is_empty());
    }
    world.agent.undelete_account(&acme.id).await.unwrap();
    let ada = world.agent.create_contact(contact(&acme.id, "Lovelace")).await.unwrap();
    assert_eq!(told(&contacts.next().await.changes), [(ada.id, 1)]);
}

#[tokio::test]
async fn nobody_is_told_of_another_tenant_s_changes_nor_a_requester_of_any() {
    let world = world().await;
    let other = world.service.caller("other", Role::Admin);
    let mut theirs = watch(&other, "").await.unwrap();
    for number in 0..5 {
        world.agent.create_account(account(&format!("Ours {number}"))).await.unwrap();
    }
    let own = other.create_account(account("Theirs")).await.unwrap();
    assert_eq!(told(&theirs.next().await.changes), [(own.id, 1)]);
    let requester = world.service.caller("acme", Role::Requester);
    assert_eq!(refusal(watch(&requester, "").await), refused(Code::PermissionDenied, "ROLE_NOT_ALLOWED"));
    for caller in [world.service.caller("acme", Role::Viewer), world.service.service("sales", "acme")] {
        assert_eq!(watch(&caller, "").await.unwrap().next().await.changes.len(), 5);
    }
}

#[tokio::test]
async fn what_is_asked_wrongly_or_too_late_is_the_call_s_own_status() {
    let world = world().await;
    assert_eq!(violations(watch_of(&world.agent, &["leads"], "nonsense").await), ["resources[0]", "cursor"]);
    let old = list(&world.agent, "now", 0).await.unwrap().cursor;
    world.agent.create_account(account("Acme")).await.unwrap();
    let age = "update customers.journal set change_time = now() - interval '40 days'; \
               select customers.sweep_journal(30, 100)";
    as_owner(&world.database, age).await;
    assert_eq!(refusal(watch(&world.agent, &old).await), refused(Code::FailedPrecondition, "CURSOR_EXPIRED"));
}

/// The look at the journal that wakes where nothing else does.
const NO_LOOK: &str = "revoke execute on function customers.journal_tenants from public, crm_customers";

#[tokio::test]
async fn a_watch_is_woken_by_its_own_process_and_through_redis_by_another_one() {
    let replicas = Replicas::start().await;
    as_owner(&replicas.database, NO_LOOK).await;
    let [near, far] = [0, 1].map(|number| replicas.agent(number));
    let mut stream = watch(&near, "now").await.unwrap();
    stream.message().await.unwrap();
    // The first look only finds out where it begins, and wakes once.
    for writer in [&near, &far, &near, &far] {
        let made = writer.create_account(account("Acme")).await.unwrap();
        assert_eq!(told(&stream.next().await.changes), [(made.id, 1)]);
    }
}

#[tokio::test]
async fn without_redis_a_look_finds_what_others_have_changed() {
    let database = database().await;
    let service = Service::start(&database.url_as(app::ROLE, ""), "redis://127.0.0.1:1").await;
    let agent = service.caller("acme", Role::Agent);
    let mut stream = watch(&agent, "now").await.unwrap();
    stream.message().await.unwrap();
    let elsewhere = Service::start(&database.url_as(app::ROLE, ""), "redis://127.0.0.1:1").await;
    for number in 0..2 {
        let writer = elsewhere.caller("acme", Role::Agent);
        let made = writer.create_account(account(&format!("Acme {number}"))).await.unwrap();
        assert_eq!(told(&stream.next().await.changes), [(made.id, 1)]);
    }
}

#[tokio::test]
async fn a_process_that_stops_ends_its_watches_at_once_and_they_go_on_at_another() {
    let replicas = Replicas::start().await;
    let [near, far] = [0, 1].map(|number| replicas.agent(number));
    let mut stream = watch(&near, "now").await.unwrap();
    let cursor = stream.message().await.unwrap().unwrap().cursor;
    let mut tenants = near_tenants(&replicas).await;
    tenants.message().await.unwrap();
    let Replicas { services: [stopping, going_on], .. } = replicas;
    let stopped = tokio::spawn(stopping.stop());
    let ended = stream.rest().await;
    assert_eq!(refusal(ended), refused(Code::Unavailable, "WATCH_ENDED"));
    assert_eq!(tenants.message().await.unwrap_err().code(), Code::Unavailable);
    timeout(Duration::from_secs(10), stopped).await.unwrap().unwrap();

    let made = far.create_account(account("Acme")).await.unwrap();
    assert_eq!(told(&watch(&far, &cursor).await.unwrap().next().await.changes), [(made.id, 1)]);
    going_on.stop().await;
}

async fn near_tenants(replicas: &Replicas) -> tonic::Streaming<crm_proto::journal::WatchTenantsResponse> {
    let follower = replicas.services[0].service("sales", "acme");
    let request = follower.request(crm_proto::journal::WatchTenantsRequest::default());
    follower.changes.clone().watch_tenants(request).await.unwrap().into_inner()
}

#[tokio::test]
async fn places_are_bounded_shared_by_tenant_and_given_back() {
    let database = database().await;
    let url = database.url_as(app::ROLE, "").parse().unwrap();
    let config = StoreConfig::new(url, testing::redis().await.unwrap().parse().unwrap());
    let service = Service::start_as(StoreConfig { watches: 3, ..config }.into()).await;
    let [acme, other, third] = ["acme", "other", "third"].map(|tenant| service.caller(tenant, Role::Agent));
    let held = [watch(&acme, "").await.unwrap(), watch(&acme, "").await.unwrap()];
    assert_eq!(refusal(watch(&acme, "").await), refused(Code::ResourceExhausted, "TENANT_SHARE_TAKEN"));
    let theirs = watch(&other, "").await.unwrap();
    assert_eq!(refusal(watch(&third, "").await), refused(Code::ResourceExhausted, "WATCHES_BUSY"));
    drop((held, theirs));
    eventually("a free place", async || watch(&third, "").await.is_ok()).await;
}

#[tokio::test]
async fn watches_take_no_place_among_calls() {
    let database = database().await;
    let url = database.url_as(app::ROLE, "").parse().unwrap();
    let store = StoreConfig::new(url, testing::redis().await.unwrap().parse().unwrap());
    let stack = StackSettings { max_concurrent_calls: 1, ..StackSettings::default() };
    let service = Service::start_as(ServiceConfig { stack, ..store.into() }).await;
    let agent = service.caller("acme", Role::Agent);
    let mut all = Vec::new();
    for _ in 0..3 {
        all.push(watch(&agent, "").await.unwrap());
    }
    let made = agent.create_account(account("Acme")).await.unwrap();
    for stream in &mut all {
        assert_eq!(told(&stream.next().await.changes), [(made.id.clone(), 1)]);
    }
}

/// 20 MB of changes, which no buffer on the way takes.
const MANY: &str = "insert into customers.journal \
    (tenant_id, resource, record_id, version, kind, subject, role, change_time, changes) \
    select '{tenant}', 'accounts', gen_random_uuid(), 1, 'created', 'ada', 'agent', now(), \
    jsonb_build_object('name', jsonb_build_array(null, repeat('x', 10000))) from generate_series(1, 2000)";

#[tokio::test]
async fn a_reader_that_stops_reading_harms_nobody_and_no_connection_is_held() {
    let database = database().await;
    let url = database.url_as(app::ROLE, "").parse().unwrap();
    let config = StoreConfig::new(url, testing::redis().await.unwrap().parse().unwrap());
    let service = Service::start_as(StoreConfig { database_connections: 3, ..config }.into()).await;
    let agent = service.caller("acme", Role::Agent);
    as_owner(&database, &MANY.replace("{tenant}", &tenant_id("acme").to_string())).await;
    // From the beginning, so that there is more than any buffer takes; and some that wait.
    let mut stopped = Vec::new();
    for cursor in ["", "now", "", "now"] {
        // Over connections of their own: what nobody reads fills one.
        stopped.push(watch(&service.caller("acme", Role::Agent), cursor).await.unwrap());
    }
    let mut reader = watch(&agent, "now").await.unwrap();
    reader.message().await.unwrap();
    for number in 0..20 {
        let made = agent.create_account(account(&format!("Meanwhile {number}"))).await.unwrap();
        assert_eq!(told(&reader.next().await.changes), [(made.id, 1)]);
    }
    let sessions = "select count(*) from pg_stat_activity where usename = 'crm_customers' and state <> 'idle'";
    let owner = sqlx::PgPool::connect(database.url()).await.unwrap();
    eventually("connections at rest", async || {
        sqlx::query_scalar::<_, i64>(sessions).fetch_one(&owner).await.unwrap() == 0
    })
    .await;
    // What was not taken is still to be had.
    let (mut late, mut given) = (stopped.swap_remove(0), 0);
    while given < 2_020 {
        given += late.next().await.changes.len();
    }
    assert_eq!(given, 2_020);
}
