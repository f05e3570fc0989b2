use std::sync::{Arc, LazyLock};
use std::time::SystemTime;

use crm_telemetry::metrics::{self, label};
use crm_telemetry::names;
use jsonwebtoken::errors::ErrorKind;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode};
use moka::sync::Cache;
use opentelemetry::metrics::Counter;
use ring::digest;

use super::body::Body;
use super::claims::Origin;
use super::{Claims, KeyError, Signer, TokenError, compact, crypto, key};

/// How many verified tokens are remembered: one user's token takes about 300 bytes.
const REMEMBERED: u64 = 10_000;

static TOKENS: LazyLock<Counter<u64>> = LazyLock::new(|| metrics::counter(&names::SERVER_TOKENS));

/// Verifies tokens, and remembers those that it has verified until they expire.
///
/// The key that a token is signed with tells what it may say, not the token: by the keys of users nobody is a service.
///
/// What is remembered is the token's SHA-256, not the token: a memory dump holds no credentials.
/// Cheap to clone; the clones share what they remember.
#[derive(Clone, Debug)]
pub struct Verifier {
    keys: Arc<[(Origin, DecodingKey)]>,
    validation: Arc<Validation>,
    remembered: Cache<[u8; 32], Arc<Claims>>,
}

impl Verifier {
    /// From one or more public keys of users' tokens in PEM, one after the other: while keys are rotated both are accepted.
    pub fn from_pem(pem: &str) -> Result<Self, KeyError> {
        crypto::install();
        let keys = read(pem)?.into_iter().map(|key| (Origin::Users, key)).collect();
        let remembered = Cache::builder().max_capacity(REMEMBERED).build();
        Ok(Self { keys, validation: Arc::new(validation()), remembered })
    }

    /// The same, and services' tokens by these keys. Nothing is remembered yet.
    ///
    /// # Errors
    /// No key is there, or one of them is a key of users.
    pub fn and_services(self, pem: &str) -> Result<Self, KeyError> {
        let services = read(pem)?;
        if services.iter().any(|key| self.has(key.try_get_as_bytes().unwrap_or_default())) {
            return Err(KeyError::Shared);
        }
        let services = services.into_iter().map(|key| (Origin::Services, key));
        let keys = self.keys.iter().cloned().chain(services).collect();
        let remembered = Cache::builder().max_capacity(REMEMBERED).build();
        Ok(Self { keys, remembered, ..self })
    }

    /// Whether what this one signs would be accepted.
    pub fn knows(&self, signer: &Signer) -> bool {
        self.has(signer.public())
    }

    fn has(&self, public: &[u8]) -> bool {
        self.keys.iter().any(|(_, key)| key.try_get_as_bytes().is_ok_and(|known| known == public))
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
        let (origin, body) = self.check(bearer)?;
        let claims = Arc::new(body.into_claims(origin, now)?);
        self.remembered.insert(hash, Arc::clone(&claims));
        Ok((claims, "verified"))
    }

    /// What the token says, and whose key signed it.
    fn check(&self, bearer: &str) -> Result<(Origin, Body), TokenError> {
        compact::check(bearer)?;
        for (origin, key) in self.keys.iter() {
            match decode::<Body>(bearer, key, &self.validation).map_err(|error| reason(error.kind())) {
                Err(TokenError::Signature) => {}
                result => return result.map(|token| (*origin, token.claims)),
            }
        }
        Err(TokenError::Signature)
    }
}

/// The public keys of a file, of which there is one at least.
/// Whatever else is in the file is a mistake: a private key lies where everybody believes whom it signs for, and a key of
/// another kind verifies nothing.
fn read(pem: &str) -> Result<Vec<DecodingKey>, KeyError> {
    key::check_public(pem)?;
    let read = |block: &str| DecodingKey::from_ed_pem(block.trim().as_bytes()).map_err(|_| KeyError::Malformed);
    let keys: Vec<DecodingKey> = key::blocks(pem).map(read).collect::<Result<_, _>>()?;
    if keys.is_empty() { Err(KeyError::Empty) } else { Ok(keys) }
}

/// The library judges the signature and nothing else.
fn validation() -> Validation {
    let mut validation = Validation::new(Algorithm::EdDSA);
    validation.required_spec_claims.clear();
    (validation.validate_exp, validation.validate_nbf, validation.validate_aud) = (false, false, false);
    validation
}

fn reason(kind: &ErrorKind) -> TokenError {
    match kind {
        ErrorKind::InvalidSignature => TokenError::Signature,
        ErrorKind::InvalidAlgorithm => TokenError::Algorithm,
        _ => TokenError::Malformed,
    }
}

fn hash(bearer: &str) -> [u8; 32] {
    let mut hash = [0; 32];
    hash.copy_from_slice(digest::digest(&digest::SHA256, bearer.as_bytes()).as_ref());
    hash
}
