//! Kept answers: what was answered to creations may be the record itself.

use crm_database::idempotency;
use uuid::Uuid;

use super::{Looked, Named};
use crate::{Error, Store, Write};

/// Rows of a page: some tens of milliseconds, for each is read whole.
const PAGE: i64 = 2_000;

/// A kept answer, if it may name the person.
type Kept = (String, Uuid, Option<Vec<u8>>);

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
        let query = sqlx::query(self.erasure.named_answers.clone()).bind(write.call.tenant).bind(after.0).bind(after.1);
        let query = query.bind(named.texts()).bind(PAGE).bind(texts.clone());
        let page: Vec<Kept> = write.fetch_all("find_named_answers", query).await?;
        let next = page.last().map(|(scope, id, _)| (scope.clone(), *id)).filter(|_| page.len() as i64 == PAGE);
        // Methods of resources have a dot in their scope; an answer of another one is an operation, which may say whom it was
        // about.
        let has_id = |scope: &str, answer: &[u8]| {
            let answer = String::from_utf8_lossy(answer).to_ascii_lowercase();
            scope.contains('.') && texts.iter().any(|id| answer.contains(id))
        };
        let is_named = |(scope, _, answer): &Kept| {
            answer.as_deref().is_some_and(|answer| named.is_in_message(answer) || has_id(scope, answer))
        };
        let (scopes, request_ids): (Vec<String>, Vec<Uuid>) =
            page.into_iter().filter(is_named).map(|(scope, id, _)| (scope, id)).unzip();
        let erased = i64::try_from(scopes.len()).unwrap_or_default();
        if erased > 0 {
            let query = sqlx::query(self.erasure.empty_answers.clone()).bind(write.call.tenant);
            let query = query.bind(idempotency::ERASED).bind(scopes).bind(request_ids);
            write.execute("empty_answers", query).await?;
        }
        Ok(Looked { next, erased })
    }
}
