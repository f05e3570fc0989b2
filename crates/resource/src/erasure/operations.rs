//! Operations: what was asked for may name the person, and so may what came of it.

use prost::Message;
use prost_types::Any;
use serde_json::Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Looked, Named};
use crate::refusal::OPERATION_ERASED;
use crate::{Error, Store, Write};

const PAGE: i64 = 500;

#[derive(FromRow)]
struct Row {
    id: Uuid,
    is_named: bool,
    request: Vec<u8>,
    response: Option<Vec<u8>>,
    error: Option<Vec<u8>>,
    position: Option<Value>,
}

impl Row {
    fn names(&self, named: &Named) -> bool {
        let messages = [Some(&self.request), self.response.as_ref(), self.error.as_ref()];
        self.is_named
            && (messages.into_iter().flatten().any(|message| named.is_in_message(message))
                || self.position.as_ref().is_some_and(|position| named.is_in_json(position)))
    }
}

impl Store {
    /// Empties the requests and results of those operations of a page that name the person; one that has not ended ends, and
    /// whoever works on it commits nothing more.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_operations(&self, write: &mut Write, named: &Named, after: Uuid) -> Result<Looked<Uuid>, Error> {
        let query = sqlx::query(self.erasure.named_operations.clone()).bind(write.call.tenant).bind(after);
        let rows: Vec<Row> = write.fetch_all("find_named_operations", query.bind(named.texts()).bind(PAGE)).await?;
        let next = rows.last().map(|last| last.id).filter(|_| rows.len() as i64 == PAGE);
        let mut erased = 0;
        for row in rows.into_iter().filter(|row| row.names(named)) {
            let error = row.error.map(|_| crate::operations::told(Error::from(&OPERATION_ERASED)));
            let query = sqlx::query(self.erasure.empty_operation.clone()).bind(write.call.tenant).bind(row.id);
            let query = query.bind(emptied(&row.request)).bind(row.response.as_deref().map(emptied)).bind(error);
            write.execute("empty_operation", query).await?;
            erased += 1;
        }
        Ok(Looked { next, erased })
    }
}

/// The message without anything in it.
fn emptied(any: &[u8]) -> Vec<u8> {
    let type_url = Any::decode(any).map(|any| any.type_url).unwrap_or_default();
    Any { type_url, value: Vec::new() }.encode_to_vec()
}
