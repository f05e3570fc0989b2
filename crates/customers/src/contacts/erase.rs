//! Erases a person: an operation.
//!
//! The contact goes last, so that whatever stops the work in between, it is still known whom it is about, and nothing of them
//! stands in the operation itself. From its first step on the contact is deleted for good: nobody finds it, changes it or
//! brings it back.

use std::mem::take;

use crm_proto::customers as pb;
use crm_resource::activities::Activities;
use crm_resource::erasure::{Named, Tombstone};
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::views::Views;
use crm_resource::{ETAG_MISMATCH, Error, Records, Refusal, Store, Violations, Write};
use crm_values::{Flaw, parse_id};
use serde::{Deserialize, Serialize};
use tonic::{Request, async_trait};
use uuid::Uuid;

use super::{Contact, Fields, NOT_FOUND};
use crate::OfCustomers;

/// The contact was erased, or is being erased.
pub const ERASED: Refusal = Refusal::not_found("CONTACT_ERASED", "the contact was erased, and nothing is left of it");

/// Activities of one step, each with its entries in the journal.
const BATCH: u32 = 200;

/// The operation.
#[derive(Debug, Clone)]
pub struct Erase {
    store: Store,
    contacts: Records<Contact>,
    activities: Activities<OfCustomers>,
    saved_views: SavedViews,
}

type SavedViews = Views<OfCustomers>;

/// How far it has come, and what was erased on the way. It says nothing of the person.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Position {
    stage: Stage,
    activities: i64,
    answers: i64,
    operations: i64,
    saved_views: i64,
    #[serde(default)]
    imports: i64,
}

/// What a step looks through, after what.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
enum Stage {
    #[default]
    Begin,
    Activities,
    Answers(String, Uuid),
    Operations(Uuid),
    SavedViews(Uuid),
    PastViews(Uuid, i64),
    Parted,
    Imports(Uuid),
    Contact,
}

type Step = Result<Next<Position, pb::EraseContactResponse>, Error>;

/// Begins it, if the contact is in the state that the caller saw. Once this is answered, nobody is shown the contact any more.
pub(super) async fn begin(
    erase: &Erase,
    request: Request<pb::EraseContactRequest>,
) -> Result<crm_proto::operations::Operation, Error> {
    let first = async |write: &mut Write, request: &pb::EraseContactRequest| {
        let id = parse_id(&request.id).map_err(|_| Error::Inconsistent("an id is none any more"))?;
        let stage = erase.begin(write, id, &request.etag).await?;
        // The first step looks at all of this once more.
        Ok(stage.map(|_| Position::default()))
    };
    erase.store.begin_operation_with::<Erase>(request, first).await
}

#[async_trait]
impl Operation for Erase {
    type Request = pb::EraseContactRequest;
    type Position = Position;
    type Response = pb::EraseContactResponse;

    const NAME: &'static str = "EraseContact";
    const UNIT: &'static str = "records";
    /// Half a person is not to be kept.
    const GOES_THROUGH: bool = true;

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        found.check("id", parse_id(&request.id));
        // Nothing brings a person back: whoever erases one has looked at them before.
        if request.etag.is_empty() {
            found.add("etag", Flaw::missing());
        }
    }

    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &Self::Request,
        mut at: Position,
    ) -> Step {
        let id = parse_id(&request.id).map_err(|_| Error::Inconsistent("an id is none any more"))?;
        at.stage = match take(&mut at.stage) {
            Stage::Begin => match self.begin(write, id, &request.etag).await? {
                Some(stage) => stage,
                None => return Ok(end(&[id], &at)),
            },
            Stage::Activities => self.erase_activities(write, id, &mut at.activities).await?,
            Stage::Contact => {
                let ids = self.contacts.with_merged(write, id).await?;
                progress.done += self.contacts.erase(write, &ids).await?;
                self.contacts.erase_merges(write, &ids).await?;
                self.contacts.end_erasure(write, &ids).await?;
                return Ok(end(&ids, &at));
            }
            elsewhere => self.look(write, id, elsewhere, &mut at).await?,
        };
        progress.done = at.activities + at.answers + at.operations + at.saved_views + at.imports;
        Ok(Next::Step(at))
    }
}

impl Erase {
    pub(crate) fn new(
        store: &Store,
        contacts: &Records<Contact>,
        activities: &Activities<OfCustomers>,
        saved_views: &SavedViews,
    ) -> Self {
        let (store, contacts) = (store.clone(), contacts.clone());
        Self { store, contacts, activities: activities.clone(), saved_views: saved_views.clone() }
    }

    /// Whether there is something left to erase; the contact is locked then.
    async fn admit(&self, write: &mut Write, id: Uuid, etag: &str) -> Result<Option<bool>, Error> {
        let tenant = write.call.tenant;
        let begun = self.contacts.erasure(write, tenant, id).await?;
        let current = match self.contacts.lock(write, id).await {
            Err(Error::RefusedFor(missing, _)) if *missing == NOT_FOUND && begun.is_some() => return Ok(None),
            current => current?,
        };
        let is_deleted = current.head.is_deleted();
        if is_deleted && begun.is_none() {
            // What was merged into a person is erased with them, never in their place.
            let merged = self.contacts.absent(write, id, Error::from(&ETAG_MISMATCH)).await;
            if matches!(merged, Error::Merged { .. }) {
                return Err(merged);
            }
        }
        // Since it was begun, the contact has not been what the caller saw.
        let is_theirs = begun == Some(Tombstone::Begun) || current.head.etag().admits(etag);
        if is_theirs { Ok(Some(is_deleted)) } else { Err(Error::from(&ETAG_MISMATCH)) }
    }

    /// Deletes the contact for good; none if nothing is left of it.
    async fn begin(&self, write: &mut Write, id: Uuid, etag: &str) -> Result<Option<Stage>, Error> {
        let Some(is_deleted) = self.admit(write, id, etag).await? else { return Ok(None) };
        let ids = self.contacts.with_merged(write, id).await?;
        self.contacts.begin_erasure(write, &ids).await?;
        if !is_deleted {
            self.contacts.set_deleted(write, id, true).await?;
        }
        Ok(Some(Stage::Activities))
    }

    async fn erase_activities(&self, write: &mut Write, id: Uuid, erased: &mut i64) -> Result<Stage, Error> {
        let ids = self.contacts.with_merged(write, id).await?;
        let gone = self.activities.erase_of(write, &ids, BATCH).await?;
        *erased += gone;
        Ok(if gone < i64::from(BATCH) { Stage::Answers(String::new(), Uuid::nil()) } else { Stage::Activities })
    }

    /// Looks through a page of what may name the person.
    async fn look(&self, write: &mut Write, id: Uuid, stage: Stage, at: &mut Position) -> Result<Stage, Error> {
        let ids = self.contacts.with_merged(write, id).await?;
        let named = self.named(write, &ids).await?;
        Ok(match stage {
            Stage::Answers(scope, after) => {
                let found = self.store.erase_answers(write, &named, &ids, (scope, after)).await?;
                at.answers += found.erased;
                found.next.map_or(Stage::Operations(Uuid::nil()), |(scope, after)| Stage::Answers(scope, after))
            }
            Stage::Operations(after) => {
                let found = self.store.erase_operations(write, &named, after).await?;
                at.operations += found.erased;
                found.next.map_or(Stage::SavedViews(Uuid::nil()), Stage::Operations)
            }
            Stage::SavedViews(after) => {
                let found = self.saved_views.erase_named(write, &named, after).await?;
                at.saved_views += found.erased;
                found.next.map_or(Stage::PastViews(Uuid::nil(), 0), Stage::SavedViews)
            }
            Stage::PastViews(view, version) => {
                let found = self.saved_views.erase_named_changes(write, &named, (view, version)).await?;
                found.next.map_or(Stage::Parted, |(view, version)| Stage::PastViews(view, version))
            }
            Stage::Parted => {
                self.erase_taken(write, &ids, &named).await?;
                Stage::Imports(Uuid::nil())
            }
            Stage::Imports(after) => {
                let found = self.store.erase_import(write, &named, after).await?;
                at.imports += found.erased;
                found.next.map_or(Stage::Contact, Stage::Imports)
            }
            Stage::Begin | Stage::Activities | Stage::Contact => Stage::Contact,
        })
    }

    /// Takes from the histories of contacts that stood for these once what those had taken from them: addresses and numbers
    /// that are not their own today.
    async fn erase_taken(&self, write: &mut Write, ids: &[Uuid], named: &Named) -> Result<(), Error> {
        let others = self.contacts.stood_for(write, ids).await?;
        let mut own = Named::default();
        for Fields { emails, phones, .. } in
            self.contacts.lock_many(write, &others).await?.into_iter().map(|contact| contact.fields)
        {
            own = own.and(emails.iter().chain(&phones).map(String::as_str));
        }
        self.contacts.erase_named_entries(write, &others, &named.without(&own)).await
    }

    /// Addresses and numbers that the contact and those that were merged into it have, and had.
    async fn named(&self, write: &mut Write, ids: &[Uuid]) -> Result<Named, Error> {
        let current = self.contacts.lock_many(write, ids).await?;
        let mut named = self.contacts.named_by(write, ids, &["emails", "phones"]).await?;
        for Fields { emails, phones, .. } in current.into_iter().map(|contact| contact.fields) {
            named = named.and(emails.iter().chain(&phones).map(String::as_str));
        }
        Ok(named)
    }
}

fn end(ids: &[Uuid], at: &Position) -> Next<Position, pb::EraseContactResponse> {
    let count = |number: i64| i32::try_from(number).unwrap_or(i32::MAX);
    Next::End(pb::EraseContactResponse {
        contact_ids: ids.iter().map(Uuid::to_string).collect(),
        activity_count: count(at.activities),
        answer_count: count(at.answers),
        operation_count: count(at.operations),
        saved_view_count: count(at.saved_views),
        import_count: count(at.imports),
    })
}
