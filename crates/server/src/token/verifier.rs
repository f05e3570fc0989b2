use std::sync::{Arc, LazyLock};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use crm_telemetry::metrics::{self, label};
use crm_telemetry::names;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, TokenData, Validation, decode};
use moka::sync::Cache;
use opentelemetry::metrics::Counter;
use ring::digest;
use serde::Deserialize;

use super::{AUDIENCE, Claims, ISSUER, KeyError, Role, Signer, TokenError, crypto, key, tenant_id};

/// How many verified tokens are remembered: one user's token takes about 300 bytes.
const REMEMBERED: u64 = 10_000;
/// Longest token that is looked at; ours have about 350 bytes.
const LONGEST: usize = 4096;

static TOKENS: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::SERVER_TOKENS));

/// Verifies tokens, and remembers those that it has verified until they expire.
///
/// What is remembered is the token's SHA-256, not the token: a memory dump holds no credentials.
/// Cheap to clone; the clones share what they remember.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Arc<[DecodingKey]>,
    validation: Arc<Validation>,
    remembered: Cache<[u8; 32], Arc<Claims>>,
}

#[derive(Deserialize)]
struct Header {
    alg: String,
}

#[derive(Deserialize)]
struct Body {
    sub: String,
    tenant: String,
    role: Role,
    exp: u64,
}

impl Verifier {
    /// From one or more public keys in PEM, one after the other: while keys are rotated both are accepted.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        crypto::install();
        let keys: Result<Vec<DecodingKey>, KeyError> = key::blocks(pem)
            .map(|block| DecodingKey::from_ed_pem(block.trim().as_bytes()).map_err(|_| KeyError::Malformed))
            .collect();
        let keys = keys?;
        if keys.is_empty() {
            return Err(KeyError::Empty);
        }
        let remembered = Cache::builder().max_capacity(REMEMBERED).build();
        Ok(Self { keys: keys.into(), validation: Arc::new(validation()), remembered })
    }

    /// Whether what this one signs would be accepted.
    pub fn knows(&self, signer: &Signer) -> bool {
        self.keys.iter().any(|key| key.try_get_as_bytes().is_ok_and(|public| public == signer.public()))
    }

    /// The claims of a bearer token: the value of `authorization` without `Bearer `.
    pub fn verify(&self, bearer: &str) -> Result<Arc<Claims>, TokenError> {
        let result = self.recall(bearer, SystemTime::now());
        let outcome = match &result {
            Ok((_, outcome)) => outcome,
            Err(_) => "refused",
        };
        TOKENS.add(1, &[label(names::label::OUTCOME, outcome)]);
        result.map(|(claims, _)| claims)
    }

    fn recall(&self, bearer: &str, now: SystemTime) -> Result<(Arc<Claims>, &'static str), TokenError> {
        let hash = hash(bearer);
        if let Some(claims) = self.remembered.get(&hash) {
            if claims.expires_at > now {
                return Ok((claims, "remembered"));
            }
            self.remembered.invalidate(&hash);
            return Err(TokenError::Expired);
        }
        let claims = Arc::new(self.check(bearer)?);
        if claims.expires_at <= now {
            return Err(TokenError::Expired);
        }
        self.remembered.insert(hash, Arc::clone(&claims));
        Ok((claims, "verified"))
    }

    fn check(&self, bearer: &str) -> Result<Claims, TokenError> {
        if bearer.len() > LONGEST {
            return Err(TokenError::Malformed);
        }
        // Looked at before anything else, so that `none` is told apart from garbage.
        if algorithm(bearer).ok_or(TokenError::Malformed)? != "EdDSA" {
            return Err(TokenError::Algorithm);
        }
        let mut result = Err(TokenError::Signature);
        for key in self.keys.iter() {
            result = decode::<Body>(bearer, key, &self.validation).map_err(|error| reason(error.kind()));
            if result.as_ref().err() != Some(&TokenError::Signature) {
                break;
            }
        }
        claims(result?)
    }
}

fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.set_issuer(&[ISSUER]);
    validation.set_audience(&[AUDIENCE]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    // All processes run on synchronised clocks, and an expired token is an expired token.
    validation.leeway = 0;
    validation
}

fn algorithm(bearer: &str) -> Option<String> {
    let header = bearer.split('.').next()?;
    let header: Header = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
    Some(header.alg)
}

fn reason(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        ErrorKind::InvalidIssuer => TokenError::Issuer,
        ErrorKind::InvalidAudience => TokenError::Audience,
        ErrorKind::ExpiredSignature => TokenError::Expired,
        ErrorKind::MissingRequiredClaim(claim) if claim == "aud" => TokenError::Audience,
        ErrorKind::MissingRequiredClaim(claim) if claim == "iss" => TokenError::Issuer,
        _ => TokenError::Malformed,
    }
}

fn claims(token: TokenData<Body>) -> Result<Claims, TokenError> {
    let Body { sub, tenant, role, exp } = token.claims;
    if tenant.is_empty() || sub.is_empty() {
        return Err(TokenError::Malformed);
    }
    let expires_at = UNIX_EPOCH.checked_add(Duration::from_secs(exp)).ok_or(TokenError::Malformed)?;
    Ok(Claims { subject: sub, tenant: tenant_id(&tenant), tenant_name: tenant, role, expires_at })
}

fn hash(bearer: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bearer.as_bytes()).as_ref());
    hash
}
