//! Errors of the control API, in the form of the public API's.

use axum::{
    body::Body,
    extract::State,
    response::{IntoResponse, Response},
};
use http::StatusCode;
use tonic::Status;

use super::Control;
use crate::reasons;

/// An error as it is sent.
#[derive(Debug)]
pub(crate) struct Fault {
    status: StatusCode,
    json: Vec<u8>,
}

impl Control {
    /// What a status looks like over HTTP.
    pub(crate) fn fault(&self, status: &Status) -> Fault {
        let (http_status, json) = self.transcoder.status_json(status.code().into(), status.message(), status.details());
        Fault { status: http_status, json }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let kind = [(http::header::CONTENT_TYPE, "application/json")];
        (self.status, kind, Body::from(self.json)).into_response()
    }
}

pub(crate) async fn no_route(State(control): State<Control>) -> Fault {
    control.fault(&reasons::unknown_control_route())
}

/// The router adds `Allow` itself.
pub(crate) async fn wrong_method(State(control): State<Control>) -> Fault {
    Fault { status: StatusCode::METHOD_NOT_ALLOWED, ..control.fault(&reasons::wrong_control_method()) }
}
