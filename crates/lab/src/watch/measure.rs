//! One run: who writes, who watches, and what each was given when.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use crm_proto::customers::{Account, CreateAccountRequest, UpdateAccountRequest};
use crm_proto::journal::{WatchChangesRequest, WatchChangesResponse};
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use tonic::Streaming;
use uuid::Uuid;

use super::caller::Caller;
use crate::scratch::{LabError, Replica, Stage};

/// Watchers of one connection.
const A_CONNECTION: usize = 25;
const RECORDS: usize = 50;
/// How long the last change may take before it counts as missing.
const PATIENCE: Duration = Duration::from_secs(10);

/// What came of it.
pub(super) struct Figures {
    pub(super) watchers: usize,
    pub(super) changes: usize,
    pub(super) latencies: Vec<Duration>,
    pub(super) missing: usize,
    pub(super) twice: usize,
    pub(super) kb_per_watcher: f64,
}

/// A change, by its record and its etag.
type Mark = (String, String);

pub(super) async fn measure(
    (stage, replica): (&Stage, &Replica),
    (watchers, stopped): (usize, usize),
    rate: u32,
    writing: Duration,
) -> Result<Figures, LabError> {
    let writer = Caller::new(stage, replica)?;
    let records = records(&writer).await?;
    // As warm as with watchers: what writes alone take is not theirs.
    let warm = writing / 4;
    write(&writer, &records, rate, warm).await?;
    sleep(Duration::from_secs(1)).await;
    let before = replica.rss_kb()?;

    let expected = Arc::new(AtomicUsize::new(usize::MAX));
    let mut reading = JoinSet::new();
    let mut held = Vec::new();
    for streams in all((stage, replica), watchers).await? {
        reading.spawn(read(streams, Arc::clone(&expected)));
    }
    for stream in all((stage, replica), stopped).await? {
        held.push(stream);
    }
    let asked = write(&writer, &records, rate, writing).await?;
    expected.store(asked.len(), Ordering::Release);
    let after = replica.rss_kb()?;
    #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
    let kb_per_watcher = (after - before).max(0.0) / (watchers + stopped) as f64;

    let (mut latencies, mut missing, mut twice) = (Vec::new(), 0, 0);
    while let Some(given) = reading.join_next().await {
        let mut seen = HashMap::new();
        for (mark, at) in given.map_err(|error| LabError::Call(error.to_string()))? {
            let earlier = seen.insert(mark, at);
            twice += usize::from(earlier.is_some());
        }
        for (mark, at) in &asked {
            match seen.get(mark) {
                Some(given) => latencies.push(given.saturating_duration_since(*at)),
                None => missing += 1,
            }
        }
    }
    drop(held);
    Ok(Figures { watchers: watchers + stopped, changes: asked.len(), latencies, missing, twice, kb_per_watcher })
}

async fn records(writer: &Caller) -> Result<Vec<String>, LabError> {
    let mut records = Vec::new();
    for number in 0..RECORDS {
        let account = Some(Account { name: format!("Account {number}"), ..Default::default() });
        let request = CreateAccountRequest { account, request_id: Uuid::new_v4().to_string(), ..Default::default() };
        let created = writer.accounts.clone().create_account(writer.request(request)).await;
        let refused = |status: tonic::Status| LabError::Call(format!("no record: {}", status.message()));
        records.push(created.map_err(refused)?.into_inner().id);
    }
    Ok(records)
}

/// So many streams, each of which has begun.
async fn all(
    (stage, replica): (&Stage, &Replica),
    number: usize,
) -> Result<Vec<Streaming<WatchChangesResponse>>, LabError> {
    let refused = |status: tonic::Status| LabError::Call(format!("no watch: {}", status.message()));
    let mut all = Vec::new();
    while all.len() < number {
        let caller = Caller::new(stage, replica)?;
        for _ in 0..A_CONNECTION.min(number - all.len()) {
            let request = caller.request(WatchChangesRequest { resources: Vec::new(), cursor: "now".to_owned() });
            let stream = caller.changes.clone().watch_changes(request).await;
            let mut stream = stream.map_err(refused)?.into_inner();
            stream.message().await.map_err(refused)?;
            all.push(stream);
        }
    }
    Ok(all)
}

/// Each change, and when it was there.
async fn read(mut stream: Streaming<WatchChangesResponse>, expected: Arc<AtomicUsize>) -> Vec<(Mark, Instant)> {
    let mut given = Vec::new();
    let mut waited = Duration::ZERO;
    const LOOK_EVERY: Duration = Duration::from_millis(100);
    while given.len() < expected.load(Ordering::Acquire) && waited < PATIENCE {
        match timeout(LOOK_EVERY, stream.message()).await {
            Ok(Ok(Some(message))) => {
                let at = Instant::now();
                given.extend(message.changes.into_iter().map(|change| ((change.id, change.etag), at)));
                waited = Duration::ZERO;
            }
            Ok(_) => break,
            Err(_) if expected.load(Ordering::Acquire) == usize::MAX => {}
            Err(_) => waited += LOOK_EVERY,
        }
    }
    given
}

/// Writes at a pace, whatever comes back; answers which changes were made, and when each was asked for.
async fn write(
    writer: &Caller,
    records: &[String],
    rate: u32,
    writing: Duration,
) -> Result<HashMap<Mark, Instant>, LabError> {
    let mut ticks = interval(Duration::from_secs(1) / rate);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Burst);
    let mut calls = JoinSet::new();
    let began = Instant::now();
    let mut number = 0_usize;
    while began.elapsed() < writing {
        ticks.tick().await;
        let (id, name) = (records[number % records.len()].clone(), format!("Change {}", Uuid::new_v4()));
        number += 1;
        calls.spawn(change(writer.clone(), Account { id, name, ..Default::default() }));
    }
    let mut asked = HashMap::new();
    while let Some(made) = calls.join_next().await {
        // What was refused is no change: a machine that is too slow for the pace shows by their number.
        if let Some((mark, at)) = made.map_err(|error| LabError::Call(error.to_string()))? {
            asked.insert(mark, at);
        }
    }
    Ok(asked)
}

/// None if it was refused.
async fn change(writer: Caller, account: Account) -> Option<(Mark, Instant)> {
    let request = writer.request(UpdateAccountRequest { account: Some(account), update_mask: None });
    let at = Instant::now();
    let answer = writer.accounts.clone().update_account(request).await.ok()?.into_inner();
    Some(((answer.id, answer.etag), at))
}
