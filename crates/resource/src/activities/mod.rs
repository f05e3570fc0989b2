//! Activities: notes, calls, meetings and tasks, which each service keeps on its own records by this code.
//!
//! A service says where its table is and which of its resources can be a parent ([`Keeper`]), copies `sql/activities.sql`
//! into a migration, and has an `ActivityService` whose handlers are one call of [`Activities`] each.

mod kind;
mod parent;
mod records;
mod tasks;
mod timeline;

use std::fmt::Debug;
use std::marker::PhantomData;

use crm_proto::activities as pb;
use crm_values::{Flaw, text_key, within};
use sqlx::FromRow;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use crate::{Error, Exchange, Kind, Resource, Row, Violations};

pub use kind::{NOT_DELETED, NOT_FOUND, PARENT_NOT_FOUND, TABLE, kind};
pub use records::Activities;

use kind::KINDS;

/// A service that keeps activities.
pub trait Keeper: Clone + Debug + Send + Sync + 'static {
    /// Where, and on what: made by [`kind`].
    const KIND: &'static Kind;
}

/// The resource, of a service.
#[derive(Debug, Clone)]
pub struct Activity<K>(PhantomData<K>);

/// What is stored, but for what every record has.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    kind: String,
    pub(crate) parent_resource: String,
    pub(crate) parent_id: Uuid,
    subject: String,
    body: String,
    owner: String,
    due_time: Option<OffsetDateTime>,
    /// Of a task alone, and always.
    done: Option<bool>,
    done_time: Option<OffsetDateTime>,
    start_time: Option<OffsetDateTime>,
    duration_seconds: Option<i32>,
    creator: String,
}

const TASK: &str = "task";
const NOTE: &str = "note";

impl<K: Keeper> Resource for Activity<K> {
    type Message = pb::Activity;
    type Fields = Fields;

    const KIND: &'static Kind = K::KIND;

    fn exchange(it: &mut Fields, message: &mut pb::Activity, fields: &mut Exchange<'_>) {
        fields.field("kind", &mut it.kind, &mut message.kind, |number| stored_kind(*number), |kind| shown_kind(&kind));
        fields.field(
            "parent_resource",
            &mut it.parent_resource,
            &mut message.parent_resource,
            |it| parent::<K>(it),
            Ok,
        );
        fields.id("parent_id", &mut it.parent_id, &mut message.parent_id);
        fields.text("subject", &mut it.subject, &mut message.subject, within(200));
        fields.text("body", &mut it.body, &mut message.body, within(10_000).in_lines());
        fields.text("owner", &mut it.owner, &mut message.owner, within(100));
        fields.time("due_time", &mut it.due_time, &mut message.due_time);
        fields.field("done", &mut it.done, &mut message.done, |done| Ok(*done), Ok);
        fields.time("start_time", &mut it.start_time, &mut message.start_time);
        let (range, rule) = (0..=604_800, "must be 0 to 604,800, which is a week");
        fields.number("duration_seconds", &mut it.duration_seconds, &mut message.duration_seconds, range, rule);
        // Nobody sends these two: they are shown alone.
        fields.time("done_time", &mut it.done_time, &mut message.done_time);
        fields.field("creator", &mut it.creator, &mut message.creator, |creator| Ok(creator.clone()), Ok);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("kind", &it.kind);
        row.set("parent_resource", &it.parent_resource);
        row.set("parent_id", it.parent_id);
        row.set("subject", &it.subject);
        row.set("body", &it.body);
        row.set("owner", &it.owner);
        row.key("owner_key", text_key(&it.owner));
        row.set("due_time", it.due_time);
        row.set("done", it.done);
        row.set("done_time", it.done_time);
        row.set("start_time", it.start_time);
        row.set("duration_seconds", it.duration_seconds);
        row.set("creator", &it.creator);
    }

    fn check(before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        if let Some(before) = before {
            now.check_unchanged(before, found);
        }
        // What has a kind that there is not is judged by no kind's rules.
        if found.is_clear("activity.kind") {
            now.check_kind(found);
        }
    }
}

impl Fields {
    fn check_unchanged(&self, before: &Self, found: &mut Violations) {
        for (field, is_same) in [
            ("activity.kind", self.kind == before.kind),
            ("activity.parent_resource", self.parent_resource == before.parent_resource),
            ("activity.parent_id", self.parent_id == before.parent_id),
        ] {
            if !is_same {
                found.add(field, Flaw::new(Flaw::IMMUTABLE, "cannot be changed; create another activity"));
            }
        }
    }

    /// What its kind has to have, and what it cannot have.
    fn check_kind(&self, found: &mut Violations) {
        let (is_note, is_task) = (self.kind == NOTE, self.kind == TASK);
        // Told only where neither text has a flaw of its own.
        if self.body.is_empty() && found.is_clear("activity.body") && found.is_clear("activity.subject") {
            if is_note {
                found.add("activity.body", Flaw::new(Flaw::REQUIRED, "is required of a note"));
            } else if self.subject.is_empty() {
                found.add("activity.subject", Flaw::new(Flaw::REQUIRED, "subject or body is required"));
            }
        }
        for (is_wrong, field, rule) in [
            (!is_task && self.due_time.is_some(), "activity.due_time", "only a task is due"),
            (!is_task && self.done.is_some(), "activity.done", "only a task is done or not"),
            (is_note && self.start_time.is_some(), "activity.start_time", "a note has no start"),
            (is_note && self.duration_seconds.is_some(), "activity.duration_seconds", "a note takes no time"),
        ] {
            if is_wrong {
                found.add(field, Flaw::new(Flaw::CONTRADICTION, rule));
            }
        }
    }

    /// What follows from the fields that callers set, and from what was before.
    fn settle(&mut self, before: Option<&Self>) {
        if self.kind == TASK {
            let was_done = before.and_then(|before| before.done_time);
            let done = self.done.unwrap_or_default();
            // To the microsecond, as it is stored.
            let now = OffsetDateTime::now_utc();
            let now = now - Duration::nanoseconds(i64::from(now.nanosecond() % 1_000));
            (self.done, self.done_time) = (Some(done), done.then(|| was_done.unwrap_or(now)));
        }
    }
}

fn parent<K: Keeper>(resource: &str) -> Result<String, Flaw> {
    let names: Vec<_> = K::KIND.parents.iter().map(|parent| parent.plural).collect();
    match resource {
        "" => Err(Flaw::missing()),
        known if names.contains(&known) => Ok(resource.to_owned()),
        _ => Err(Flaw::new(Flaw::MALFORMED, format!("must be one of {}", names.join(", ")))),
    }
}

fn stored_kind(number: i32) -> Result<String, Flaw> {
    let name = pb::activity::Kind::try_from(number).map(|kind| kind.as_str_name());
    let found = KINDS.iter().find(|(known, _)| name == Ok(known)).map(|(_, stored)| (*stored).to_owned());
    let flaw = if number == 0 { Flaw::missing() } else { Flaw::malformed("must be a kind that is known") };
    found.ok_or(flaw)
}

fn shown_kind(stored: &str) -> Result<i32, Error> {
    let name = KINDS.iter().find(|(_, known)| *known == stored).map(|(name, _)| *name);
    let kind = name.and_then(pb::activity::Kind::from_str_name);
    kind.map(Into::into).ok_or(Error::Inconsistent("a kind of activity is unknown"))
}

/// The statements that activities have on top, to be read.
#[cfg(feature = "testkit")]
pub fn statements<K: Keeper>() -> [(&'static str, String); 3] {
    let row = crate::records::row_of::<Activity<K>>(&Fields::default());
    let select = crate::statements::Statements::new("activity", K::KIND, &row).select;
    let (tasks, timeline) = (tasks::Tasks::new(K::KIND, &select), timeline::Timeline::new(&select));
    [
        ("list_open_tasks", tasks.sql().to_owned()),
        ("find_timeline_activities", timeline.sql().to_owned()),
        ("find_activities_of", records::of_parents(K::KIND)),
    ]
}
