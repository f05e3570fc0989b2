//! Forgetting imports whose time has come.

use uuid::Uuid;

use super::kept::Kept;
use super::reading::Run;
use crate::Store;
use crate::operations::Operation as _;

impl Store {
    /// Forgets imports that ended more than 30 days ago, and those that were not run within 7, of all tenants. Answers how many.
    ///
    /// # Errors
    /// The database's; what was forgotten until then stays so.
    pub async fn sweep_imports(&self) -> Result<u64, crm_database::Error> {
        /// Each may have a hundred parts of a MiB.
        const AT_ONCE: i32 = 10;
        if !self.operations.knows(Run::NAME) {
            return Ok(0);
        }
        let (kept, mut all) = (Kept::new(&self.schema), 0);
        loop {
            let mut transaction = self.database.begin(Uuid::nil(), None).await?;
            let query = sqlx::query(kept.sweep.clone()).bind(AT_ONCE);
            let (swept,): (i64,) = transaction.fetch_one("sweep_imports", query).await?;
            transaction.commit().await?;
            all += u64::try_from(swept).unwrap_or_default();
            if swept == 0 {
                return Ok(all);
            }
        }
    }
}
