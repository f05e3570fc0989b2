//! What becomes of an operation whose step has failed.

use std::time::Duration;

use crm_database::Error as DatabaseError;
use crm_proto::google::rpc;
use prost::Message;
use tonic::{Code, Status};

use crate::refusal::{OPERATION_CANCELLED, Refusal};
use crate::{Error, refusal};

/// Tries of one step, whatever became of them: a step that kills its process counts as well.
pub(super) const MOST_TRIES: i32 = 5;
/// Before a step is tried again that failed by no fault of its own.
const WHILE_OTHERS_RECOVER: Duration = Duration::from_secs(5);

/// What to do.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// A rule says no, and would say so again.
    End,
    /// Something it needs is away. Trying does no harm, so it is tried until that is back.
    Wait(Duration),
    /// It may be the step itself: so many times and no more.
    Retry(Duration),
}

/// Of a failed step that was tried so many times.
pub(super) fn judge(error: &Error, tries: i32) -> Verdict {
    match error {
        Error::Invalid(_)
        | Error::Refused(_)
        | Error::RefusedFor(..)
        | Error::RefusedWith(..)
        | Error::Merged { .. } => Verdict::End,
        Error::Database(error) if is_passing(error) => Verdict::Wait(WHILE_OTHERS_RECOVER),
        Error::Other(status) => match status.code() {
            Code::Unavailable | Code::ResourceExhausted => Verdict::Wait(WHILE_OTHERS_RECOVER),
            Code::Aborted | Code::DeadlineExceeded | Code::Cancelled | Code::Internal | Code::Unknown => again(tries),
            _ => Verdict::End,
        },
        Error::Database(_) | Error::Inconsistent(_) => again(tries),
    }
}

fn is_passing(error: &DatabaseError) -> bool {
    use DatabaseError::{Exhausted, Outdated, Refused, ShareTaken, Unavailable};
    matches!(error, Unavailable(_) | Refused(_) | Outdated(_) | Exhausted | ShareTaken)
}

/// After 1, 2, 4, 8 seconds.
fn again(tries: i32) -> Verdict {
    if tries >= MOST_TRIES {
        return Verdict::End;
    }
    let doublings = u32::try_from(tries.saturating_sub(1)).unwrap_or_default();
    Verdict::Retry(Duration::from_secs(1 << doublings.min(6)))
}

/// What callers are told, as any other call would have been.
pub(crate) fn told(error: Error) -> Vec<u8> {
    of_status(&error.into()).encode_to_vec()
}

/// What callers are told of one that was cancelled.
pub(super) fn cancelled() -> rpc::Status {
    of_refusal(&OPERATION_CANCELLED)
}

fn of_refusal(refusal: &'static Refusal) -> rpc::Status {
    of_status(&Error::from(refusal).into())
}

fn of_status(status: &Status) -> rpc::Status {
    // Of those made here the details have the whole status.
    rpc::Status::decode(status.details()).ok().filter(|inside| inside.code == i32::from(status.code())).unwrap_or_else(
        || rpc::Status { code: status.code().into(), message: status.message().to_owned(), details: Vec::new() },
    )
}

/// A step that never came to an end, whatever stopped it.
pub(super) fn stuck() -> Error {
    Error::from(&refusal::OPERATION_STUCK)
}

#[cfg(test)]
mod tests {
    use crm_database::{Constraint, ConstraintKind};

    use super::*;

    #[test]
    fn what_fails_ends_passes_or_is_tried_so_many_times() {
        let check = |error: Error, tries: i32, expected: Verdict| {
            assert_eq!(judge(&error, tries), expected, "{error:?} at try {tries}");
        };
        let (wait, retry) =
            (Verdict::Wait(WHILE_OTHERS_RECOVER), |seconds| Verdict::Retry(Duration::from_secs(seconds)));
        for tries in [1, 5, 6] {
            check(Error::Invalid(Vec::new()), tries, Verdict::End);
            check(Error::from(&OPERATION_CANCELLED), tries, Verdict::End);
            check(Error::RefusedWith(&refusal::POSSIBLE_DUPLICATE, prost_types::Any::default()), tries, Verdict::End);
            check(Status::not_found("").into(), tries, Verdict::End);
            check(Status::permission_denied("").into(), tries, Verdict::End);
        }
        assert_eq!(judge(&DatabaseError::Exhausted.into(), 5), wait);
        assert_eq!(judge(&DatabaseError::ShareTaken.into(), 5), wait);
        assert_eq!(judge(&Status::unavailable("").into(), 5), wait);
        for (tries, seconds) in [(0, 1), (1, 1), (2, 2), (3, 4), (4, 8)] {
            check(DatabaseError::DeadlineExceeded.into(), tries, retry(seconds));
            check(Error::Inconsistent("x"), tries, retry(seconds));
            check(Status::aborted("").into(), tries, retry(seconds));
        }
        let constraint = Constraint { name: "x".to_owned(), table: "x".to_owned(), kind: ConstraintKind::Check };
        check(DatabaseError::Constraint(constraint).into(), 4, retry(8));
        check(Error::Inconsistent("x"), 5, Verdict::End);
        check(Error::Inconsistent("x"), i32::MAX, Verdict::End);
    }

    #[test]
    fn what_another_service_said_is_told_as_it_was() {
        let passed_on = Status::failed_precondition("no");
        let told = rpc::Status::decode(told(passed_on.into()).as_slice()).unwrap();
        assert_eq!((told.code, told.message.as_str(), told.details.len()), (9, "no", 0));
        assert_eq!(cancelled().code, 1);
        assert_eq!(cancelled().details.len(), 1);
    }
}
