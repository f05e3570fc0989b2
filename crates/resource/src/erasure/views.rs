//! Saved views whose name or filter names the person: such a view would find nobody any more, and goes as a whole.

use serde_json::Value;
use uuid::Uuid;

use super::{Looked, Named};
use crate::views::{Keeper, Views};
use crate::{Error, Write};

const PAGE: i64 = 1_000;

impl<K: Keeper> Views<K> {
    /// Erases those views of a page of their rows that name the person, whoever's they are.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_named(&self, write: &mut Write, named: &Named, after: Uuid) -> Result<Looked<Uuid>, Error> {
        let query = sqlx::query(self.named.clone()).bind(write.call.tenant).bind(after).bind(named.texts()).bind(PAGE);
        let rows: Vec<(Uuid, Option<Vec<String>>)> = write.fetch_all("find_named_views", query).await?;
        let next = rows.last().map(|last| last.0).filter(|_| rows.len() as i64 == PAGE);
        let is_named = |texts: Option<Vec<String>>| texts.is_some_and(|all| all.iter().any(|it| named.is_in_text(it)));
        let ids: Vec<Uuid> = rows.into_iter().filter_map(|(id, texts)| is_named(texts).then_some(id)).collect();
        let erased = if ids.is_empty() { 0 } else { self.records.erase(write, &ids).await? };
        Ok(Looked { next, erased })
    }

    /// Takes the values from what the journal has of views that named the person once, a page of its entries at a time.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_named_changes(
        &self,
        write: &mut Write,
        named: &Named,
        after: (Uuid, i64),
    ) -> Result<Looked<(Uuid, i64)>, Error> {
        let statement = self.records.store.erasure.named_changes.clone();
        let query = sqlx::query(statement).bind(write.call.tenant).bind(K::KIND.plural).bind(after.0).bind(after.1);
        let rows: Vec<(Uuid, i64, Option<Value>)> =
            write.fetch_all("find_named_changes", query.bind(named.texts()).bind(PAGE)).await?;
        let next = rows.last().map(|last| (last.0, last.1)).filter(|_| rows.len() as i64 == PAGE);
        let is_named = |personal: Option<&Value>| personal.is_some_and(|personal| named.is_in_json(personal));
        let mut ids: Vec<Uuid> = rows.into_iter().filter(|row| is_named(row.2.as_ref())).map(|row| row.0).collect();
        ids.dedup();
        if !ids.is_empty() {
            self.records.erase_changes(write, &ids).await?;
        }
        Ok(Looked { next, erased: 0 })
    }
}
