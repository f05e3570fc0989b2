//! A service that follows another one: every change has its effect once, whatever dies, fails or is no longer kept.

mod rig;

use std::time::Duration;

use crm_customers::accounts::Account;
use crm_resource::follow::Follower;
use crm_resource::{Records, RunError};
use crm_telemetry::metrics_text;
use crm_telemetry::testing::record;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::JoinSet;
use tokio::time::sleep;
use tracing::Instrument;
use uuid::Uuid;

use rig::{Rig, create, execute, follower, heal, poison, rename};

/// Changes, unless the environment says otherwise.
const CHANGES: usize = 3_000;
const WRITERS: usize = 6;
const RECORDS: usize = 20;
const TENANTS: [Uuid; 2] = [Uuid::from_u128(1), Uuid::from_u128(2)];

/// Any number for a seed: the same writers write the same.
fn next(state: &mut u64) -> usize {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    usize::try_from(*state >> 33).unwrap()
}

async fn write_many(accounts: Records<Account>, records: [Vec<Uuid>; 2], changes: usize, mut seed: u64) -> usize {
    let mut done = 0;
    while done < changes {
        let tenant = next(&mut seed) % 2;
        let (first, many) = (next(&mut seed) % RECORDS, 1 + next(&mut seed) % 3);
        let mut ids: Vec<Uuid> = (0..many).map(|nth| records[tenant][(first + nth * 7) % RECORDS]).collect();
        if next(&mut seed).is_multiple_of(2) {
            ids.reverse();
        }
        done += rename(&accounts, TENANTS[tenant], &ids).await;
    }
    done
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_change_has_its_effect_once_whatever_dies() {
    static FOLLOWS: [Follower; 1] = [follower("killed")];
    let changes = std::env::var("CRM_TEST_JOURNAL_CHANGES").map_or(CHANGES, |text| text.parse().unwrap());
    let mut seed = u64::from(std::process::id());
    println!("seed {seed}");
    let rig = Rig::start(&FOLLOWS).await;
    let quickly =
        "do $$ begin execute format('alter database %I set deadlock_timeout = 5', current_database()); end $$";
    execute(&rig.source, quickly).await;
    let writing = [rig.accounts().await, rig.accounts().await];
    let mut records = [Vec::new(), Vec::new()];
    for (tenant, records) in TENANTS.iter().zip(&mut records) {
        for _ in 0..RECORDS {
            records.push(create(&writing[0], *tenant).await);
        }
    }
    let mut writers = JoinSet::new();
    for writer in 0..WRITERS {
        let seed = seed.wrapping_add(writer as u64);
        writers.spawn(write_many(writing[writer % 2].clone(), records.clone(), changes / WRITERS, seed));
    }
    let mut following = [Some(rig.follow().await), Some(rig.follow().await)];
    let (mut written, mut killed) = (2 * RECORDS, 0);
    while !writers.is_empty() {
        sleep(Duration::from_millis(200 + next(&mut seed) as u64 % 600)).await;
        let one = &mut following[killed % 2];
        one.take().unwrap().kill().await;
        if next(&mut seed).is_multiple_of(2) {
            // Of the other one, too: amid a statement, or a commit.
            let cut = "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'crm_sales' \
                       and datname = current_database()";
            execute(&rig.own, cut).await;
        }
        *one = Some(rig.follow().await);
        killed += 1;
        while let Some(ended) = writers.try_join_next() {
            written += ended.unwrap();
        }
    }
    println!("{written} changes, killed {killed} times");
    let written = i64::try_from(written).unwrap();
    rig.until("select count(*) from sales.effects", written).await;
    let twice = "select count(*) - count(distinct (record_id, version)) from sales.effects";
    assert_eq!(rig.count(twice).await, 0, "made twice");
    let out_of_order = "select count(*) from (select version, lag(version, 1, 0::bigint) over (partition by record_id \
                        order by nth) as before from sales.effects) as pairs where version <> before + 1";
    assert_eq!(rig.count(out_of_order).await, 0, "out of order");
    let made = i64::try_from(2 * RECORDS).unwrap();
    assert_eq!(rig.count("select count(*) from sales.products").await, made, "one for each account");
    assert_eq!(rig.count("select count(*) from sales.begun where why = 'New'").await, 2);
}

/// The value of a series that has this label.
fn metric(name: &str, labels: &str) -> f64 {
    let text = metrics_text();
    let line = text.lines().find(|line| line.starts_with(name) && line.contains(labels));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_default()
}

#[tokio::test]
async fn what_cannot_be_followed_holds_up_its_tenant_alone() {
    static FOLLOWS: [Follower; 1] = [follower("poisoned")];
    let rig = Rig::start(&FOLLOWS).await;
    let accounts = rig.accounts().await;
    let [bad, good] = TENANTS;
    let mut records = Vec::new();
    for _ in 0..7 {
        records.push(create(&accounts, bad).await);
    }
    poison(records[2], false);
    poison(records[4], true);
    let _following = rig.follow().await;
    let effects = |tenant: Uuid| format!("select count(*) from sales.effects where tenant_id = '{tenant}'");
    rig.until(&effects(bad), 2).await;
    create(&accounts, good).await;
    rig.until(&effects(good), 1).await;
    let failed = || metric("crm_follower_batches_total", "follower=\"poisoned\",outcome=\"failed\"");
    let lag = || metric("crm_follower_lag_seconds", "follower=\"poisoned\"");
    let until = async |what: &str, condition: &dyn Fn() -> bool| {
        for _ in 0..600 {
            if condition() {
                return;
            }
            sleep(Duration::from_millis(50)).await;
        }
        panic!("{what}: {}", metrics_text());
    };
    until("the one that cannot be followed is told", &|| failed() >= 2.0 && lag() > 0.0).await;
    heal(records[2]);
    rig.until(&effects(bad), 4).await;
    rename(&accounts, good, &[create(&accounts, good).await]).await;
    rig.until(&effects(good), 3).await;
    heal(records[4]);
    rig.until(&effects(bad), 7).await;
    until("nothing is left", &|| lag() == 0.0).await;
    assert!((metric("crm_follower_changes_total", "follower=\"poisoned\"") - 10.0).abs() < f64::EPSILON);
    assert!(!metrics_text().contains("tenant="), "{}", metrics_text());
}

#[tokio::test]
async fn a_turn_that_panics_wherever_it_is_comes_again() {
    static FOLLOWS: [Follower; 1] = [follower("panicking")];
    let rig = Rig::start(&FOLLOWS).await;
    let accounts = rig.accounts().await;
    // A tenant of its own, for poison is everybody's.
    let (bad, good) = (Uuid::from_u128(77), TENANTS[1]);
    create(&accounts, bad).await;
    poison(bad, true);
    let _following = rig.follow().await;
    let effects = |tenant: Uuid| format!("select count(*) from sales.effects where tenant_id = '{tenant}'");
    while metric("crm_task_panics_total", "task=\"follower.turn\"") < 1.0 {
        sleep(Duration::from_millis(50)).await;
    }
    create(&accounts, good).await;
    rig.until(&effects(good), 1).await;
    heal(bad);
    rig.until(&effects(bad), 1).await;
}

#[tokio::test]
async fn what_is_no_longer_kept_is_begun_anew() {
    static FOLLOWS: [Follower; 1] = [follower("expired")];
    let rig = Rig::start(&FOLLOWS).await;
    let accounts = rig.accounts().await;
    let [away, kept] = TENANTS;
    let following = rig.follow().await;
    let (one, other) = (create(&accounts, away).await, create(&accounts, kept).await);
    rig.until("select count(*) from sales.effects", 2).await;
    following.kill().await;
    rename(&accounts, away, &[one]).await;
    rename(&accounts, kept, &[other]).await;
    let swept = format!(
        "delete from customers.journal where tenant_id = '{away}'; \
         insert into customers.journal_floors (tenant_id, transaction) values ('{away}', pg_current_xact_id())"
    );
    execute(&rig.source, &swept).await;
    rename(&accounts, away, &[one]).await;
    let _following = rig.follow().await;
    let expired = format!("select count(*) from sales.begun where why = 'Expired' and tenant_id = '{away}'");
    rig.until(&expired, 1).await;
    rename(&accounts, away, &[one]).await;
    rig.until("select count(*) from sales.effects", 4).await;
    let followed = format!("select count(*) from sales.effects where tenant_id = '{away}' and version in (1, 4)");
    assert_eq!(rig.count(&followed).await, 2, "what is no longer kept is not followed, nor what was read");
    assert_eq!(rig.count("select count(*) from sales.begun").await, 3, "each once");
    assert!(metric("crm_follower_batches_total", "follower=\"expired\",outcome=\"expired\"") >= 1.0);
}

#[tokio::test]
async fn what_a_follower_writes_bears_its_name_and_leads_to_the_writers() {
    static FOLLOWS: [Follower; 1] = [follower("traced")];
    let (recorder, _guard) = record();
    let rig = Rig::start(&FOLLOWS).await;
    let accounts = rig.accounts().await;
    let writing = tracing::info_span!("writing");
    create(&accounts, TENANTS[0]).instrument(writing.clone()).await;
    drop(writing);
    let _following = rig.follow().await;
    rig.until("select count(*) from sales.products", 1).await;
    let who = "select count(*) from sales.journal where subject = 'service:sales' and role = 'service' \
               and resource = 'products' and kind = 'created'";
    assert_eq!(rig.count(who).await, 1);

    // The batch ends after its commit.
    let batch = loop {
        let batches = recorder.spans_named("follower.batch");
        if let Some(batch) = batches.into_iter().find(|batch| !batch.links.is_empty()) {
            break batch;
        }
        sleep(Duration::from_millis(10)).await;
    };
    let writer = recorder.spans_named("writing").remove(0).span_context;
    let linked: Vec<_> =
        batch.links.iter().map(|link| (link.span_context.trace_id(), link.span_context.span_id())).collect();
    assert_eq!(linked, [(writer.trace_id(), writer.span_id())]);
    assert_ne!(batch.span_context.trace_id(), writer.trace_id());
    let own = format!("00-{}-{}-01", batch.span_context.trace_id(), batch.span_context.span_id());
    let entry = format!("select count(*) from sales.journal where traceparent = '{own}'");
    assert_eq!(rig.count(&entry).await, 1, "and so on to whoever follows sales");
    let asked = recorder.spans_named("crm.customers.v1.ChangeService/ListChanges").into_iter();
    let asked = asked.filter(|span| span.parent_span_id == batch.span_context.span_id());
    assert!(asked.count() >= 1, "who was asked for the batch stands in its trace");
}

#[tokio::test]
async fn cursors_are_behind_the_wall_and_a_follower_needs_a_key() {
    static FOLLOWS: [Follower; 1] = [follower("walled")];
    let rig = Rig::start(&FOLLOWS).await;
    assert!(matches!(rig.serve(None).await.end().await, Err(RunError::NoKey)));
    let accounts = rig.accounts().await;
    for tenant in TENANTS {
        create(&accounts, tenant).await;
    }
    let _following = rig.follow().await;
    // Two tenants, and of which tenants it was told.
    rig.until("select count(*) from sales.follower_cursors where follower = 'walled'", 3).await;
    let [own, other] = TENANTS;
    let foreign = format!("select count(*) from sales.follower_cursors where tenant_id = '{other}'");
    let mut sees = PgConnection::connect(&rig.own.url_as("crm_sales", "")).await.unwrap();
    sees.execute(AssertSqlSafe(format!("select set_config('crm.tenant', '{own}', false)"))).await.unwrap();
    for (question, expected) in [("select count(*) from sales.follower_cursors", 1), (foreign.as_str(), 0)] {
        let count: i64 = sqlx::query_scalar(AssertSqlSafe(question.to_owned())).fetch_one(&mut sees).await.unwrap();
        assert_eq!(count, expected, "{question}");
    }
    let write = format!("insert into sales.follower_cursors (tenant_id, follower, cursor) values ('{other}', 'x', '')");
    assert!(sees.execute(AssertSqlSafe(write)).await.is_err());
}
