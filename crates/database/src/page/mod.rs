//! Keyset pages (AIP-158): a clamped size and an opaque token.

mod size;
mod token;

pub use size::{DEFAULT_SIZE, MAX_SIZE, page_size};
pub use token::{Scope, decode, decode_within, encode};

/// A page that cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageError {
    /// The size is negative.
    #[error("must not be negative, but is {0}")]
    NegativeSize(i32),
    /// The token is not one that was handed out.
    #[error("is damaged: pass on what the answer before gave, unchanged")]
    DamagedToken,
    /// The token was handed out for another list.
    #[error("was given for another filter, order or tenant: start again from the first page")]
    ForeignToken,
}

impl PageError {
    /// Field of the request that is at fault.
    pub fn field(&self) -> &'static str {
        match self {
            Self::NegativeSize(_) => "page_size",
            Self::DamagedToken | Self::ForeignToken => "page_token",
        }
    }

    /// The reason from [`REASONS`](crate::REASONS).
    pub fn reason(&self) -> &'static str {
        match self {
            Self::NegativeSize(_) => "PAGE_SIZE_INVALID",
            Self::DamagedToken | Self::ForeignToken => "PAGE_TOKEN_INVALID",
        }
    }
}
