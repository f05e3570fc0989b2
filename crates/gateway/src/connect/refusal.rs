//! A call that ends without an answer, as Connect says it.

use crm_transcode::{Transcoder, http_status};
use http::Response;
use tonic::body::Body;

use super::metadata;
use crate::{
    answer,
    rest::{Refusal, with_hints},
};

pub(super) fn answer(transcoder: &Transcoder, refusal: Refusal) -> Response<Body> {
    let (http, status) = refusal.into_status();
    let code = status.code().into();
    let json = transcoder.connect_error(code, status.message(), status.details());
    let response = answer::json(http.unwrap_or_else(|| http_status(code)), json);
    let mut response = with_hints(response, &status);
    metadata::trail(response.headers_mut(), status.metadata().as_ref());
    // Whose doing it was is for the layers around.
    response.extensions_mut().insert(status);
    response
}
