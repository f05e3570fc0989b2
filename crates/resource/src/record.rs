//! A record: what the service knows of every one, and the fields that are its own.

use crm_values::Etag;
use sqlx::FromRow;
use sqlx::postgres::PgRow;
use time::OffsetDateTime;
use uuid::Uuid;

/// What the service knows of every record.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct Head {
    /// UUIDv7.
    pub id: Uuid,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was created.
    pub create_time: OffsetDateTime,
    /// When it was last changed.
    pub update_time: OffsetDateTime,
    /// When it was deleted, if it is.
    pub delete_time: Option<OffsetDateTime>,
}

impl Head {
    /// The tag of its present state.
    pub fn etag(&self) -> Etag {
        Etag::of(self.version)
    }

    /// Whether it is marked as deleted.
    pub fn is_deleted(&self) -> bool {
        self.delete_time.is_some()
    }

    /// The version as caches count it. Versions are positive by a constraint.
    pub(crate) fn cache_version(&self) -> u64 {
        u64::try_from(self.version).unwrap_or_default()
    }
}

/// A record as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<F> {
    /// What every record has.
    pub head: Head,
    /// What callers may set.
    pub fields: F,
}

impl<'r, F: FromRow<'r, PgRow>> FromRow<'r, PgRow> for Record<F> {
    fn from_row(row: &'r PgRow) -> Result<Self, sqlx::Error> {
        Ok(Self { head: Head::from_row(row)?, fields: F::from_row(row)? })
    }
}
