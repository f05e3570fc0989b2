//! The claims of a token whose signature holds (RFC 7519, 4).

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::Deserialize;

use super::claims::Origin;
use super::compact::there;
use super::{AUDIENCE, Claims, ISSUER, Role, TokenError, tenant_id};

/// What is looked at; what else a token claims is passed over. A name that stands twice is refused.
#[derive(Deserialize)]
pub(super) struct Body {
    #[serde(default, deserialize_with = "there")]
    iss: Option<String>,
    #[serde(default, deserialize_with = "there")]
    aud: Option<Audience>,
    sub: String,
    #[serde(default, deserialize_with = "there")]
    tenant: Option<String>,
    /// As a text: an enum would be read from an object as well.
    role: String,
    exp: NumericDate,
    #[serde(default, deserialize_with = "there")]
    nbf: Option<NumericDate>,
    /// When it was made is nothing to judge a user's token by, but it has to be a time.
    #[serde(default, deserialize_with = "there")]
    iat: Option<NumericDate>,
}

#[derive(Deserialize)]
#[serde(untagged)]
enum Audience {
    One(String),
    Several(Vec<String>),
}

/// Seconds since 1970, not always whole ones, and perhaps before it.
#[derive(Clone, Copy, Deserialize)]
struct NumericDate(f64);

impl Body {
    /// The claims, if they are those of a token for us that is valid `now`, and a key of this origin may make them.
    ///
    /// To the second and beyond: all processes run on synchronised clocks, and an expired token is an expired token.
    pub(super) fn into_claims(self, origin: Origin, now: SystemTime) -> Result<Claims, TokenError> {
        if self.iss.as_deref() != Some(ISSUER) {
            return Err(TokenError::Issuer);
        }
        if !self.aud.is_some_and(|audience| audience.names(AUDIENCE)) {
            return Err(TokenError::Audience);
        }
        let expires_at = self.exp.to_time()?;
        if expires_at <= now {
            return Err(TokenError::Expired);
        }
        if self.nbf.map(NumericDate::to_time).transpose()?.is_some_and(|begins| begins > now) {
            return Err(TokenError::NotYetValid);
        }
        let is_short = origin == Origin::Users || is_short(self.iat, expires_at, now);
        let Self { sub, tenant, role, .. } = self;
        if sub.is_empty() {
            return Err(TokenError::Malformed);
        }
        let role: Role = role.parse().map_err(|_| TokenError::Malformed)?;
        if !origin.may_say(role, &sub) {
            return Err(TokenError::Role);
        }
        let tenant_name = tenant.filter(|name| !name.is_empty()).ok_or(TokenError::Tenant)?;
        // By the id of none, tables are swept for all: never for whoever asks for it.
        let tenant = Some(tenant_id(&tenant_name)).filter(|id| !id.is_nil()).ok_or(TokenError::Tenant)?;
        if !is_short {
            return Err(TokenError::Lifetime);
        }
        Ok(Claims { subject: sub, tenant, tenant_name, role, expires_at })
    }
}

/// Whether a token was made for minutes, and by now: what says that it is of tomorrow could last as long as it likes.
fn is_short(made: Option<NumericDate>, expires_at: SystemTime, now: SystemTime) -> bool {
    let made = made.and_then(|made| made.to_time().ok());
    let longest = made.and_then(|made| made.min(now).checked_add(LONGEST_OF_SERVICES));
    longest.is_some_and(|longest| expires_at <= longest)
}

/// The longest that a service's token may last: one that was written down somewhere is soon worthless.
const LONGEST_OF_SERVICES: Duration = Duration::from_secs(15 * 60);

impl Audience {
    fn names(&self, wanted: &str) -> bool {
        match self {
            Self::One(name) => name == wanted,
            Self::Several(names) => names.iter().any(|name| name == wanted),
        }
    }
}

impl NumericDate {
    /// Beyond what a clock can show there is no time; before 1970 is long ago, whenever that was.
    fn to_time(self) -> Result<SystemTime, TokenError> {
        let since = Duration::try_from_secs_f64(self.0.max(0.0)).map_err(|_| TokenError::Malformed)?;
        UNIX_EPOCH.checked_add(since).ok_or(TokenError::Malformed)
    }
}
