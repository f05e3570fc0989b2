//! A page of a record's history beside a read of an account that no cache has.

use crm_server::token::Role;
use serde_json::json;

use super::fill::tenant;
use super::plan::Plan;
use crate::load::LatencyMs;
use crate::scratch::{Asked, Callers, LabError, Part, Replica, Stage, as_f64, ratio};

const GET: &str = "crm.customers.v1.AccountService/GetAccount";
const HISTORY: &str = "crm.customers.v1.AccountService/GetAccountHistory";
/// How much longer a page of a history may take.
const LIMIT: f64 = 3.0;
/// A generator that is later than this measures itself.
const LATE_MS: f64 = 20.0;

/// Each account once, so that no cache has it.
const ACCOUNTS: &str = "select tenant, id::text from lab.records order by random() limit $1";
/// Each record once; the more changes it has, the sooner.
const RECORDS: &str = "select tenant, id::text from lab.records order by ln(1 - random()) / versions desc limit $1";

pub(super) async fn measure(stage: &Stage, plan: &Plan, replica: &Replica, seed: u64) -> Result<Part, LabError> {
    let mut part = Part::new(
        "histories",
        "The newest page of a record's history, in turns with a read of an account that was not read before; \
         a record is the likelier asked for the more changes it has.",
    );
    let mut callers = Callers::new(stage, &[replica])?;
    let calls = calls(stage, &mut callers, plan.rate * plan.seconds).await?;
    let tally = callers.play(calls, 2, plan.rate, plan.seconds, seed).await?;
    let mut p99 = [0.0; 2];
    for ((name, series), p99) in ["GetAccount, uncached", "GetAccountHistory"].iter().zip(&tally.per_call).zip(&mut p99)
    {
        let latency = LatencyMs::of(series);
        part.figure(format!("{name}: calls"), as_f64(series.calls), "");
        part.figure(format!("{name}: failed"), as_f64(series.failed), "");
        part.figure(format!("{name}: median"), latency.p50, "ms");
        part.figure(format!("{name}: 99th percentile"), latency.p99, "ms");
        *p99 = latency.p99;
    }
    for (kind, count) in &tally.failures {
        part.figure(format!("failed with {kind}"), as_f64(*count), "");
    }
    part.claim("99th percentile of a history, times that of an uncached GetAccount", LIMIT, ratio(p99[1], p99[0]));
    part.claim("calls that failed", 0.0, Some(as_f64(tally.all.failed)));
    part.claim("the generator itself: calls started late, 99th percentile in ms", LATE_MS, Some(tally.lag_ms_p99()));
    Ok(part)
}

async fn calls(stage: &Stage, callers: &mut Callers<'_>, count: u32) -> Result<Vec<Asked>, LabError> {
    let mut owner = stage.owner().await?;
    let mut calls = Vec::new();
    let half = i64::from(count.div_ceil(2));
    let accounts: Vec<(i32, String)> = sqlx::query_as(ACCOUNTS).bind(half).fetch_all(&mut owner).await?;
    let records: Vec<(i32, String)> = sqlx::query_as(RECORDS).bind(half).fetch_all(&mut owner).await?;
    for (account, record) in accounts.iter().zip(&records) {
        for (index, (rpc, (nth, id))) in [(GET, account), (HISTORY, record)].into_iter().enumerate() {
            let tenant = tenant(nth.unsigned_abs());
            calls.push(callers.ask((0, &tenant, Role::Viewer), index, rpc, &json!({ "id": id }))?);
        }
    }
    Ok(calls)
}
