//! A merge of accounts with many children, whose processes are killed while it goes on, and who reads meanwhile.

use std::time::{Duration, Instant};

use crm_server::token::{Role, tenant_id};
use serde_json::json;
use sqlx::PgConnection;
use tokio::time::sleep;
use uuid::Uuid;

use super::lab::LARGE;
use super::plan::Plan;
use super::readers::{ACTIVITIES, CONTACTS, Reader};
use super::replicas::{Replicas, number};
use crate::scratch::{LabError, Part, Stage, as_f64};

const MERGE: &str = "crm.customers.v1.AccountService/MergeAccount";
const GET: &str = "crm.customers.v1.OperationService/GetOperation";
const WHOSE: (usize, &str, Role) = (0, LARGE, Role::Manager);
/// At which part of the work everything that serves is killed.
const KILLS: [f64; 3] = [0.2, 0.5, 0.8];
const PATIENCE: Duration = Duration::from_secs(300);

/// The account with the fewest contacts of those that have so many, below no other one: neither is below the other.
const ACCOUNT: &str = "
    select account_id::text from (select account_id, count(*) as many from customers.contacts where tenant_id = $1 group by 1) all_of
        join customers.accounts on accounts.tenant_id = $1 and accounts.id = account_id and parent_id is null
    where many >= $2 order by many, account_id limit 1";
/// What is still the loser's; and what was moved, all in all and that has not just one entry in the journal.
const LEFT: &str = "
    with moved as (select resource, record_id from customers.merge_moves where tenant_id = $1 and merge_id = $2::uuid)
    select (select count(*) from customers.contacts where tenant_id = $1 and account_id = $2::uuid)
        + (select count(*) from customers.activities where tenant_id = $1 and parent_id = $2::uuid)
        + (select count(*) from customers.accounts where tenant_id = $1 and parent_id = $2::uuid),
        (select count(*) from moved),
        (select count(*) from (select from moved left join customers.journal entry on entry.tenant_id = $1
            and entry.resource = moved.resource and entry.record_id = moved.record_id
            group by moved.resource, moved.record_id having count(entry.record_id) <> 1) odd)";

pub(super) async fn measure(stage: &Stage, plan: &Plan) -> Result<Part, LabError> {
    let mut part = Part::new(
        "merge",
        "An account with many contacts and activities goes into another one; those of the one that stays are read page by \
         page all the while, and three times everything that serves is killed.",
    );
    let mut owner = stage.owner().await?;
    let (winner, loser) = (account(&mut owner, 2).await?, account(&mut owner, plan.children).await?);
    let pair = [winner.as_str(), loser.as_str()];
    let mut readers =
        [Reader::new(&CONTACTS, &mut owner, &pair).await?, Reader::new(&ACTIVITIES, &mut owner, &pair).await?];

    let mut replicas = Replicas::start(stage, 2, plan.waits).await?;
    let began = Instant::now();
    let request = json!({ "id": winner, "duplicateId": loser, "requestId": Uuid::new_v4() });
    let operation = replicas.get(WHOSE, MERGE, &request).await?["id"].take();
    let (mut kills, mut turn) = (0, 0);
    let ended = loop {
        let state = replicas.get(WHOSE, GET, &json!({ "id": operation })).await?;
        if state["done"] == json!(true) && readers.iter().all(Reader::has_read) {
            break state;
        }
        if began.elapsed() > PATIENCE {
            return Err(LabError::Call(format!("the merge has not ended: {state}")));
        }
        let (done, total) = (number(&state["progress"]["done"]), number(&state["progress"]["total"]));
        if KILLS.get(kills).is_some_and(|part| total > 0.0 && done > part * total) {
            replicas.kill_all().await?;
            kills += 1;
        }
        // Before the first step, which counts them, the duplicate's are its own.
        if total > 0.0 {
            turn = (turn + usize::from(readers[turn].read(&mut replicas, WHOSE).await?)) % readers.len();
        } else {
            sleep(Duration::from_millis(5)).await;
        }
    };
    let took = began.elapsed();
    drop(replicas);
    let left = sqlx::query_as(LEFT).bind(tenant_id(LARGE)).bind(&loser).fetch_one(&mut owner);
    let (left, moved, odd): (i64, i64, i64) = left.await?;
    let mut lost = left.unsigned_abs();
    for reader in &readers {
        lost += reader.lost(&mut owner, &winner).await?;
        part.figure(format!("whole reads of {} meanwhile", reader.what()), f64::from(reader.reads), "");
    }
    part.figure("records that were moved", as_f64(moved.unsigned_abs()), "");
    part.figure("times that everything was killed", as_f64(kills as u64), "");
    part.figure("time, with the rests after each kill", took.as_secs_f64(), "s");
    let failed = f64::from(u8::from(ended["state"] != json!("STATE_SUCCEEDED")));
    part.claim(
        "merges that did not succeed, of one that was killed three times",
        0.0,
        Some(failed).filter(|_| kills == KILLS.len()),
    );
    let is_large = moved > i64::from(plan.children);
    part.claim("children that are still elsewhere, or lost", 0.0, Some(as_f64(lost)).filter(|_| is_large));
    part.claim("moved children that have not one change each in the journal", 0.0, Some(as_f64(odd.unsigned_abs())));
    let wrong = readers.iter().map(|reader| f64::from(reader.wrong)).sum();
    part.claim("reads that saw a child twice or not at all", 0.0, Some(wrong));
    Ok(part)
}

async fn account(owner: &mut PgConnection, least: u32) -> Result<String, LabError> {
    let found = sqlx::query_scalar(ACCOUNT).bind(tenant_id(LARGE)).bind(i64::from(least)).fetch_optional(owner).await?;
    found.ok_or_else(|| LabError::Call(format!("no account has {least} contacts")))
}
