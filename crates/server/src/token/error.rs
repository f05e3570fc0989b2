use thiserror::Error;
use tonic::{Code, Status};

use crate::problem::Problem;

/// Why a token is not accepted. The token itself stays out of every message.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum TokenError {
    /// No bearer token came with the call.
    #[error("a bearer token is required")]
    Missing,
    /// Not a JSON web token, or a claim is absent though required, or of the wrong type.
    #[error("the token cannot be read")]
    Malformed,
    /// Another algorithm than EdDSA, `none` among them.
    #[error("the token must be signed with EdDSA")]
    Algorithm,
    /// None of the known keys signed this.
    #[error("the token's signature is not by a known key")]
    Signature,
    /// `iss` is not `bellwether`.
    #[error("the token is by another issuer")]
    Issuer,
    /// `aud` does not name `crm`.
    #[error("the token is for another audience")]
    Audience,
    /// `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// `nbf` is still to come.
    #[error("the token is not valid yet")]
    NotYetValid,
    /// `crit` names an extension, of which none is known here.
    #[error("the token has a critical header parameter that is not understood")]
    Critical,
    /// No tenant is named, and nobody works for all of them.
    #[error("the token names no tenant")]
    Tenant,
    /// Services' tokens are made where they are used, and last for minutes.
    #[error("a service's token must say when it was made, and end within 15 minutes of that")]
    Lifetime,
    /// Users' keys make users, and the services' key makes services, each under a name of its kind.
    #[error("the token's role or subject is not for the key that signed it to give")]
    Role,
}

impl TokenError {
    /// The stable reason, as `docs/errors.md` lists it.
    pub fn reason(self) -> &'static str {
        match self {
            Self::Missing => "TOKEN_MISSING",
            Self::Malformed => "TOKEN_MALFORMED",
            Self::Algorithm => "TOKEN_ALGORITHM",
            Self::Signature => "TOKEN_SIGNATURE",
            Self::Issuer => "TOKEN_ISSUER",
            Self::Audience => "TOKEN_AUDIENCE",
            Self::Expired => "TOKEN_EXPIRED",
            Self::NotYetValid => "TOKEN_NOT_YET_VALID",
            Self::Critical => "TOKEN_CRITICAL",
            Self::Tenant => "TOKEN_TENANT",
            Self::Lifetime => "TOKEN_LIFETIME",
            Self::Role => "TOKEN_ROLE",
        }
    }
}

impl From<TokenError> for Problem {
    fn from(error: TokenError) -> Self {
        Self::new(Code::Unauthenticated, error.reason(), error.to_string())
    }
}

impl From<TokenError> for Status {
    fn from(error: TokenError) -> Self {
        Problem::from(error).into()
    }
}

/// Why a key, or what it should sign, cannot be used. The key itself stays out of every message.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
pub enum KeyError {
    /// Not an Ed25519 key in PEM (PKCS#8, or SubjectPublicKeyInfo for public ones).
    #[error("not an Ed25519 key in PEM")]
    Malformed,
    /// Where public keys are to be, lies one that signs.
    #[error("it holds a private key, which belongs to whoever signs and to nobody else")]
    Private,
    /// A file without any key.
    #[error("no key found")]
    Empty,
    /// The system gave no random numbers.
    #[error("no random numbers")]
    Random,
    /// The lifetime is shorter than a second, or ends beyond the calendar.
    #[error("the token would expire at once, or never")]
    Lifetime,
    /// Whose token it is, is not said.
    #[error("no user is named")]
    Subject,
    /// Nobody reads a token of this length.
    #[error("the names are too long for a token")]
    Length,
    /// One key would make users and services.
    #[error("a key that signs users' tokens must not sign services', too")]
    Shared,
    /// What this key may not say.
    #[error("the role and the subject of services come from a key of their own")]
    Role,
    /// A service's name that is none.
    #[error("a service's name is one word in lower case")]
    Name,
    /// Work is for a tenant.
    #[error("no tenant is named")]
    Tenant,
    /// The token could not be signed.
    #[error("the token cannot be signed")]
    Signing,
}
