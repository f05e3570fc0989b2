//! What every step of a call needs to know of it.

use tokio::time::Instant;
use tonic::Request;
use uuid::Uuid;

use crate::Error;

/// For whom a call is made, and until when.
#[derive(Debug, Clone, Copy)]
pub struct Call {
    /// From the caller's token, and from nowhere else.
    pub tenant: Uuid,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
}

impl Call {
    /// The call that a request is.
    ///
    /// # Errors
    /// Nobody verified who makes it.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Error> {
        let tenant = crm_server::caller::caller(request)?.tenant;
        Ok(Self { tenant, deadline: crm_server::caller::deadline(request) })
    }
}
