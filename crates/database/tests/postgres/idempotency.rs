//! The same request id gives the same answer, also to two requests at once.

use std::time::Duration;

use crm_database::Error;
use crm_database::idempotency::{Idempotency, Outcome};
use sqlx::{Connection, PgConnection};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use crate::support::{Notes, OTHER_TENANT, TENANT};

const SCOPE: &str = "notes.CreateNote";
const ID: Uuid = Uuid::from_u128(77);
const BODY: [u8; 32] = [1; 32];

/// A create as a service would write it: claims, inserts, stores, commits.
async fn create(notes: &Notes, tenant: Uuid, body: [u8; 32]) -> Result<Outcome, Error> {
    let mut transaction = notes.database.begin(tenant, None).await?;
    let outcome = notes.idempotency.check(&mut transaction, SCOPE, ID, body).await?;
    if outcome == Outcome::First {
        let insert = sqlx::query("insert into notes.notes (text) values ('once')");
        transaction.execute("insert_note", insert).await?;
        notes.idempotency.store(&mut transaction, SCOPE, ID, b"answer").await?;
        transaction.commit().await?;
    }
    Ok(outcome)
}

#[tokio::test]
async fn first_then_replay_then_reuse() {
    let notes = Notes::new().await;
    assert_eq!(create(&notes, TENANT, BODY).await.unwrap(), Outcome::First);
    assert_eq!(create(&notes, TENANT, BODY).await.unwrap(), Outcome::Replay(b"answer".to_vec()));
    assert_eq!(create(&notes, TENANT, [2; 32]).await.unwrap(), Outcome::Reused);
    assert_eq!(create(&notes, OTHER_TENANT, [2; 32]).await.unwrap(), Outcome::First, "ids are a tenant's own");
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let other = notes.idempotency.check(&mut transaction, "notes.CreateOther", ID, BODY).await.unwrap();
    assert_eq!(other, Outcome::First, "ids are a method's own");
    assert_eq!(notes.texts(TENANT).await, ["once"]);
}

#[tokio::test]
async fn ten_at_once_do_the_work_once() {
    let notes = std::sync::Arc::new(Notes::new().await);
    let mut creates = JoinSet::new();
    for _ in 0..10 {
        let notes = std::sync::Arc::clone(&notes);
        creates.spawn(async move { create(&notes, TENANT, BODY).await.unwrap() });
    }
    let outcomes = creates.join_all().await;
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::First).count(), 1, "{outcomes:?}");
    assert!(outcomes.iter().all(|outcome| !matches!(outcome, Outcome::Reused)));
    assert_eq!(notes.texts(TENANT).await, ["once"]);
}

#[tokio::test]
async fn second_waits_for_the_first_and_takes_over_if_that_is_rolled_back() {
    let notes = Notes::new().await;
    let mut first = notes.database.begin(TENANT, None).await.unwrap();
    assert_eq!(notes.idempotency.check(&mut first, SCOPE, ID, BODY).await.unwrap(), Outcome::First);
    let second = create(&notes, TENANT, BODY);
    let mut second = std::pin::pin!(second);
    assert!(timeout(Duration::from_millis(200), &mut second).await.is_err(), "it waits");
    drop(first);
    assert_eq!(second.await.unwrap(), Outcome::First);
}

#[tokio::test]
async fn wait_for_the_first_ends_with_the_deadline() {
    let notes = Notes::new().await;
    let mut first = notes.database.begin(TENANT, None).await.unwrap();
    notes.idempotency.check(&mut first, SCOPE, ID, BODY).await.unwrap();
    let deadline = Some(Instant::now() + Duration::from_millis(200));
    let mut second = notes.database.begin(TENANT, deadline).await.unwrap();
    let result = notes.idempotency.check(&mut second, SCOPE, ID, BODY).await;
    assert!(matches!(result, Err(Error::DeadlineExceeded)), "{result:?}");
}

#[tokio::test]
async fn sweep_forgets_what_is_older_than_a_day_of_all_tenants() {
    let notes = Notes::new().await;
    create(&notes, TENANT, BODY).await.unwrap();
    create(&notes, OTHER_TENANT, BODY).await.unwrap();
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    assert_eq!(notes.idempotency.sweep(&mut transaction).await.unwrap(), 0, "too young");
    transaction.commit().await.unwrap();
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    let age = "update notes.idempotency_keys set create_time = now() - interval '25 hours'";
    sqlx::query(age).execute(&mut owner).await.unwrap();
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    assert_eq!(notes.idempotency.sweep(&mut transaction).await.unwrap(), 2);
    transaction.commit().await.unwrap();
    assert_eq!(create(&notes, OTHER_TENANT, [9; 32]).await.unwrap_err().constraint(), Some("notes_text_key"));
}

#[tokio::test]
async fn answer_needs_a_claim_and_a_schema_a_plain_name() {
    let notes = Notes::new().await;
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let result = notes.idempotency.store(&mut transaction, SCOPE, ID, b"answer").await;
    assert!(matches!(result, Err(Error::Fault(_))));
    assert!(matches!(Idempotency::new("notes; drop schema notes"), Err(Error::Settings(_))));
}
