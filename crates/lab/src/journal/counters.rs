//! How many rows of the journal were read, as the server counts them.

use std::time::Duration;

use sqlx::PgConnection;
use tokio::time::sleep;

use super::error::LabError;

/// Entries that scans of its indexes gave, and rows that scans of the table did. Those count that a filter threw away.
const READ: &str = "
    select (select coalesce(sum(idx_tup_read), 0) from pg_stat_user_indexes where relid = 'customers.journal'::regclass)
        + seq_tup_read
    from pg_stat_user_tables where relid = 'customers.journal'::regclass";

/// So far, once all that was read has been counted: sessions tell it when they end, and once in a while.
pub(super) async fn rows_read(owner: &mut PgConnection) -> Result<f64, LabError> {
    const STILL: u32 = 4;
    const LOOK_EVERY: Duration = Duration::from_millis(150);
    let (mut last, mut same) = (-1.0, 0);
    loop {
        let read: f64 =
            sqlx::query_scalar(sqlx::AssertSqlSafe(format!("select ({READ})::float8"))).fetch_one(&mut *owner).await?;
        same = if (read - last).abs() < 0.5 { same + 1 } else { 0 };
        if same >= STILL {
            return Ok(read);
        }
        last = read;
        sleep(LOOK_EVERY).await;
    }
}
