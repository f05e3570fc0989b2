//! On whose behalf another service is asked, and how long that may take.

use std::time::Duration;

use crm_server::caller::{caller, deadline};
use crm_server::token::ServiceSigner;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName, HeaderValue};
use tokio::time::Instant;
use tonic::Request;
use uuid::Uuid;

use crate::Error;

/// The longest that a caller waits for anything: a stream's time.
pub(super) const LONGEST: Duration = Duration::from_secs(30 * 60);
/// For a caller who waits for ever.
const DEFAULT: Duration = Duration::from_secs(10);
/// The part of its own time that a service gives to those whom it asks.
///
/// Whoever called it gives up a try at half of the time and makes another one elsewhere. What hangs behind both must have
/// been given up here by then, and be told as what it is: else each layer's tries would multiply those of the other, and
/// the service would be blamed for what it waited for.
const SHARE: f64 = 0.45;
const PRIORITY: HeaderName = HeaderName::from_static("x-crm-priority");

/// What goes on to those who are asked: the token, the priority, and what is left of the time. The trace goes on by itself.
#[derive(Clone)]
pub struct Asking {
    pub(super) tenant: Uuid,
    authorization: HeaderValue,
    priority: Option<HeaderValue>,
    until: Instant,
}

impl Asking {
    /// On behalf of the caller of this request. To be made at the beginning of its handler.
    ///
    /// # Errors
    /// Nobody verified who calls.
    pub fn of<T>(request: &Request<T>) -> Result<Self, Error> {
        let tenant = caller(request)?.tenant;
        let headers: &HeaderMap = request.metadata().as_ref();
        let unknown = || Error::Inconsistent("a caller without a token was let in");
        let mut authorization = headers.get(AUTHORIZATION).cloned().ok_or_else(unknown)?;
        authorization.set_sensitive(true);
        let now = Instant::now();
        let left = deadline(request).map_or(DEFAULT, |deadline| deadline.saturating_duration_since(now));
        let until = now + left.min(LONGEST).mul_f64(SHARE);
        Ok(Self { tenant, authorization, priority: headers.get(PRIORITY).cloned(), until })
    }

    /// On behalf of a tenant, by the service itself: work that no caller waits for. It lets callers go first.
    ///
    /// # Errors
    /// No tenant is named, or no token can be made.
    pub fn without_caller(signer: &ServiceSigner, tenant: Uuid, time: Duration) -> Result<Self, Error> {
        let authorization = signer.authorization(tenant).map_err(|error| {
            tracing::error!(%error, "no token for work without a caller");
            Error::Inconsistent("no token for work without a caller")
        })?;
        let priority = Some(HeaderValue::from_static("bulk"));
        Ok(Self { tenant, authorization, priority, until: Instant::now() + time.min(LONGEST) })
    }

    /// What is left for those who are asked.
    pub(crate) fn left(&self) -> Duration {
        self.until.saturating_duration_since(Instant::now())
    }

    /// Says on whose behalf.
    pub(super) fn write(&self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.authorization.clone());
        headers.extend(self.priority.clone().map(|priority| (PRIORITY, priority)));
    }
}

impl std::fmt::Debug for Asking {
    /// Without the token.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asking").field("tenant", &self.tenant).field("left", &self.left()).finish_non_exhaustive()
    }
}
