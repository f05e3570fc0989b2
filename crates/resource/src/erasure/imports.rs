//! Imports: files that people have sent, until they are read into records, and what was wrong with their rows.

use uuid::Uuid;

use super::{Looked, Named};
use crate::{Error, Store, Write};

impl Store {
    /// Forgets the next import after `after` as a whole, if its file is still there and names the person: who works on it finds
    /// none any more. Of one that was read, what is said of the person's row.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_import(&self, write: &mut Write, named: &Named, after: Uuid) -> Result<Looked<Uuid>, Error> {
        let tenant = write.call.tenant;
        let next = sqlx::query(self.erasure.next_import.clone()).bind(tenant).bind(after);
        let next: Option<(Uuid,)> = write.fetch_optional("find_next_import", next).await?;
        let Some((import,)) = next else { return Ok(Looked { next: None, erased: 0 }) };
        let query = sqlx::query(self.erasure.named_import.clone()).bind(tenant).bind(import).bind(named.texts());
        let (is_named,): (bool,) = write.fetch_one("find_named_import", query).await?;
        let query = sqlx::query(self.erasure.import_errors.clone()).bind(tenant).bind(import).bind(named.texts());
        let errors = write.execute("erase_import_errors", query).await?;
        if is_named {
            let query = sqlx::query(self.erasure.forget_import.clone()).bind(tenant).bind(import);
            write.execute("erase_import", query).await?;
        }
        Ok(Looked { next: Some(import), erased: i64::from(is_named || errors > 0) })
    }
}
