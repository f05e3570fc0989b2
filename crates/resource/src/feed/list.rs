//! Changes on request.

use crm_database::page;
use crm_proto::journal::{ListChangesRequest, ListChangesResponse};
use tonic::Request;

use super::Feed;
use super::source::Source;
use crate::journal::{Batch, Entry};
use crate::page::flaw;
use crate::{Answer, Call, Error, Violations, answer};

impl Feed {
    /// The changes that come next after a cursor, for handlers.
    ///
    /// # Errors
    /// As a status: all violations, that the cursor has expired, or the database's.
    pub async fn list(&self, request: Request<ListChangesRequest>) -> Answer<ListChangesResponse> {
        answer(self.next_page(request).await)
    }

    async fn next_page(&self, request: Request<ListChangesRequest>) -> Result<ListChangesResponse, Error> {
        let call = Call::of(&request)?;
        let ListChangesRequest { resources, cursor, page_size } = request.into_inner();
        let mut found = Violations::default();
        let size = found.check("page_size", page::page_size(page_size).map_err(|error| flaw(&error)));
        let (wanted, start) = self.asked(&call, &resources, &cursor, &mut found);
        found.finish(())?;
        let begin = self.begin(&call, start).await?;
        let Batch { entries, cursor, is_last } = self.store.changes(&call, &begin, size).await?;
        let mut changes = entries.into_iter().map(Entry::message).collect::<Result<Vec<_>, _>>()?;
        changes.retain(|change| wanted.holds(change));
        let cursor = self.store.text(call.tenant, &cursor)?;
        Ok(ListChangesResponse { changes, cursor, last: is_last })
    }
}
