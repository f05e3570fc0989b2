//! Why a request is not read, as OTLP wants it said: what is worth another try, and what is not.

use axum::http::StatusCode;
use tonic::Code;

/// A request that is refused whole.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RequestError {
    /// Too many at once; senders try again.
    Busy,
    /// It took too long to arrive; senders try again.
    Late,
    TooLarge,
    Malformed(String),
    Media,
    Encoding,
    /// The port was asked for by a name that a page of somebody else could have.
    ForeignHost,
    /// Another signal, or another path.
    Elsewhere,
}

impl RequestError {
    pub(super) fn malformed(why: &(impl ToString + ?Sized)) -> Self {
        Self::Malformed(why.to_string())
    }

    pub(super) fn code(&self) -> Code {
        match self {
            Self::Busy | Self::Late => Code::Unavailable,
            Self::TooLarge => Code::ResourceExhausted,
            Self::Malformed(_) | Self::Media => Code::InvalidArgument,
            Self::Encoding | Self::Elsewhere => Code::Unimplemented,
            Self::ForeignHost => Code::PermissionDenied,
        }
    }

    pub(super) fn http_status(&self) -> StatusCode {
        match self {
            Self::Busy | Self::Late => StatusCode::SERVICE_UNAVAILABLE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Malformed(_) => StatusCode::BAD_REQUEST,
            Self::Media | Self::Encoding => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::ForeignHost => StatusCode::FORBIDDEN,
            Self::Elsewhere => StatusCode::NOT_FOUND,
        }
    }

    pub(super) fn message(&self) -> &str {
        match self {
            Self::Busy => "too many requests at the same time",
            Self::Late => "the request did not arrive in time",
            Self::TooLarge => "a request may have 4 MiB, packed and unpacked",
            Self::Malformed(why) => why,
            Self::Media => "send traces as application/x-protobuf or application/json",
            Self::Encoding => "send traces packed with gzip, or unpacked",
            Self::ForeignHost => "this port answers to names of this machine only",
            Self::Elsewhere => "the trace viewer takes traces only: POST /v1/traces, or gRPC TraceService/Export",
        }
    }
}
