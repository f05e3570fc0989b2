//! Standard methods of activities: those of all records, and what depends on the parent.

use std::collections::HashSet;
use std::sync::Arc;

use crm_proto::activities as pb;
use crm_values::parse_id;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};
use tonic::{Request, Response};
use uuid::Uuid;

use super::parent::Parent;
use super::tasks::Tasks;
use super::timeline::Timeline;
use super::{Activity, Fields, Keeper, NOT_FOUND, PARENT_NOT_FOUND};
use crate::{Call, Change, Claim, Error, Export, Kind, New, Records, Resource, Store, Write};

/// The activities of a service; cheap to clone.
#[derive(Debug, Clone)]
pub struct Activities<K: Keeper> {
    pub(crate) records: Records<Activity<K>>,
    parents: Vec<Arc<dyn Parent>>,
    pub(super) tasks: Arc<Tasks>,
    pub(super) timeline: Arc<Timeline>,
    of_parents: SqlStr,
}

impl<K: Keeper> Activities<K> {
    /// The activities in a store, with none of what they may be about.
    pub fn new(store: &Store) -> Self {
        let records = Records::new(store);
        let select = &records.statements.select;
        let (tasks, timeline) = (Arc::new(Tasks::new(K::KIND, select)), Arc::new(Timeline::new(select)));
        let of_parents = AssertSqlSafe(of_parents(K::KIND)).into_sql_str();
        Self { records, parents: Vec::new(), tasks, timeline, of_parents }
    }

    /// And these records, which they may be about.
    #[must_use]
    pub fn on<R: Resource>(mut self, parents: &Records<R>) -> Self {
        self.parents.push(Arc::new(parents.clone()));
        self
    }

    /// Creates an activity, or answers what the same request was answered before. Its parent stays until it is there.
    ///
    /// # Errors
    /// All violations, that there is no such parent, that the request id was used for another request, or the database's.
    pub async fn create(&self, request: Request<pb::CreateActivityRequest>) -> Result<pb::Activity, Error> {
        let mut new = New::<Activity<K>>::of(request)?;
        new.fields.creator.clone_from(&new.call.caller.subject);
        new.fields.settle(None);
        match self.records.claim(new.call.clone(), new.request_id).await? {
            Claim::Answered(answer) => Ok(answer),
            Claim::First(mut write) => {
                self.hold_parent(&mut write, &new.fields).await?;
                self.records.finish(*write, new).await
            }
        }
    }

    /// The activity, if it and its parent are there and not deleted.
    ///
    /// # Errors
    /// They are not, or the database's.
    pub async fn get(&self, request: Request<pb::GetActivityRequest>) -> Result<pb::Activity, Error> {
        let call = Call::of(&request)?;
        let activity = self.records.get(request).await?;
        self.check_parents(&call, std::slice::from_ref(&activity)).await?;
        Ok(activity)
    }

    /// The activities with these ids, in their order.
    ///
    /// # Errors
    /// One is not there, or its parent is not; or the database's.
    pub async fn batch_get(
        &self,
        request: Request<pb::BatchGetActivitiesRequest>,
    ) -> Result<pb::BatchGetActivitiesResponse, Error> {
        let call = Call::of(&request)?;
        let answer = self.records.batch_get(request).await?;
        self.check_parents(&call, &answer.activities).await?;
        Ok(answer)
    }

    /// A page of activities.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn list(&self, request: Request<pb::ListActivitiesRequest>) -> Result<pb::ListActivitiesResponse, Error> {
        self.records.list(request).await
    }

    /// Streams all activities that match.
    ///
    /// # Errors
    /// As of [`Records::export`].
    pub async fn export(
        &self,
        request: Request<pb::ExportActivitiesRequest>,
    ) -> Result<Response<Export<pb::Activity>>, Error> {
        self.records.export(request).await
    }

    /// What was changed of an activity, deleted or not, the newest first.
    ///
    /// # Errors
    /// As of [`Records::history`].
    pub async fn history(
        &self,
        request: Request<pb::GetActivityHistoryRequest>,
    ) -> Result<pb::GetActivityHistoryResponse, Error> {
        self.records.history(request).await
    }

    /// Changes the fields that the request names.
    ///
    /// # Errors
    /// As of [`Records::update`]; or the parent is not there.
    pub async fn update(&self, request: Request<pb::UpdateActivityRequest>) -> Result<pb::Activity, Error> {
        let mut change = Change::<Activity<K>>::of(request)?;
        self.check_parent_of(&change.call, change.id).await?;
        let mut write = self.records.begin(change.call.clone()).await?;
        let current = self.records.lock_live(&mut write, change.id, &change.etag).await?;
        let mut fields = change.apply(&current)?;
        fields.settle(Some(&current.fields));
        self.records.save(write, current, fields).await
    }

    /// Marks the activity as deleted.
    ///
    /// # Errors
    /// As of [`Records::delete`]; or the parent is not there.
    pub async fn delete(&self, request: Request<pb::DeleteActivityRequest>) -> Result<pb::Activity, Error> {
        let call = Call::of(&request)?;
        if let Ok(id) = parse_id(&request.get_ref().id) {
            self.check_parent_of(&call, id).await?;
        }
        self.records.delete(request).await
    }

    /// Takes the mark away, if the parent is there.
    ///
    /// # Errors
    /// As of [`Records::undelete`]; or there is no such parent.
    pub async fn undelete(&self, request: Request<pb::UndeleteActivityRequest>) -> Result<pb::Activity, Error> {
        let (mut write, id, etag) = self.records.begin_at(request).await?;
        let current = self.records.lock_deleted(&mut write, id, &etag).await?;
        self.hold_parent(&mut write, &current.fields).await?;
        self.records.mark(write, id, false).await
    }

    /// Erases activities on these records, deleted ones included, so many at most. Answers how many: fewer are left than may be
    /// if they are fewer.
    ///
    /// # Errors
    /// The database's.
    pub async fn erase_of(&self, write: &mut Write, parents: &[Uuid], at_most: u32) -> Result<i64, Error> {
        let query = sqlx::query(self.of_parents.clone()).bind(write.call.tenant).bind(parents.to_vec());
        let found: Vec<(Uuid,)> = write.fetch_all("find_activities_of", query.bind(i64::from(at_most))).await?;
        let ids: Vec<Uuid> = found.into_iter().map(|(id,)| id).collect();
        if ids.is_empty() { Ok(0) } else { self.records.erase(write, &ids).await }
    }

    async fn hold_parent(&self, write: &mut Write, fields: &Fields) -> Result<(), Error> {
        let parent = self.parents.iter().find(|parent| parent.plural() == fields.parent_resource);
        let not_found = Error::from(&PARENT_NOT_FOUND);
        match parent {
            Some(parent) if parent.hold(write, fields.parent_id).await? => Ok(()),
            Some(parent) => Err(parent.absent(write, fields.parent_id, not_found).await),
            None => Err(not_found),
        }
    }

    /// Whether an activity that is to be changed is hidden by its parent. Nothing is held: what is written to an activity
    /// whose parent is deleted at the same time is seen when both come back.
    async fn check_parent_of(&self, call: &Call, id: Uuid) -> Result<(), Error> {
        let found = self.records.find(call, &[id]).await?;
        let found: Vec<_> = found.into_iter().flatten().filter_map(|found| found.message().cloned()).collect();
        self.check_parents(call, &found).await
    }

    /// Names the first activity whose parent is not there.
    async fn check_parents(&self, call: &Call, activities: &[pb::Activity]) -> Result<(), Error> {
        let mut live = HashSet::new();
        for parent in &self.parents {
            let of_it = activities.iter().filter(|activity| activity.parent_resource == parent.plural());
            let ids: HashSet<Uuid> = of_it.filter_map(|activity| parse_id(&activity.parent_id).ok()).collect();
            if !ids.is_empty() {
                live.extend(parent.live(call, ids.into_iter().collect()).await?);
            }
        }
        let is_there = |activity: &&pb::Activity| parse_id(&activity.parent_id).is_ok_and(|id| live.contains(&id));
        match activities.iter().find(|activity| !is_there(activity)) {
            Some(hidden) => Err(Error::RefusedFor(&NOT_FOUND, parse_id(&hidden.id).unwrap_or_default())),
            None => Ok(()),
        }
    }
}

/// Activities on these records, which nobody changes before the transaction ends.
pub(super) fn of_parents(kind: &Kind) -> String {
    format!("select id from {} where tenant_id = $1 and parent_id = any($2) limit $3 for update", kind.table)
}
