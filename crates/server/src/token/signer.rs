use std::time::{Duration, SystemTime, UNIX_EPOCH};

use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde::Serialize;

use super::claims::Origin;
use super::{AUDIENCE, ISSUER, KeyError, Role, compact, crypto, key, tenant_id};

/// Makes users' tokens. Only the command line does: no serving process holds the private key.
#[derive(Debug)]
pub struct Signer {
    key: EncodingKey,
    public: Vec<u8>,
}

/// What a token shall say.
#[derive(Clone, Debug)]
pub struct TokenRequest {
    /// The user.
    pub subject: String,
    /// The tenant, a UUID or a slug.
    pub tenant: String,
    /// What the user may do.
    pub role: Role,
    /// How long from now the token is valid.
    pub ttl: Duration,
}

#[derive(Serialize)]
struct Body<'a> {
    iss: &'a str,
    aud: &'a str,
    sub: &'a str,
    tenant: &'a str,
    role: Role,
    iat: u64,
    exp: u64,
}

impl Signer {
    /// A new key pair: the private key as PKCS#8 PEM, the public one as SubjectPublicKeyInfo PEM.
    pub fn generate_pem() -> Result<(String, String), KeyError> {
        key::generate()
    }

    /// From a private key in PEM.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        crypto::install();
        // Of several the first would be taken, whichever that is.
        if pem.matches("-----BEGIN ").count() > 1 {
            return Err(KeyError::Malformed);
        }
        let key = EncodingKey::from_ed_pem(pem.as_bytes()).map_err(|_| KeyError::Malformed)?;
        let public = key::public_of(key.as_bytes())?;
        Ok(Self { key, public })
    }

    /// The public half of the key, as SubjectPublicKeyInfo PEM.
    pub fn public_pem(&self) -> String {
        key::public_pem(&self.public)
    }

    pub(super) fn public(&self) -> &[u8] {
        &self.public
    }

    /// A signed token of a user.
    ///
    /// # Errors
    /// Nobody would accept the token: the role or the subject is a service's, no subject or no tenant is named, or it would
    /// never expire, or at once, or be too long.
    pub fn sign(&self, request: &TokenRequest) -> Result<String, KeyError> {
        if !Origin::Users.may_say(request.role, &request.subject) {
            return Err(KeyError::Role);
        }
        if request.subject.is_empty() {
            return Err(KeyError::Subject);
        }
        if request.tenant.is_empty() || tenant_id(&request.tenant).is_nil() {
            return Err(KeyError::Tenant);
        }
        let token = self.sign_as_asked(request)?;
        if token.len() > compact::LONGEST { Err(KeyError::Length) } else { Ok(token) }
    }

    /// A signed token, whoever's key this is.
    pub(super) fn sign_as_asked(&self, request: &TokenRequest) -> Result<String, KeyError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| KeyError::Lifetime)?.as_secs();
        let body = Body {
            iss: ISSUER,
            aud: AUDIENCE,
            sub: &request.subject,
            tenant: &request.tenant,
            role: request.role,
            iat: now,
            exp: ends(now, request.ttl)?,
        };
        encode(&Header::new(Algorithm::EdDSA), &body, &self.key).map_err(|_| KeyError::Signing)
    }
}

/// In whole seconds, of which there must be one, and no later than a clock can show.
fn ends(now: u64, ttl: Duration) -> Result<u64, KeyError> {
    let end = now.checked_add(ttl.as_secs()).filter(|end| *end > now).ok_or(KeyError::Lifetime)?;
    let is_a_time = UNIX_EPOCH.checked_add(Duration::from_secs(end)).is_some();
    if is_a_time { Ok(end) } else { Err(KeyError::Lifetime) }
}
