//! What a change leaves.

use std::sync::atomic::{AtomicUsize, Ordering};

use crm_customers::accounts::Account;
use crm_proto::customers as pb;
use crm_proto::google::r#type::Money;
use crm_proto::journal::change::Kind;
use crm_resource::journal::Cursor;
use crm_resource::testkit::call;
use crm_resource::{Change, Claim, Exchange, Kind as ResourceKind, New, Records, Resource, Row};
use crm_server::token::Role;
use crm_telemetry::testing::{attribute, record};
use sqlx::{Connection, PgConnection};

use super::{drain, fields, replica};
use crate::support::{account, contact, database, tenant, world};

#[tokio::test]
async fn each_change_leaves_one_entry_that_says_what_and_who() {
    let world = world().await;
    let journal = replica(&world.database).await.store;
    let boss = world.service.caller("acme", Role::Manager);
    let revenue = |units| Some(Money { currency_code: "EUR".to_owned(), units, nanos: 500_000_000 });
    let first = pb::Account { employees: Some(0), annual_revenue: revenue(3), ..account("Straße") };
    let created = world.agent.create_account(first.clone()).await.unwrap();
    let changed = pb::Account { id: created.id.clone(), annual_revenue: revenue(4), ..first };
    let mask = ["name", "annual_revenue", "employees", "owner"];
    boss.update_account(changed.clone(), &mask).await.unwrap();
    // Nothing is different: nothing has happened.
    boss.update_account(changed, &mask).await.unwrap();
    world.agent.delete_account(&created.id, "").await.unwrap();
    let last = world.agent.undelete_account(&created.id).await.unwrap();

    let (entries, _) = drain(&journal, tenant(), Cursor::BEGINNING, 100).await;
    let changes: Vec<_> = entries.into_iter().map(|entry| entry.message().unwrap()).collect();
    let told: Vec<_> =
        changes.iter().map(|change| (change.version, change.kind(), change.role.as_str(), fields(change))).collect();
    assert_eq!(
        told,
        [
            (
                1,
                Kind::Created,
                "agent",
                vec![
                    "annual_revenue: null -> {currencyCode: EUR, nanos: 500000000, units: 3}".to_owned(),
                    "employees: null -> 0".to_owned(),
                    "name: null -> Straße".to_owned(),
                ]
            ),
            (
                2,
                Kind::Updated,
                "manager",
                vec![
                    "annual_revenue: {currencyCode: EUR, nanos: 500000000, units: 3} -> \
                     {currencyCode: EUR, nanos: 500000000, units: 4}"
                        .to_owned()
                ]
            ),
            (3, Kind::Deleted, "agent", vec![]),
            (4, Kind::Undeleted, "agent", vec![]),
        ]
    );
    assert!(changes.iter().all(|it| it.resource == "accounts" && it.id == created.id && it.subject == "ada"));
    assert_eq!((&changes[3].etag, changes[3].change_time), (&last.etag, last.update_time));
    assert_eq!(changes[0].change_time, created.create_time);
}

#[tokio::test]
async fn what_says_something_of_a_person_stands_apart() {
    let world = world().await;
    let company = world.agent.create_account(account("Acme")).await.unwrap();
    let mails = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
    let person =
        pb::Contact { owner: "bo".to_owned(), emails: mails(&["a@x.example"]), ..contact(&company.id, "Love") };
    let created = world.agent.create_contact(person).await.unwrap();
    let changed = pb::Contact { id: created.id.clone(), emails: mails(&["b@x.example", "a@x.example"]), ..created };
    world.agent.update_contact(changed, &["emails"]).await.unwrap();

    let mut owner = PgConnection::connect(world.database.url()).await.unwrap();
    let kept =
        "select changes::text, personal::text from customers.journal where resource = 'contacts' order by version";
    let kept: Vec<(String, Option<String>)> = sqlx::query_as(kept).fetch_all(&mut owner).await.unwrap();
    assert!(!kept.iter().any(|(changes, _)| changes.contains("Love") || changes.contains("x.example")), "{kept:?}");
    let personal = "{\"emails\": [null, [\"a@x.example\"]], \"family_name\": [null, \"Love\"]}";
    assert_eq!(kept[0].1.as_deref(), Some(personal));
    assert!(kept[0].0.contains("\"owner\": [null, \"bo\"]"), "{kept:?}");
    let (entries, _) = drain(&replica(&world.database).await.store, tenant(), Cursor::BEGINNING, 100).await;
    let last = entries.into_iter().next_back().unwrap().message().unwrap();
    assert_eq!(fields(&last), ["emails: [a@x.example] -> [b@x.example, a@x.example]"]);
}

#[tokio::test]
async fn an_entry_costs_no_statement_and_leads_to_the_trace_of_its_call() {
    let (recorder, _guard) = record();
    let world = world().await;
    let statements = || -> Vec<String> {
        let spans = recorder.spans();
        let all = spans.iter().filter_map(|span| attribute(span, "db.query.summary"));
        // That is no call's: a process asks it beside others as it starts.
        all.filter(|name| name != "look_at_request_ids").collect()
    };
    // What the tenant has defined for accounts and contacts is read once, and known from then on.
    let other = world.agent.create_account(account("Other")).await.unwrap();
    world.agent.create_contact(contact(&other.id, "Other")).await.unwrap();
    let mut before = statements().len();
    let mut check = |expected: &[&str]| {
        let all = statements();
        assert_eq!(all[before..], *expected);
        before = all.len();
    };
    let created = world.agent.create_account(account("Acme")).await.unwrap();
    check(&["claim_request_id", "insert_account", "store_answer"]);
    let person = world.agent.create_contact(contact(&created.id, "Love")).await.unwrap();
    check(&["claim_request_id", "hold_account", "insert_contact", "store_answer"]);
    world.agent.update_account(pb::Account { id: created.id.clone(), ..account("Bell") }, &["name"]).await.unwrap();
    check(&["lock_account", "update_account"]);
    world.agent.delete_contact(&person.id, "").await.unwrap();
    // What is deleted is no longer found, and nothing may be on its way to it: these are statements, and the entry is none.
    check(&["lock_contact", "find_unmoved", "set_contact_deleted", "remove_terms"]);

    let (entries, _) = drain(&replica(&world.database).await.store, tenant(), Cursor::BEGINNING, 100).await;
    let spans = recorder.spans();
    for entry in entries {
        let parent = entry.traceparent.unwrap();
        let ids: Vec<&str> = parent.split('-').collect();
        let span = spans.iter().find(|span| span.span_context.span_id().to_string() == ids[2]).unwrap();
        assert_eq!(span.span_context.trace_id().to_string(), ids[1]);
        assert!(span.name.contains("Service/"), "{}", span.name);
    }
}

/// Accounts, of which it is counted how often a message is read or made.
#[derive(Debug, Clone)]
struct Counted;

static EXCHANGES: AtomicUsize = AtomicUsize::new(0);

impl Resource for Counted {
    type Message = pb::Account;
    type Fields = <Account as Resource>::Fields;

    const KIND: &'static ResourceKind = Account::KIND;

    fn exchange(stored: &mut Self::Fields, message: &mut pb::Account, fields: &mut Exchange<'_>) {
        EXCHANGES.fetch_add(1, Ordering::Relaxed);
        Account::exchange(stored, message, fields);
    }

    fn columns(fields: &Self::Fields, row: &mut Row) {
        Account::columns(fields, row);
    }
}

/// The journal says what the answer says: neither state is shown for one of them alone.
#[tokio::test]
async fn an_entry_is_made_of_messages_that_are_made_anyway() {
    let database = database().await;
    let accounts = Records::<Counted>::new(&replica(&database).await.store);
    let own = call(tenant());
    let request_id = uuid::Uuid::new_v4().to_string();
    let request = pb::CreateAccountRequest { account: Some(account("Acme")), request_id, ..Default::default() };
    let new = New::<Counted>::read(own.clone(), request).unwrap();
    let Claim::First(write) = accounts.claim(own.clone(), new.request_id).await.unwrap() else { panic!() };
    let created = accounts.finish(*write, new).await.unwrap();
    assert_eq!(EXCHANGES.swap(0, Ordering::Relaxed), 2, "read, and shown");

    let renamed = pb::Account { id: created.id, ..account("Bell") };
    let request = pb::UpdateAccountRequest { account: Some(renamed), update_mask: None };
    let mut change = Change::<Counted>::read(own.clone(), request).unwrap();
    let mut write = accounts.begin(own).await.unwrap();
    let current = accounts.lock_live(&mut write, change.id, "").await.unwrap();
    let fields = change.apply(&current).unwrap();
    assert_eq!(EXCHANGES.swap(0, Ordering::Relaxed), 2, "what is fixed is read, then what is to be changed");
    let changed = accounts.save(write, current, fields).await.unwrap();
    assert_eq!(changed.name, "Bell");
    assert_eq!(EXCHANGES.swap(0, Ordering::Relaxed), 2, "the state before is shown, and the one after");
}

/// Whoever speaks as the service cannot make undone what was done.
#[tokio::test]
async fn an_entry_can_be_neither_changed_nor_deleted() {
    let world = world().await;
    world.agent.create_account(account("Acme")).await.unwrap();
    let pool = crate::support::pool(&world.database).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    for statement in ["update customers.journal set subject = 'nobody'", "delete from customers.journal"] {
        assert_eq!(transaction.execute("change", sqlx::query(statement)).await.unwrap(), 0, "{statement}");
    }
    let other = "insert into customers.journal (tenant_id, resource, record_id, version, kind, subject, role, \
                 change_time, changes) select gen_random_uuid(), resource, record_id, version, kind, subject, role, \
                 change_time, changes from customers.journal";
    assert!(transaction.execute("insert", sqlx::query(other)).await.is_err());
}
