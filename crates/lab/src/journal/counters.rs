//! How many rows of the journal were read, as the server counts them.

use sqlx::PgConnection;

use crate::scratch::{LabError, settled};

/// Entries that scans of its indexes gave, and rows that scans of the table did. Those count that a filter threw away.
const READ: &str = "
    select (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes where relid = 'customers.journal'::regclass)::float8,
        (select seq_tup_read from pg_stat_user_tables where relid = 'customers.journal'::regclass)::float8";

/// So far.
pub(super) async fn rows_read(owner: &mut PgConnection) -> Result<f64, LabError> {
    let (by_indexes, by_scans) = settled(owner, READ).await?;
    Ok(by_indexes + by_scans)
}
