//! What every step of a call needs to know of it.

use std::sync::Arc;

use crm_server::token::Claims;
use tokio::time::Instant;
use tonic::Request;
use uuid::Uuid;

use crate::Error;

/// For whom a call is made, by whom, and until when.
#[derive(Debug, Clone)]
pub struct Call {
    /// From the caller's token, and from nowhere else.
    pub tenant: Uuid,
    /// Who makes it: the journal names them.
    pub caller: Arc<Claims>,
    /// When the caller stops waiting.
    pub deadline: Option<Instant>,
}

impl Call {
    /// The call that a request is.
    ///
    /// # Errors
    /// Nobody verified who makes it.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Error> {
        let caller = crm_server::caller::caller(request)?;
        Ok(Self { tenant: caller.tenant, caller, deadline: crm_server::caller::deadline(request) })
    }
}
