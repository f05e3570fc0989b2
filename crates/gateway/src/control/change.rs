//! The JSON body of a change.

use axum::{
    Json,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use crm_server::json::Object;
use http::header;
use serde::de::DeserializeOwned;

use super::{refusal::Refusal, state::Control};
use crate::{reasons, rest::is_json};

/// An object as axum's `Json` takes it, but for those that say one thing twice: of these it would keep the last.
pub(crate) struct Change<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Control> for Change<T> {
    type Rejection = Refusal;

    /// The type must be named here: a foreign page can send a body that names none, or another, without asking first.
    async fn from_request(request: Request, control: &Control) -> Result<Self, Refusal> {
        if !request.headers().get(header::CONTENT_TYPE).is_some_and(is_json) {
            return Err(control.refuse(&reasons::other_media()).not_taken());
        }
        let body = Bytes::from_request(request, control).await;
        let body = body.map_err(|rejection| control.refuse(&reasons::malformed_change(rejection.body_text())))?;
        crm_transcode::refuse_repeated_keys(&body).map_err(|error| control.refuse_request(&error))?;
        match Json::from_bytes(&body) {
            Ok(Json(Object(change))) => Ok(Self(change)),
            Err(rejection) => Err(control.refuse(&reasons::malformed_change(rejection.body_text()))),
        }
    }
}
