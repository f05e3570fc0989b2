//! Tokens for work that no caller waits for.

use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use http::HeaderValue;
use moka::sync::Cache;
use uuid::Uuid;

use super::claims::service_subject;
use super::{Claims, KeyError, Role, Signer, TokenRequest};

/// How long a token is good for. A leaked one is soon worthless.
const TTL: Duration = Duration::from_secs(120);
/// For so long calls have the same one, so that whoever is called remembers it; the other minute is for a call's retries.
const REUSED: Duration = Duration::from_secs(60);
/// How many tenants' tokens are kept.
const KEPT: u64 = 10_000;

/// Makes the tokens by which one service calls others when no caller waits for it. Each is for one tenant.
///
/// Cheap to clone; the clones share what they keep.
#[derive(Clone)]
pub struct ServiceSigner {
    signer: Arc<Signer>,
    subject: String,
    made: Cache<Uuid, HeaderValue>,
}

impl ServiceSigner {
    /// For the service of this name, from the services' private key in PEM.
    ///
    /// # Errors
    /// It is no key, or the name is none.
    pub fn from_pem(pem: &str, name: &str) -> Result<Self, KeyError> {
        let subject = service_subject(name).ok_or(KeyError::Name)?;
        let made = Cache::builder().max_capacity(KEPT).time_to_live(REUSED).build();
        Ok(Self { signer: Signer::from_pem(pem)?.into(), subject, made })
    }

    /// The service, as its tokens name it: `service:sales`.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// What a token of this tenant says, for work within the service itself.
    ///
    /// # Errors
    /// No tenant is named.
    pub fn claims(&self, tenant: Uuid, time: Duration) -> Result<Claims, KeyError> {
        if tenant.is_nil() {
            return Err(KeyError::Tenant);
        }
        let (subject, tenant_name, expires_at) = (self.subject.clone(), tenant.to_string(), SystemTime::now() + time);
        Ok(Claims { subject, tenant, tenant_name, role: Role::Service, expires_at })
    }

    /// The value of `authorization` for calls on behalf of this tenant.
    ///
    /// # Errors
    /// No tenant is named, or the token cannot be signed.
    pub fn authorization(&self, tenant: Uuid) -> Result<HeaderValue, KeyError> {
        if tenant.is_nil() {
            return Err(KeyError::Tenant);
        }
        self.made.get(&tenant).map_or_else(|| self.make(tenant), Ok)
    }

    fn make(&self, tenant: Uuid) -> Result<HeaderValue, KeyError> {
        let subject = self.subject.clone();
        let request = TokenRequest { subject, tenant: tenant.to_string(), role: Role::Service, ttl: TTL };
        let token = self.signer.sign_as_asked(&request)?;
        let mut value = HeaderValue::try_from(format!("Bearer {token}")).map_err(|_| KeyError::Signing)?;
        value.set_sensitive(true);
        self.made.insert(tenant, value.clone());
        Ok(value)
    }
}

impl fmt::Debug for ServiceSigner {
    /// Without what it has made.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServiceSigner").field("subject", &self.subject).finish_non_exhaustive()
    }
}
