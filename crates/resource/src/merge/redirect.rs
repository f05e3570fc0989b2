//! Records for which others stand: how readers get there, and what writers are told.

use std::collections::HashMap;
use std::sync::Arc;

use crm_database::TenantTransaction;
use crm_proto::merges::Redirect;
use crm_proto::standard;
use tonic::{Request, Response};
use uuid::Uuid;

use super::MERGE_UNDER_WAY;
use crate::entry::Stored;
use crate::records::{key, live};
use crate::request::{batch, single};
use crate::{Call, Error, Records, Resource, Write};

/// In the answer: the id that was asked for, where another record stands for it.
const REDIRECTED_FROM: &str = "x-crm-redirected-from";

/// What is kept of a record, if there is one.
type Kept<M> = Option<Arc<Stored<M>>>;
/// A record that was read, and the id that was asked for, if the record stands for that.
type Followed<M> = (M, Option<Uuid>);

impl<R: Resource> Records<R> {
    /// Those of these records that were merged into others.
    pub(crate) async fn merged_among(&self, write: &mut Write, ids: Vec<Uuid>) -> Result<Vec<Uuid>, Error> {
        if !R::KIND.merged || ids.is_empty() {
            return Ok(Vec::new());
        }
        let query = sqlx::query(self.store.merges.find.clone()).bind(write.call.tenant).bind(ids).bind(R::KIND.plural);
        let found: Vec<(Uuid,)> = write.fetch_all("find_merges", query).await?;
        Ok(found.into_iter().map(|(id,)| id).collect())
    }

    /// As [`get`](Self::get); of a record that was merged, the one that stands for it, and a header that says so.
    ///
    /// # Errors
    /// As of [`get`](Self::get).
    pub async fn get_or_follow<Q>(&self, request: Request<Q>) -> Result<Response<R::Message>, Error>
    where
        Q: standard::Get<Resource = R::Message>,
    {
        let (call, id) = (Call::of(&request)?, single(request.get_ref().id())?);
        let load = || async { Ok::<_, Error>(self.load(&call, &[id]).await?.into_values().next()) };
        let found = self.cache.get(&key(call.tenant, id), load).await?;
        if found.as_ref().is_none_or(|found| found.winner().is_none()) {
            return Ok(Response::new(self.shown(&call, found.as_ref(), id).await?));
        }
        let found = self.through(&call, vec![found]).await?.pop().flatten();
        let mut answer = Response::new(self.shown(&call, found.as_ref(), id).await?);
        if let Ok(id) = id.to_string().parse() {
            answer.metadata_mut().insert(REDIRECTED_FROM, id);
        }
        Ok(answer)
    }

    /// The records with these ids, in their order; for those that were merged, the ones that stand for them.
    ///
    /// # Errors
    /// One is not there, or the database's.
    pub async fn batch_get<Q>(&self, request: Request<Q>) -> Result<Q::Answer, Error>
    where
        Q: standard::BatchGet<Resource = R::Message>,
    {
        let (call, ids) = (Call::of(&request)?, batch(request.get_ref().ids())?);
        let (mut found, mut redirects) = (Vec::with_capacity(ids.len()), Vec::new());
        for (message, from) in self.find_or_follow(&call, &ids).await? {
            if let Some(id) = from.map(|id| id.to_string()).filter(|id| !is_told(&redirects, id)) {
                redirects.push(Redirect { id, winner_id: standard::Resource::id(&message).to_owned() });
            }
            found.push(message);
        }
        self.veil_all(&call, &mut found).await?;
        Ok(Q::answer(found, redirects))
    }

    async fn shown(&self, call: &Call, found: Option<&Arc<Stored<R::Message>>>, id: Uuid) -> Result<R::Message, Error> {
        let mut message = live::<R>(found, call, id)?;
        self.veil_all(call, std::slice::from_mut(&mut message)).await?;
        Ok(message)
    }

    async fn find_or_follow(&self, call: &Call, ids: &[Uuid]) -> Result<Vec<Followed<R::Message>>, Error> {
        let found = self.find(call, ids).await?;
        let is_redirect: Vec<bool> =
            found.iter().map(|found| found.as_ref().is_some_and(|it| it.winner().is_some())).collect();
        let found = self.through(call, found).await?.into_iter().zip(ids).zip(is_redirect);
        let followed = found
            .map(|((found, id), is_redirect)| Ok((live::<R>(found.as_ref(), call, *id)?, is_redirect.then_some(*id))));
        followed.collect()
    }

    /// The records with these ids, in their order, deleted ones included, or the ones that stand for them.
    pub(crate) async fn find_through(&self, call: &Call, ids: &[Uuid]) -> Result<Vec<Kept<R::Message>>, Error> {
        let found = self.find(call, ids).await?;
        self.through(call, found).await
    }

    /// In the place of redirects, the records that these lead to.
    async fn through(&self, call: &Call, found: Vec<Kept<R::Message>>) -> Result<Vec<Kept<R::Message>>, Error> {
        let winner = |found: &Kept<R::Message>| found.as_ref().and_then(|found| found.winner());
        let winners: Vec<Uuid> = found.iter().filter_map(winner).collect();
        if winners.is_empty() {
            return Ok(found);
        }
        let of_winners: HashMap<Uuid, _> = winners.iter().copied().zip(self.find(call, &winners).await?).collect();
        let through = |found: Kept<R::Message>| match winner(&found) {
            Some(winner) => of_winners.get(&winner).cloned().flatten(),
            None => found,
        };
        Ok(found.into_iter().map(through).collect())
    }

    /// What whoever wants to write to a record that is not there is told: which one stands for it, or else what they say.
    pub async fn absent(&self, write: &mut Write, id: Uuid, otherwise: Error) -> Error {
        let tenant = write.call.tenant;
        match self.winner_of(write, tenant, id).await {
            Ok(Some(winner)) => Error::Merged { id, winner },
            Ok(None) => otherwise,
            Err(error) => error,
        }
    }

    /// Which record stands for one, past the caches.
    pub(crate) async fn winner_of(
        &self,
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        id: Uuid,
    ) -> Result<Option<Uuid>, Error> {
        if !R::KIND.merged {
            return Ok(None);
        }
        let query = sqlx::query(self.store.merges.winner.clone()).bind(tenant).bind(id);
        let found: Option<(Uuid,)> = transaction.fetch_optional("find_winner", query.bind(R::KIND.plural)).await?;
        Ok(found.map(|(winner,)| winner))
    }

    /// Refuses where something of the record may still stand under another id. The record is locked.
    pub(crate) async fn check_moved(&self, write: &mut Write, id: Uuid) -> Result<(), Error> {
        if !R::KIND.merged {
            return Ok(());
        }
        let query = sqlx::query(self.store.merges.unmoved.clone()).bind(write.call.tenant).bind(id);
        match write.fetch_optional::<(Uuid,)>("find_unmoved", query).await? {
            Some(_) => Err(Error::RefusedFor(&MERGE_UNDER_WAY, id)),
            None => Ok(()),
        }
    }
}

fn is_told(redirects: &[Redirect], id: &str) -> bool {
    redirects.iter().any(|told| told.id == id)
}
