//! What is written through the public API: a file for each kind of records.

pub(super) mod accounts;
pub(super) mod attributes;
pub(super) mod deals;
pub(super) mod pipeline;
pub(super) mod products;
pub(super) mod teams;

use std::time::Duration;

use tokio_stream::StreamExt;
use tonic::{Code, Response, Status, Streaming};
use uuid::Uuid;

pub(super) use pipeline::stage_id;

use crate::api::Api;
use crate::failure::Failure;

/// Pause before a call is made again, at first and at most.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// Follows from what the file knows the record by: an import that was cut off half-way and is run again creates no twin.
fn id_of(kind: &str, key: &str) -> String {
    Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("crm-sales/{kind}/{key}").as_bytes()).to_string()
}

/// It breaks a rule, or what it names was deleted by a user: one row's fault.
fn is_refusal(status: &Status) -> bool {
    matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition | Code::AlreadyExists)
}

/// Calls again where there was no room, or nobody, for a moment: whatever an import sends may be sent twice.
async fn patiently<T>(call: impl AsyncFnMut() -> Result<Response<T>, Status>) -> Result<T, Status> {
    again(PAUSES, call).await
}

async fn again<T>(
    (mut pause, longest): (Duration, Duration),
    mut call: impl AsyncFnMut() -> Result<Response<T>, Status>,
) -> Result<T, Status> {
    loop {
        match call().await {
            Err(status) if pause <= longest && is_passing(&status) => tokio::time::sleep(pause).await,
            answer => return answer.map(Response::into_inner),
        }
        pause *= 2;
    }
}

fn is_passing(status: &Status) -> bool {
    matches!(status.code(), Code::Unavailable | Code::ResourceExhausted | Code::Aborted)
}

/// All that an export tells.
async fn all<T>(api: &Api, stream: Result<Streaming<T>, Status>) -> Result<Vec<T>, Failure> {
    let mut stream = stream.map_err(|status| api.failure(&status))?;
    let mut records = Vec::new();
    while let Some(record) = stream.next().await {
        records.push(record.map_err(|status| api.failure(&status))?);
    }
    Ok(records)
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn what_passes_is_waited_for_and_what_stays_is_told() {
        let check = async |code: Code, fails: u32| {
            let calls = Cell::new(0);
            let answer = again((Duration::from_micros(1), Duration::from_micros(40)), async || {
                calls.set(calls.get() + 1);
                if calls.get() > fails { Ok(Response::new(())) } else { Err(Status::new(code, "no")) }
            });
            (answer.await.map_err(|status| status.code()), calls.get())
        };
        assert_eq!(check(Code::Unavailable, 0).await, (Ok(()), 1));
        assert_eq!(check(Code::Unavailable, 3).await, (Ok(()), 4));
        assert_eq!(check(Code::ResourceExhausted, 6).await, (Ok(()), 7));
        assert_eq!(check(Code::Aborted, 99).await, (Err(Code::Aborted), 7));
        assert_eq!(check(Code::InvalidArgument, 1).await, (Err(Code::InvalidArgument), 1));
    }

    #[test]
    fn ids_follow_from_what_the_file_calls_a_record_by() {
        assert_eq!(id_of("accounts", "Acme"), id_of("accounts", "Acme"));
        assert_ne!(id_of("accounts", "Acme"), id_of("products", "Acme"));
        assert_ne!(id_of("accounts", "Acme"), id_of("accounts", "ACME"));
    }
}
