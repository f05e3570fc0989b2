//! Kept answers: what was answered to creations may be the record itself.

use crm_database::idempotency;
use uuid::Uuid;

use super::{Looked, Named};
use crate::{Error, Store, Write};

/// Rows of a page: some tens of milliseconds, for each is read whole.
const PAGE: i64 = 2_000;

impl Store {
    /// Empties those kept answers of a page that name the person, or that are records with one of these ids in them. Who repeats the request is told so.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_answers(
        &self,
        write: &mut Write,
        named: &Named,
        ids: &[Uuid],
        after: (String, Uuid),
    ) -> Result<Looked<(String, Uuid)>, Error> {
        let texts: Vec<String> = ids.iter().map(Uuid::to_string).collect();
        let query = sqlx::query(self.erasure.answers.clone()).bind(write.call.tenant).bind(after.0).bind(after.1);
        let query = query.bind(named.texts()).bind(PAGE).bind(idempotency::ERASED).bind(texts);
        let last: Option<(String, Uuid, i64, i64)> = write.fetch_optional("erase_answers", query).await?;
        let Some((scope, id, rows, erased)) = last else { return Ok(Looked { next: None, erased: 0 }) };
        Ok(Looked { next: (rows == PAGE).then_some((scope, id)), erased })
    }
}
