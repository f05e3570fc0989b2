//! Refusals: what a rule of the service says no to, as a constant beside the rule.

use tonic::Code;

use crate::{attributes, imports};

/// A no that callers can tell from others. Its reason never changes, and stands in `docs/errors.md`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Refusal {
    /// What kind of no.
    pub code: Code,
    /// Which rule, for programs.
    pub reason: &'static str,
    /// Which rule, for people.
    pub text: &'static str,
}

impl Refusal {
    /// There is no such thing.
    pub const fn not_found(reason: &'static str, text: &'static str) -> Self {
        Self { code: Code::NotFound, reason, text }
    }

    /// There is one already, or it is in that state already.
    pub const fn already_exists(reason: &'static str, text: &'static str) -> Self {
        Self { code: Code::AlreadyExists, reason, text }
    }

    /// Something else has to change first.
    pub const fn failed_precondition(reason: &'static str, text: &'static str) -> Self {
        Self { code: Code::FailedPrecondition, reason, text }
    }

    /// Somebody else was faster.
    pub const fn aborted(reason: &'static str, text: &'static str) -> Self {
        Self { code: Code::Aborted, reason, text }
    }
}

/// The request breaks rules of its fields; the answer lists all of them.
pub const FIELDS_INVALID: Refusal =
    Refusal { code: Code::InvalidArgument, reason: "FIELDS_INVALID", text: "one or more fields break their rules" };
/// The caller saw another state than there is.
pub const ETAG_MISMATCH: Refusal = Refusal::aborted("ETAG_MISMATCH", "the etag is stale: read the resource again");
/// The caller repeated a request id for something else. The reason is the database's.
pub(crate) const REQUEST_ID_REUSED: Refusal = Refusal {
    code: Code::InvalidArgument,
    reason: "REQUEST_ID_REUSED",
    text: "the request id was used for another request",
};
/// Every place for exports is taken.
pub const EXPORTS_BUSY: Refusal =
    Refusal { code: Code::ResourceExhausted, reason: "EXPORTS_BUSY", text: "too many exports are running" };
/// The tenant's place for exports is taken. The reason is that of all shares.
pub(crate) const EXPORT_RUNS: Refusal = Refusal {
    code: Code::ResourceExhausted,
    reason: crm_shares::TENANT_SHARE_TAKEN,
    text: "the tenant has an export under way in this process; others find a place",
};
/// The export's reader has gone to sleep.
pub const EXPORT_STALLED: Refusal = Refusal::aborted("EXPORT_STALLED", "nobody read the export");
/// Every place for watches is taken.
pub const WATCHES_BUSY: Refusal =
    Refusal { code: Code::ResourceExhausted, reason: "WATCHES_BUSY", text: "too many watches are open" };
/// The tenant's places for watches are taken. The reason is that of all shares.
pub(crate) const WATCHES_TAKEN: Refusal = Refusal {
    code: Code::ResourceExhausted,
    reason: crm_shares::TENANT_SHARE_TAKEN,
    text: "the tenant has its part of the watches that this process has places for; others find one",
};
/// The watch's reader has gone to sleep.
pub const WATCH_TOO_SLOW: Refusal =
    Refusal::aborted("WATCH_TOO_SLOW", "nobody took what there was: watch again from the last cursor");
/// The process stops.
pub const WATCH_ENDED: Refusal = Refusal {
    code: Code::Unavailable,
    reason: "WATCH_ENDED",
    text: "the process stops: watch again from the last cursor",
};
/// The cursor is from before the oldest change that is kept.
pub const CURSOR_EXPIRED: Refusal = Refusal::failed_precondition(
    "CURSOR_EXPIRED",
    "the cursor is older than the changes that are kept: read all records again and go on from there",
);
/// Every place for waiting is taken.
pub const WAITS_BUSY: Refusal = Refusal {
    code: Code::ResourceExhausted,
    reason: "WAITS_BUSY",
    text: "too many wait for operations: read the operation now and then, or come again",
};
/// The tenant's places for waiting are taken. The reason is that of all shares.
pub(crate) const WAITS_TAKEN: Refusal = Refusal {
    code: Code::ResourceExhausted,
    reason: crm_shares::TENANT_SHARE_TAKEN,
    text: "the tenant has its part of those who may wait for operations in this process; others find a place",
};
/// There is no such operation.
pub const OPERATION_NOT_FOUND: Refusal = Refusal::not_found("OPERATION_NOT_FOUND", "there is no such operation");
/// Somebody cancelled the operation.
pub const OPERATION_CANCELLED: Refusal =
    Refusal { code: Code::Cancelled, reason: "OPERATION_CANCELLED", text: "the operation was cancelled" };
/// What the operation has begun would be half of something.
pub const OPERATION_GOES_THROUGH: Refusal = Refusal::failed_precondition(
    "OPERATION_GOES_THROUGH",
    "the operation has begun and cannot be cancelled: what it does is whole or not done",
);
/// A step of the operation never came to an end.
pub const OPERATION_STUCK: Refusal = Refusal {
    code: Code::Internal,
    reason: "OPERATION_STUCK",
    text: "a step of the operation was begun several times and never came to an end",
};
/// The operation named somebody who was erased.
pub const OPERATION_ERASED: Refusal =
    Refusal::not_found("OPERATION_ERASED", "the operation named somebody who was erased, and what it said with them");
/// What the same request was answered before was erased.
pub const ANSWER_ERASED: Refusal = Refusal::not_found(
    "ANSWER_ERASED",
    "the request was done before, and what it was answered was erased: for anything else, take another id",
);
/// An operation was to change more records than one may.
pub const TOO_MANY_RECORDS: Refusal = Refusal::failed_precondition(
    "TOO_MANY_RECORDS",
    "more records match than one operation may change: narrow the filter",
);
/// Somebody asked not to create what is there already, and it may be.
pub const POSSIBLE_DUPLICATE: Refusal =
    Refusal::already_exists("POSSIBLE_DUPLICATE", "there may be one already: the details list what is alike");
/// Stored data break a rule of this release.
pub const DATA_INCONSISTENT: Refusal =
    Refusal { code: Code::Internal, reason: "DATA_INCONSISTENT", text: "stored data break a rule of this release" };

/// What any service that has resources may refuse. The database's and the server's reasons come on top.
pub const REFUSALS: &[&Refusal] = &[
    &FIELDS_INVALID,
    &ETAG_MISMATCH,
    &EXPORTS_BUSY,
    &EXPORT_STALLED,
    &WATCHES_BUSY,
    &WATCH_TOO_SLOW,
    &WATCH_ENDED,
    &CURSOR_EXPIRED,
    &WAITS_BUSY,
    &OPERATION_NOT_FOUND,
    &OPERATION_CANCELLED,
    &OPERATION_STUCK,
    &OPERATION_ERASED,
    &ANSWER_ERASED,
    &TOO_MANY_RECORDS,
    &POSSIBLE_DUPLICATE,
    &imports::NOT_FOUND,
    &imports::CLOSED,
    &imports::NOT_RUN,
    &imports::EMPTY,
    &imports::OFFSET_WRONG,
    &imports::TOO_LARGE,
    &imports::TOO_MANY,
    &imports::TAKEN_OVER,
    &attributes::TOO_MANY,
    &attributes::TOO_MANY_FILTERABLE,
    &attributes::FILTER_NOT_READY,
    &attributes::FILTER_ENDED,
    &DATA_INCONSISTENT,
    &OPERATION_GOES_THROUGH,
];
