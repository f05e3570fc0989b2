//! Under which names a port of this machine is asked for.
//!
//! A page of somebody else could point its own name at this machine once it is loaded (DNS rebinding), and read the traces.
//! So a port that only this machine reaches answers to names alone that nobody outside can own ([`crm_server::host`]).

use axum::{
    extract::Request,
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use crm_server::host::is_for_private;

/// Refuses what asks for somebody else.
pub(crate) async fn guard(request: Request, next: Next) -> Response {
    if is_for_private(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    (StatusCode::FORBIDDEN, "this port answers to names of this machine only, such as localhost\n").into_response()
}
