//! An operation as it is kept, and as callers see it.

use crm_proto::google::rpc;
use crm_proto::operations::{self as pb, operation};
use prost::Message;
use prost_types::Any;
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::Error;
use crate::resource::timestamp;

#[derive(Debug, FromRow)]
pub(super) struct Row {
    pub(super) id: Uuid,
    pub(super) kind: String,
    unit: String,
    pub(super) state: String,
    subject: String,
    role: String,
    request: Vec<u8>,
    done: i64,
    total: Option<i64>,
    create_time: OffsetDateTime,
    update_time: OffsetDateTime,
    cancel_time: Option<OffsetDateTime>,
    end_time: Option<OffsetDateTime>,
    response: Option<Vec<u8>>,
    error: Option<Vec<u8>>,
    erased: bool,
}

impl Row {
    pub(super) fn is_cancelled(&self) -> bool {
        self.state == "cancelled"
    }

    /// How long it took, if it has ended.
    pub(super) fn seconds(&self) -> f64 {
        self.end_time.map_or(0.0, |end| (end - self.create_time).as_seconds_f64())
    }

    /// # Errors
    /// It holds what this release does not understand.
    pub(super) fn message(self) -> Result<pb::Operation, Error> {
        const NO_FORM: Error = Error::Inconsistent("a kept operation does not decode");
        let state = match self.state.as_str() {
            "waiting" => operation::State::Waiting,
            "running" => operation::State::Running,
            "succeeded" => operation::State::Succeeded,
            "failed" => operation::State::Failed,
            "cancelled" => operation::State::Cancelled,
            _ => return Err(Error::Inconsistent("a state of an operation is unknown")),
        };
        let result = match (self.response, self.error) {
            (Some(response), _) => Any::decode(response.as_slice()).map(operation::Result::Response).map(Some),
            (None, Some(error)) => rpc::Status::decode(error.as_slice()).map(operation::Result::Error).map(Some),
            (None, None) => Ok(None),
        };
        let cancelled = || operation::Result::Error(super::failure::cancelled());
        let result = result.map_err(|_| NO_FORM)?;
        Ok(pb::Operation {
            id: self.id.to_string(),
            kind: self.kind,
            state: state.into(),
            done: self.end_time.is_some(),
            progress: Some(pb::Progress { done: self.done, total: self.total, unit: self.unit }),
            subject: self.subject,
            role: self.role,
            create_time: Some(timestamp(self.create_time)),
            update_time: Some(timestamp(self.update_time)),
            cancel_time: self.cancel_time.map(timestamp),
            end_time: self.end_time.map(timestamp),
            metadata: Some(Any::decode(self.request.as_slice()).map_err(|_| NO_FORM)?),
            erased: self.erased,
            result: if state == operation::State::Cancelled { Some(cancelled()) } else { result },
        })
    }
}
