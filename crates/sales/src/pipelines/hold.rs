//! Who enters a stage holds its pipeline, together with others; who changes the stages has it alone.
//!
//! It is a lock beside rows: that of a row would be written into the row by everybody who moves anything, and a pipeline has
//! one row. It comes after opportunities and before the pipeline's row and totals.

use crm_resource::{Error, Write};
use uuid::Uuid;

use super::Stages;

/// Behind `hold_pipeline`.
pub const HOLD: &str = "select stages from sales.hold_pipeline($1, $2) as stages";

/// Behind `lock_pipeline`.
pub const LOCK: &str = "select sales.lock_pipeline($1, $2)";

/// The stages of a pipeline that is there, which stay as they are until the transaction ends.
pub(crate) async fn hold_pipeline(write: &mut Write, id: Uuid) -> Result<Option<Stages>, Error> {
    let query = sqlx::query(HOLD).bind(write.call.tenant).bind(id);
    let found: Option<(String,)> = write.fetch_optional("hold_pipeline", query).await?;
    let stages = found.map(|(stages,)| Stages::try_from(stages)).transpose();
    stages.map_err(|_| Error::Inconsistent("stages are not in their form"))
}

/// Waits for all who hold the pipeline; nobody else comes before the transaction ends.
pub(super) async fn lock_pipeline(write: &mut Write, id: Uuid) -> Result<(), Error> {
    let query = sqlx::query(LOCK).bind(write.call.tenant).bind(id);
    write.execute("lock_pipeline", query).await?;
    Ok(())
}
