//! What the server has counted by itself, once all is counted: sessions tell it when they end, and once in a while.

use std::time::Duration;

use sqlx::{AssertSqlSafe, PgConnection};
use tokio::time::sleep;

use super::error::LabError;

/// Two figures of this statement, when they have stopped to change.
pub(crate) async fn settled(owner: &mut PgConnection, statement: &str) -> Result<(f64, f64), LabError> {
    const STILL: u32 = 4;
    const LOOK_EVERY: Duration = Duration::from_millis(150);
    // What this session has read itself, too.
    sqlx::query("select pg_stat_force_next_flush()").execute(&mut *owner).await?;
    let (mut last, mut same) = ((-1.0, -1.0), 0);
    while same < STILL {
        sleep(LOOK_EVERY).await;
        let now: (f64, f64) = sqlx::query_as(AssertSqlSafe(statement.to_owned())).fetch_one(&mut *owner).await?;
        same = if now == last { same + 1 } else { 0 };
        last = now;
    }
    Ok(last)
}
