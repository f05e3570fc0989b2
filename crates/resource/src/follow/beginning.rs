//! Where a follower begins with a tenant.

use std::fmt;

use futures_util::future::BoxFuture;

use crate::{Error, Write};

/// Why a follower begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It has never followed this tenant. Records may be older than their journal.
    New,
    /// Changes that it has not followed are no longer kept, or the source was set back to an earlier state.
    Expired,
}

/// What is made at once, in the transaction that keeps the cursor.
pub(super) type Made = Box<dyn for<'w> FnOnce(&'w mut Write) -> BoxFuture<'w, Result<(), Error>> + Send>;

/// From where on to follow, and what is to be made before that.
pub struct Beginning {
    pub(super) cursor: String,
    pub(super) made: Option<Made>,
}

impl Beginning {
    /// After this cursor, with nothing to be made before: as an export has it (`x-crm-cursor`), or
    /// [`Source::present`](super::Source::present); the empty one begins with the oldest change that is kept.
    #[must_use]
    pub fn at(cursor: impl Into<String>) -> Self {
        Self { cursor: cursor.into(), made: None }
    }

    /// The same, with what was read made before. In one transaction, so whatever is read has to fit into memory.
    #[must_use]
    pub fn with<F>(self, made: F) -> Self
    where
        F: for<'w> FnOnce(&'w mut Write) -> BoxFuture<'w, Result<(), Error>> + Send + 'static,
    {
        Self { made: Some(Box::new(made)), ..self }
    }
}

impl fmt::Debug for Beginning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Beginning").field("makes", &self.made.is_some()).finish_non_exhaustive()
    }
}
