//! Who calls, and until when, for handlers.

use std::sync::Arc;

use tokio::time::Instant;
use tonic::{Code, Request, Status};

use crate::problem::Problem;
use crate::reasons::CALLER_UNKNOWN;
use crate::token::Claims;

/// When the caller stops waiting. The deadline layer puts it into every request's extensions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(pub Instant);

/// The verified claims of the caller; UNAUTHENTICATED if the method was reached without a token.
pub fn caller<T>(request: &Request<T>) -> Result<Arc<Claims>, Status> {
    let claims = request.extensions().get::<Arc<Claims>>().cloned();
    claims.ok_or_else(|| Problem::new(Code::Unauthenticated, CALLER_UNKNOWN, "this method needs a caller").into())
}

/// When the caller stops waiting, if that is known.
pub fn deadline<T>(request: &Request<T>) -> Option<Instant> {
    request.extensions().get::<Deadline>().map(|deadline| deadline.0)
}
