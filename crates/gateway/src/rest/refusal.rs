//! A REST call that ends without an answer.

use crm_proto::google::rpc::{RetryInfo, Status as RpcStatus};
use crm_transcode::{GrpcStatus, RequestError, Transcoder};
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use prost::Message;
use tonic::{Code, Status, body::Body};

use super::challenge::challenge;
use crate::{answer, reasons};

/// Why there is no answer; in every case the caller reads the JSON of a `google.rpc.Status`.
pub(crate) enum Refusal {
    /// The request does not fit its message.
    Request(RequestError),
    /// No, with an HTTP status that says more than the gRPC code.
    Http(StatusCode, Status),
    /// 415, with the headers that say what is taken (RFC 9110, 15.5.16).
    NotTaken(Status, HeaderMap),
    /// The gateway or the service says no.
    Status(Status),
}

impl From<Status> for Refusal {
    fn from(status: Status) -> Self {
        Self::Status(status)
    }
}

impl From<RequestError> for Refusal {
    fn from(error: RequestError) -> Self {
        Self::Request(error)
    }
}

impl Refusal {
    pub(crate) fn too_large(limit: usize) -> Self {
        Self::Http(StatusCode::PAYLOAD_TOO_LARGE, reasons::body_too_large(limit))
    }

    pub(crate) fn headers_too_large(limit: usize) -> Self {
        Self::Http(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, reasons::headers_too_large(limit))
    }

    pub(crate) fn precondition_failed(status: Status) -> Self {
        Self::Http(StatusCode::PRECONDITION_FAILED, status)
    }

    /// The service's words about the request, with the names that its caller knows.
    pub(crate) fn respell(self, respell: impl FnOnce(&str, &[u8]) -> Option<(String, Vec<u8>)>) -> Self {
        let Self::Status(status) = &self else { return self };
        match respell(status.message(), status.details()) {
            Some((message, details)) => {
                let metadata = status.metadata().clone();
                Self::Status(Status::with_details_and_metadata(status.code(), message, details.into(), metadata))
            }
            None => self,
        }
    }

    /// The status as every protocol has it, and HTTP's where that says more than the code.
    pub(crate) fn into_status(self) -> (Option<StatusCode>, Status) {
        match self {
            Self::Request(error) => {
                let http = (error.reason() == "BODY_TOO_LARGE").then_some(StatusCode::PAYLOAD_TOO_LARGE);
                let GrpcStatus { code, message, details } = error.status();
                (http, Status::with_details(code.into(), message, details.into()))
            }
            Self::Http(http, status) => (Some(http), status),
            Self::NotTaken(status, _) => (Some(StatusCode::UNSUPPORTED_MEDIA_TYPE), status),
            Self::Status(status) => (None, status),
        }
    }

    pub(crate) fn into_response(self, transcoder: &Transcoder) -> Response<Body> {
        match self {
            Self::Request(error) => {
                let (status, json) = transcoder.request_error_json(&error);
                with_code(answer::json(status, json), Code::InvalidArgument)
            }
            Self::Http(http_status, status) => {
                let mut response = status_response(transcoder, &status);
                *response.status_mut() = http_status;
                response
            }
            Self::NotTaken(status, taken) => {
                let mut response = status_response(transcoder, &status);
                *response.status_mut() = StatusCode::UNSUPPORTED_MEDIA_TYPE;
                response.headers_mut().extend(taken);
                response
            }
            Self::Status(status) => status_response(transcoder, &status),
        }
    }
}

/// A gRPC status as HTTP says it.
pub(crate) fn status_response(transcoder: &Transcoder, status: &Status) -> Response<Body> {
    let (http_status, json) = transcoder.status_json(status.code().into(), status.message(), status.details());
    with_hints(answer::json(http_status, json), status)
}

/// What HTTP has headers for: how to be let in, and when to come again. The code is for the layers around.
pub(crate) fn with_hints(response: Response<Body>, status: &Status) -> Response<Body> {
    let mut response = with_code(response, status.code());
    let headers = response.headers_mut();
    if let Some(challenge) = challenge(status) {
        headers.insert(header::WWW_AUTHENTICATE, challenge);
    }
    if let Some(seconds) = retry_info_seconds(status.details()).or_else(|| pushback_seconds(status)) {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
    }
    response
}

fn with_code(mut response: Response<Body>, code: Code) -> Response<Body> {
    response.headers_mut().insert(Status::GRPC_STATUS, HeaderValue::from(i32::from(code)));
    response
}

/// The delay of a `RetryInfo` among the details, in whole seconds and never less than asked for.
fn retry_info_seconds(details: &[u8]) -> Option<u64> {
    let status = RpcStatus::decode(details).ok()?;
    let any = status.details.iter().find(|any| any.type_url.ends_with("/google.rpc.RetryInfo"))?;
    let delay = RetryInfo::decode(&*any.value).ok()?.retry_delay?;
    let seconds = u64::try_from(delay.seconds).ok()?;
    Some(seconds + u64::from(delay.nanos > 0))
}

/// The same from gRPC's own metadata for it (gRFC A6); a negative number means never.
fn pushback_seconds(status: &Status) -> Option<u64> {
    let millis: u64 = status.metadata().get("grpc-retry-pushback-ms")?.to_str().ok()?.parse().ok()?;
    Some(millis.div_ceil(1000))
}
