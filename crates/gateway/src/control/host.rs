//! Which names the control API answers to: those that [`crm_server::host`] calls private, as it asks for no token.

use axum::{
    extract::{Request, State},
    middleware::Next,
    response::{IntoResponse, Response},
};
use crm_server::host::is_for_private;

use super::state::Control;
use crate::reasons;

/// Refuses requests to names that somebody outside can own.
pub(crate) async fn guard(State(control): State<Control>, request: Request, next: Next) -> Response {
    if is_for_private(request.uri(), request.headers()) {
        return next.run(request).await;
    }
    control.refuse(&reasons::foreign_host()).into_response()
}
