//! Errors of the control API, in the form of the public API's.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use crm_transcode::RequestError;
use http::StatusCode;
use tonic::Status;

use super::state::Control;
use crate::{reasons, rest::JSON};

/// An error as it is sent.
#[derive(Debug)]
pub(crate) struct Refusal {
    status: StatusCode,
    json: Vec<u8>,
}

impl Control {
    /// What a status looks like over HTTP.
    pub(crate) fn refuse(&self, status: &Status) -> Refusal {
        let (http_status, json) = self.transcoder.status_json(status.code().into(), status.message(), status.details());
        Refusal { status: http_status, json }
    }

    /// A body that says one thing twice.
    pub(super) fn refuse_request(&self, error: &RequestError) -> Refusal {
        let (status, json) = self.transcoder.request_error_json(error);
        Refusal { status, json }
    }
}

impl Refusal {
    /// The same for a body of another type than is taken.
    pub(super) fn not_taken(self) -> Self {
        Self { status: StatusCode::UNSUPPORTED_MEDIA_TYPE, ..self }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let kind = [(http::header::CONTENT_TYPE, "application/json")];
        let accept = (self.status == StatusCode::UNSUPPORTED_MEDIA_TYPE).then_some((http::header::ACCEPT, JSON));
        let mut response = (self.status, kind, Body::from(self.json)).into_response();
        response.headers_mut().extend(accept);
        response
    }
}

pub(crate) async fn no_route(State(control): State<Control>) -> Refusal {
    control.refuse(&reasons::unknown_control_route())
}

/// The router adds `Allow` itself.
pub(crate) async fn wrong_method(State(control): State<Control>) -> Refusal {
    Refusal { status: StatusCode::METHOD_NOT_ALLOWED, ..control.refuse(&reasons::wrong_control_method()) }
}
