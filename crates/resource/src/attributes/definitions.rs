//! Standard methods of definitions: those of all records, and what keeps their number bounded and others informed.

use crm_proto::attributes as pb;
use tonic::{Request, Response};

use super::kind::{MOST, MOST_FILTERABLE};
use super::{AttributeDefinition, Keeper, TOO_MANY, TOO_MANY_FILTERABLE};
use crate::{Change, Claim, Error, Export, New, Records, Store, Write};

/// The definitions of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Definitions<K: Keeper> {
    pub(super) records: Records<AttributeDefinition<K>>,
}

impl<K: Keeper> Definitions<K> {
    /// The definitions in a store.
    pub fn new(store: &Store) -> Self {
        Self { records: Records::new(store) }
    }

    /// Defines an attribute, or answers what the same request was answered before.
    ///
    /// # Errors
    /// All violations, that there are too many, that the key or the request id was used before, or the database's.
    pub async fn create(
        &self,
        request: Request<pb::CreateAttributeDefinitionRequest>,
    ) -> Result<pb::AttributeDefinition, Error> {
        let new = New::<AttributeDefinition<K>>::of(request)?;
        match self.records.claim(new.call.clone(), new.request_id).await? {
            Claim::Answered(answer) => Ok(answer),
            Claim::First(mut write) => {
                self.advance(&mut write, &new.fields.resource).await?;
                self.admit(&mut write, &new.fields.resource, new.fields.filterable).await?;
                self.records.finish(*write, new).await
            }
        }
    }

    /// The definition, if it is there and not deleted.
    ///
    /// # Errors
    /// As of [`Records::get`].
    pub async fn get(
        &self,
        request: Request<pb::GetAttributeDefinitionRequest>,
    ) -> Result<pb::AttributeDefinition, Error> {
        self.records.get(request).await
    }

    /// The definitions with these ids, in their order.
    ///
    /// # Errors
    /// As of [`Records::batch_get`].
    pub async fn batch_get(
        &self,
        request: Request<pb::BatchGetAttributeDefinitionsRequest>,
    ) -> Result<pb::BatchGetAttributeDefinitionsResponse, Error> {
        self.records.batch_get(request).await
    }

    /// A page of definitions.
    ///
    /// # Errors
    /// As of [`Records::list`].
    pub async fn list(
        &self,
        request: Request<pb::ListAttributeDefinitionsRequest>,
    ) -> Result<pb::ListAttributeDefinitionsResponse, Error> {
        self.records.list(request).await
    }

    /// Streams all definitions that match.
    ///
    /// # Errors
    /// As of [`Records::export`].
    pub async fn export(
        &self,
        request: Request<pb::ExportAttributeDefinitionsRequest>,
    ) -> Result<Response<Export<pb::AttributeDefinition>>, Error> {
        self.records.export(request).await
    }

    /// What was changed of a definition, deleted or not, the newest first.
    ///
    /// # Errors
    /// As of [`Records::history`].
    pub async fn history(
        &self,
        request: Request<pb::GetAttributeDefinitionHistoryRequest>,
    ) -> Result<pb::GetAttributeDefinitionHistoryResponse, Error> {
        self.records.history(request).await
    }

    /// Changes the fields that the request names.
    ///
    /// # Errors
    /// As of [`Records::update`].
    pub async fn update(
        &self,
        request: Request<pb::UpdateAttributeDefinitionRequest>,
    ) -> Result<pb::AttributeDefinition, Error> {
        let mut change = Change::<AttributeDefinition<K>>::of(request)?;
        let mut write = self.records.begin(change.call.clone()).await?;
        let current = self.records.lock_live(&mut write, change.id, &change.etag).await?;
        let mut fields = change.apply(&current)?;
        if !fields.filterable {
            fields = fields.without_filter();
        }
        if fields != current.fields {
            self.advance(&mut write, &fields.resource).await?;
        }
        self.records.save(write, current, fields).await
    }

    /// Marks the definition as deleted, and ends its filter: a definition that comes back may find ten others that filter.
    ///
    /// # Errors
    /// As of [`Records::delete`].
    pub async fn delete(
        &self,
        request: Request<pb::DeleteAttributeDefinitionRequest>,
    ) -> Result<pb::AttributeDefinition, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        let current = self.records.lock_live(&mut write, id, &etag).await?;
        self.advance(&mut write, &current.fields.resource).await?;
        if current.fields.filterable {
            self.records.replace(&mut write, &current, &current.fields.without_filter()).await?;
        }
        self.records.mark(write, id, true).await
    }

    /// Takes the mark away: values that records have of it are shown again.
    ///
    /// # Errors
    /// As of [`Records::undelete`]; or there are too many others by now.
    pub async fn undelete(
        &self,
        request: Request<pb::UndeleteAttributeDefinitionRequest>,
    ) -> Result<pb::AttributeDefinition, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        let current = self.records.lock_deleted(&mut write, id, &etag).await?;
        self.advance(&mut write, &current.fields.resource).await?;
        self.admit(&mut write, &current.fields.resource, false).await?;
        self.records.mark(write, id, false).await
    }

    pub(super) async fn advance(&self, write: &mut Write, resource: &str) -> Result<(), Error> {
        self.records.store.sets.advance(write, resource).await
    }

    /// Refuses one more than there may be. Others who count wait for the set that this transaction holds.
    async fn admit(&self, write: &mut Write, resource: &str, filters: bool) -> Result<(), Error> {
        let (all, filterable) = self.records.store.sets.count(write, resource).await?;
        if all >= MOST {
            return Err(Error::from(&TOO_MANY));
        }
        check_filters(if filters { filterable } else { 0 })
    }

    /// Refuses one more by which lists are filtered.
    pub(super) async fn admit_filter(&self, write: &mut Write, resource: &str) -> Result<(), Error> {
        let (_, filterable) = self.records.store.sets.count(write, resource).await?;
        check_filters(filterable)
    }
}

fn check_filters(others: i64) -> Result<(), Error> {
    if others >= MOST_FILTERABLE { Err(Error::from(&TOO_MANY_FILTERABLE)) } else { Ok(()) }
}
