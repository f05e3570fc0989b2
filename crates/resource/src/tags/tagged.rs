//! Records that can have tags.

use std::fmt;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::{Error, Record, Records, Resource, Write};

/// Which tag is put in the place of which, on which records.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    pub(super) gone: Uuid,
    pub(super) now: Uuid,
    pub(super) after: Uuid,
    pub(super) at_most: i64,
}

/// The records of a resource, as tags need to know them.
pub(super) trait Tagged: Send + Sync {
    /// As in the paths of the API.
    fn plural(&self) -> &'static str;

    /// Puts one tag in the place of another on the next records that have it, deleted ones included. Answers the last of
    /// these, if there was any, and how many were changed.
    fn replace_tag<'a>(
        &'a self,
        write: &'a mut Write,
        place: Place,
    ) -> BoxFuture<'a, Result<(Option<Uuid>, i64), Error>>;
}

impl fmt::Debug for dyn Tagged {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.plural())
    }
}

impl<R: Resource> Tagged for Records<R> {
    fn plural(&self) -> &'static str {
        R::KIND.plural
    }

    fn replace_tag<'a>(
        &'a self,
        write: &'a mut Write,
        place: Place,
    ) -> BoxFuture<'a, Result<(Option<Uuid>, i64), Error>> {
        Box::pin(async move {
            let Place { gone, now, after, at_most } = place;
            let query = sqlx::query(self.store.tags.find.clone()).bind(write.call.tenant).bind(R::KIND.plural);
            let query = query.bind(gone).bind(after).bind(at_most);
            let ids: Vec<Uuid> = write.fetch_all("find_tagged", query).await?.into_iter().map(|(id,)| id).collect();
            let Some(last) = ids.last().copied() else { return Ok((None, 0)) };
            let statement = &self.statements.many.lock;
            let query = sqlx::query(statement.sql.clone()).bind(write.call.tenant).bind(&ids);
            let records: Vec<Record<R::Fields>> = write.fetch_all(statement.name, query).await?;
            let mut changed = 0;
            for record in records {
                let mut fields = record.fields.clone();
                // Since it was found, somebody may have taken the tag from it.
                let Some(tags) = R::tags(&mut fields).filter(|tags| tags.contains(&gone)) else { continue };
                tags.retain(|tag| *tag != gone && *tag != now);
                tags.push(now);
                tags.sort_unstable();
                self.replace(write, &record, &fields).await?;
                changed += 1;
            }
            Ok((Some(last), changed))
        })
    }
}
