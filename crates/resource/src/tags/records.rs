//! Standard methods of tags: those of all records, and how many there may be.

use std::sync::Arc;

use crm_proto::operations::Operation;
use crm_proto::tags as pb;
use tonic::{Request, Response};

use super::merge::Merge;
use super::tagged::Tagged;
use super::{Keeper, MERGED, MOST, TOO_MANY, Tag};
use crate::{Claim, Error, Export, New, Records, Resource, Store, Write};

/// The tags of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Tags<K: Keeper> {
    pub(super) records: Records<Tag<K>>,
    tagged: Vec<Arc<dyn Tagged>>,
}

impl<K: Keeper> Tags<K> {
    /// The tags in a store, which no records can have.
    pub fn new(store: &Store) -> Self {
        Self { records: Records::new(store), tagged: Vec::new() }
    }

    /// And these records, which can have them.
    #[must_use]
    pub fn on<R: Resource>(mut self, records: &Records<R>) -> Self {
        self.tagged.push(Arc::new(records.clone()));
        self
    }

    /// Lets this process merge them. To be said when all records are known that can have them.
    pub fn offer(&self) {
        self.records.store.offer(Merge::new(self.records.clone(), self.tagged.clone()));
    }

    /// Creates a tag, or answers what the same request was answered before.
    ///
    /// # Errors
    /// All violations, that the name is taken or there are too many, that the request id was used for another request, or the
    /// database's.
    pub async fn create(&self, request: Request<pb::CreateTagRequest>) -> Result<pb::Tag, Error> {
        let new = New::<Tag<K>>::of(request)?;
        match self.records.claim(new.call.clone(), new.request_id).await? {
            Claim::Answered(answer) => Ok(answer),
            Claim::First(mut write) => {
                self.check_room(&mut write).await?;
                self.records.finish(*write, new).await
            }
        }
    }

    /// The tag, if it is there and not deleted.
    ///
    /// # Errors
    /// As of [`Records::get`].
    pub async fn get(&self, request: Request<pb::GetTagRequest>) -> Result<pb::Tag, Error> {
        self.records.get(request).await
    }

    /// The tags with these ids, in their order.
    ///
    /// # Errors
    /// As of [`Records::batch_get`].
    pub async fn batch_get(
        &self,
        request: Request<pb::BatchGetTagsRequest>,
    ) -> Result<pb::BatchGetTagsResponse, Error> {
        self.records.batch_get(request).await
    }

    /// A page of tags.
    ///
    /// # Errors
    /// As of [`Records::list`].
    pub async fn list(&self, request: Request<pb::ListTagsRequest>) -> Result<pb::ListTagsResponse, Error> {
        self.records.list(request).await
    }

    /// Changes the fields that the request names.
    ///
    /// # Errors
    /// As of [`Records::update`].
    pub async fn update(&self, request: Request<pb::UpdateTagRequest>) -> Result<pb::Tag, Error> {
        self.records.update(request).await
    }

    /// Marks the tag as deleted. Records keep its id.
    ///
    /// # Errors
    /// As of [`Records::delete`].
    pub async fn delete(&self, request: Request<pb::DeleteTagRequest>) -> Result<pb::Tag, Error> {
        self.records.delete(request).await
    }

    /// Takes the mark away, if it was not merged into another one.
    ///
    /// # Errors
    /// As of [`Records::undelete`]; or the tag is merged, or there are too many.
    pub async fn undelete(&self, request: Request<pb::UndeleteTagRequest>) -> Result<pb::Tag, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        // Before the row, as whoever creates one: no two wait for each other.
        self.check_room(&mut write).await?;
        let current = self.records.lock_deleted(&mut write, id, &etag).await?;
        match current.fields.merged_into {
            Some(other) => Err(Error::RefusedFor(&MERGED, other)),
            None => self.records.mark(write, id, false).await,
        }
    }

    /// Streams all tags that match.
    ///
    /// # Errors
    /// As of [`Records::export`].
    pub async fn export(&self, request: Request<pb::ExportTagsRequest>) -> Result<Response<Export<pb::Tag>>, Error> {
        self.records.export(request).await
    }

    /// What was changed of a tag, deleted or not, the newest first.
    ///
    /// # Errors
    /// As of [`Records::history`].
    pub async fn history(
        &self,
        request: Request<pb::GetTagHistoryRequest>,
    ) -> Result<pb::GetTagHistoryResponse, Error> {
        self.records.history(request).await
    }

    /// Begins to merge a tag into another one.
    ///
    /// # Errors
    /// As of [`Store::begin_operation`].
    pub async fn merge(&self, request: Request<pb::MergeTagRequest>) -> Result<Operation, Error> {
        self.records.store.begin_operation::<Merge<K>>(request).await
    }

    /// Whether there may be one more. Whoever adds one waits for the others of the tenant who do.
    async fn check_room(&self, write: &mut Write) -> Result<(), Error> {
        let (tenant, statements) = (write.call.tenant, &self.records.store.tags);
        write.execute("lock_vocabulary", sqlx::query(statements.lock.clone()).bind(tenant)).await?;
        let count = sqlx::query(statements.count.clone()).bind(tenant);
        let (count,): (i64,) = write.fetch_one("count_tags", count).await?;
        if count < MOST { Ok(()) } else { Err(Error::from(&TOO_MANY)) }
    }
}
