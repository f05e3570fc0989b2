//! What every step of a call needs to know of it.

use std::sync::Arc;
use std::time::Duration;

use crm_server::token::{Claims, ServiceSigner};
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

    /// Work of the service itself that no caller waits for, and that takes so long at most. Only who has the key by which
    /// services are known can make one.
    ///
    /// # Errors
    /// No tenant is named.
    pub fn without_caller(signer: &ServiceSigner, tenant: Uuid, time: Duration) -> Result<Self, Error> {
        let claims =
            signer.claims(tenant, time).map_err(|_| Error::Inconsistent("work without a caller names no tenant"))?;
        Ok(Self { tenant, caller: Arc::new(claims), deadline: Some(Instant::now() + time) })
    }
}
