//! The JSON body of a change.

use axum::{
    Json, RequestExt,
    body::Body,
    extract::{FromRequest, Request},
};
use bytes::Bytes;
use serde::de::DeserializeOwned;

use super::{Control, refusal::Refusal};
use crate::reasons;

/// What axum's `Json` takes, but for objects that say one thing twice: of these it would keep the last.
pub(crate) struct Change<T>(pub(crate) T);

impl<T: DeserializeOwned> FromRequest<Control> for Change<T> {
    type Rejection = Refusal;

    async fn from_request(request: Request, control: &Control) -> Result<Self, Refusal> {
        let (parts, body) = request.with_limited_body().into_parts();
        let again = |body: Bytes| Request::from_parts(parts.clone(), Body::from(body));
        let body = Bytes::from_request(Request::from_parts(parts.clone(), body), control).await;
        let body = body.map_err(|rejection| control.refuse(&reasons::malformed_change(rejection.body_text())))?;
        crm_transcode::refuse_repeated_keys(&body).map_err(|error| control.refuse_request(&error))?;
        match Json::from_request(again(body), control).await {
            Ok(Json(change)) => Ok(Self(change)),
            Err(rejection) => Err(control.refuse(&reasons::malformed_change(rejection.body_text()))),
        }
    }
}
