//! Records that activities are about.

use std::collections::HashSet;
use std::fmt;

use futures_util::future::BoxFuture;
use uuid::Uuid;

use crate::{Call, Error, Records, Resource, Write};

/// The records of a resource, as activities need to know them.
pub(super) trait Parent: Send + Sync {
    /// As in the paths of the API.
    fn plural(&self) -> &'static str;

    /// Whether the record is there and not deleted; if so, it stays until the transaction ends.
    fn hold<'a>(&'a self, write: &'a mut Write, id: Uuid) -> BoxFuture<'a, Result<bool, Error>>;

    /// What is told of one that is not: which one stands for it, or else what is said here.
    fn absent<'a>(&'a self, write: &'a mut Write, id: Uuid, otherwise: Error) -> BoxFuture<'a, Error>;

    /// Those of the records that are there and not deleted, or for which such a one stands.
    fn live<'a>(&'a self, call: &'a Call, ids: Vec<Uuid>) -> BoxFuture<'a, Result<HashSet<Uuid>, Error>>;
}

impl fmt::Debug for dyn Parent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(self.plural())
    }
}

impl<R: Resource> Parent for Records<R> {
    fn plural(&self) -> &'static str {
        R::KIND.plural
    }

    fn hold<'a>(&'a self, write: &'a mut Write, id: Uuid) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(Self::hold(self, write, id))
    }

    fn absent<'a>(&'a self, write: &'a mut Write, id: Uuid, otherwise: Error) -> BoxFuture<'a, Error> {
        Box::pin(Self::absent(self, write, id, otherwise))
    }

    fn live<'a>(&'a self, call: &'a Call, ids: Vec<Uuid>) -> BoxFuture<'a, Result<HashSet<Uuid>, Error>> {
        Box::pin(async move {
            let found = self.find_through(call, &ids).await?;
            let live =
                ids.into_iter().zip(found).filter(|(_, found)| found.as_ref().is_some_and(|it| it.live().is_some()));
            Ok(live.map(|(id, _)| id).collect())
        })
    }
}
