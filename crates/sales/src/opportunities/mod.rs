//! Opportunities: what an account may buy, on its way through a pipeline.

mod account;
mod batch;
mod calls;
mod create;
mod decided;
mod kept;
mod lines;
mod people;
mod reassign;
mod settle;
mod stale;
mod stays;
mod undelete;
mod update;

use crm_proto::sales as pb;
use crm_resource::attributes::Values;
use crm_resource::{Exchange, Facets, Filter, Kind, Order, Refusal, Resource, Row, Violations};
use crm_values::{Flaw, parse_calendar_date, parse_id, required, text_key, within};
use sqlx::FromRow;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::forecast::LIKELY;
use crate::listed::Listed;
use crate::pipelines::StageKind;

pub(crate) use account::FOLLOWER;
pub(crate) use batch::Batch;
pub(crate) use lines::sum;

pub use account::ACCOUNT;
pub use batch::{LOCK_IN_STAGE, LOCK_MONTHS, LOCK_TOTALS, MAKE_TOTALS};
pub use decided::LOCK_DECIDED;
pub use lines::Line;
pub use people::Person;
pub use reassign::Reassign;
pub use settle::{PIPELINE_NOT_FOUND, PRODUCT_NOT_FOUND, STAGE_NOT_FOUND};
pub use stale::{IDLE, OVERDUE};
pub use stays::STAYS;

/// The resource.
#[derive(Debug, Clone)]
pub struct Opportunity;

/// What is stored of it; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    name: String,
    account_id: Uuid,
    /// As customers has it.
    account_name: String,
    account_deleted: bool,
    #[sqlx(try_from = "String")]
    contacts: Listed<Person>,
    pipeline_id: Uuid,
    /// Nil, before it is known where a new one begins.
    stage_id: Uuid,
    /// That of its stage.
    #[sqlx(try_from = "String")]
    state: StageKind,
    amount_minor: Option<i64>,
    amount_currency: Option<String>,
    #[sqlx(try_from = "String")]
    lines: Listed<Line>,
    /// The sum of lines, or the amount.
    value_minor: Option<i64>,
    value_currency: Option<String>,
    /// Its own, if not that of its stage.
    probability: Option<i32>,
    close_date: String,
    owner: String,
    next_step: String,
    next_step_date: String,
    lost_reason: String,
    stage_time: Option<OffsetDateTime>,
    close_time: Option<OffsetDateTime>,
    tag_ids: Vec<Uuid>,
    attributes: Values,
    /// Of the stage that it enters, for its history.
    #[sqlx(skip)]
    stage_name: String,
}

/// There is no such opportunity.
pub const NOT_FOUND: Refusal = Refusal::not_found("OPPORTUNITY_NOT_FOUND", "there is no such opportunity");
/// The opportunity to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("OPPORTUNITY_NOT_DELETED", "the opportunity is not deleted");

/// What the API calls states, and what is stored.
const STATES: &[(&str, &str)] = &[("STATE_OPEN", "open"), ("STATE_WON", "won"), ("STATE_LOST", "lost")];

impl Resource for Opportunity {
    type Message = pb::Opportunity;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::text("owner", "owner_key", text_key),
            Filter::id("stage_id"),
            Filter::id("pipeline_id"),
            Filter::id("account_id"),
            Filter::choice("state", "state", STATES),
            Filter::date("close_date"),
            Filter::tag("tag_ids"),
            Filter::attributes(),
            Filter::since("update_time"),
        ],
        orders: &[Order::time("create_time"), Order::time("update_time"), Order::text("close_date", "close_date")],
        insert_with: kept::INSERT,
        update_with: kept::UPDATE,
        deleted_with: kept::SET_DELETED,
        facets: true,
        ..Kind::new("opportunities", "sales.opportunities", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::Opportunity, fields: &mut Exchange<'_>) {
        fields.text("name", &mut it.name, &mut message.name, required(200));
        fields.id("account_id", &mut it.account_id, &mut message.account_id);
        let contacts = (&mut it.contacts.0, &mut message.contacts);
        fields.messages(("contacts", people::MOST), contacts.0, contacts.1, people::read, people::show);
        fields.id("pipeline_id", &mut it.pipeline_id, &mut message.pipeline_id);
        let stage = |id: &String| if id.is_empty() { Ok(Uuid::nil()) } else { parse_id(id) };
        fields.field("stage_id", &mut it.stage_id, &mut message.stage_id, stage, |id| Ok(id.to_string()));
        fields.money("amount", (&mut it.amount_minor, &mut it.amount_currency), &mut message.amount);
        fields.messages(("lines", lines::MOST), &mut it.lines.0, &mut message.lines, lines::read, lines::show);
        fields.number("probability", &mut it.probability, &mut message.probability, 0..=100, "must be 0 to 100");
        fields.field("close_date", &mut it.close_date, &mut message.close_date, |date| optional_date(date), Ok);
        fields.text("owner", &mut it.owner, &mut message.owner, within(100));
        fields.text("next_step", &mut it.next_step, &mut message.next_step, within(200));
        fields.field(
            "next_step_date",
            &mut it.next_step_date,
            &mut message.next_step_date,
            |date| optional_date(date),
            Ok,
        );
        fields.text("lost_reason", &mut it.lost_reason, &mut message.lost_reason, within(200));
        fields.ids("tag_ids", &mut it.tag_ids, &mut message.tag_ids);
        fields.attributes("attributes", &mut it.attributes, &mut message.attributes);
        // Nobody sends these: they are shown alone.
        fields.field("state", &mut it.state, &mut message.state, |_| Ok(StageKind::Open), |state| Ok(shown(state)));
        fields.money("value", (&mut it.value_minor, &mut it.value_currency), &mut message.value);
        let (name, deleted) = (&mut message.account_name, &mut message.account_deleted);
        fields.text("account_name", &mut it.account_name, name, within(200));
        fields.field("account_deleted", &mut it.account_deleted, deleted, |deleted| Ok(*deleted), Ok);
        fields.time("stage_time", &mut it.stage_time, &mut message.stage_time);
        fields.time("close_time", &mut it.close_time, &mut message.close_time);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("name", &it.name);
        row.set("account_id", it.account_id);
        row.set("account_name", &it.account_name);
        row.set("account_deleted", it.account_deleted);
        row.set("contacts", &it.contacts.written());
        row.set("pipeline_id", it.pipeline_id);
        row.set("stage_id", it.stage_id);
        row.set("state", &it.state.as_str().to_owned());
        row.set("amount_minor", it.amount_minor);
        row.set("amount_currency", &it.amount_currency);
        row.set("lines", &it.lines.written());
        row.set("value_minor", it.value_minor);
        row.set("value_currency", &it.value_currency);
        row.set("probability", it.probability);
        row.set("close_date", &it.close_date);
        row.set("owner", &it.owner);
        row.key("owner_key", text_key(&it.owner));
        row.set("next_step", &it.next_step);
        row.set("next_step_date", &it.next_step_date);
        row.set("lost_reason", &it.lost_reason);
        row.set("stage_time", it.stage_time);
        row.set("close_time", it.close_time);
        row.set("tag_ids", &it.tag_ids);
        row.set("attributes", &it.attributes);
        it.keep(row);
    }

    fn attributes(it: &Fields) -> Option<&Values> {
        Some(&it.attributes)
    }

    fn tags(it: &mut Fields) -> Option<&mut Vec<Uuid>> {
        Some(&mut it.tag_ids)
    }

    fn facets(it: &Fields, facets: &mut Facets) {
        facets.tags(&it.tag_ids);
    }

    fn check(before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        if before.is_some() && now.stage_id.is_nil() && found.is_clear("opportunity.stage_id") {
            found.add("opportunity.stage_id", Flaw::missing());
        }
        if before.is_none_or(|before| before.contacts != now.contacts) {
            people::check(&now.contacts.0, found);
        }
        if before.is_none_or(|before| before.lines != now.lines) {
            lines::check(&now.lines.0, found);
        }
        let is_same = before.is_some_and(|before| before.amount_minor == now.amount_minor);
        if !is_same && now.amount_minor.is_some_and(|minor| minor > lines::MOST_MINOR) {
            let rule = "must be at most 10,000,000,000,000 minor units";
            found.add("opportunity.amount", Flaw::new(Flaw::OUT_OF_RANGE, rule));
        }
    }
}

impl Fields {
    /// What is kept beside it.
    fn keep(&self, row: &mut Row) {
        let value = self.value_minor.unwrap_or_default();
        let own = self.probability.map(|percent| value * i64::from(percent));
        row.parameter("at_pipeline", self.pipeline_id);
        row.parameter("at_stage", self.stage_id);
        row.parameter("currency", &self.value_currency.clone().unwrap_or_default());
        row.parameter("value", Some(value));
        row.parameter("weighted", Some(own.unwrap_or_default()));
        row.parameter("following", Some(if own.is_some() { 0 } else { value }));
        self.keep_month(row, value);
        row.parameter("entered", self.stage_time);
        row.parameter("stage_name", &self.stage_name);
        row.parameter("is", &self.state.as_str().to_owned());
        row.parameter("of_owner", &text_key(&self.owner));
        row.parameter("because", &self.lost_reason);
        row.parameter("closes", &self.close_date);
        row.parameter("closed", self.close_time);
    }

    /// What it counts as in its month. What is won is won in whichever stage.
    fn keep_month(&self, row: &mut Row, value: i64) {
        let is_open = self.state == StageKind::Open;
        let place = if is_open { (self.pipeline_id, self.stage_id) } else { (Uuid::nil(), Uuid::nil()) };
        let is_likely = self.probability.is_some_and(|percent| percent >= LIKELY);
        row.parameter("month", &self.close_date.chars().take(7).collect::<String>());
        row.parameter("month_owner_key", &text_key(&self.owner));
        row.parameter("month_owner", &self.owner);
        row.parameter("month_state", &self.state.as_str().to_owned());
        row.parameter("month_pipeline", place.0);
        row.parameter("month_stage", place.1);
        row.parameter("likely", Some(if is_likely { value } else { 0 }));
    }

    /// Contacts that it has and `before` has not.
    fn new_contacts(&self, before: Option<&Self>) -> Vec<Uuid> {
        let known = |id: &Uuid| before.is_some_and(|before| before.contacts.0.iter().any(|it| it.contact_id == *id));
        self.contacts.0.iter().map(|person| person.contact_id).filter(|id| !known(id)).collect()
    }
}

fn optional_date(text: &str) -> Result<String, Flaw> {
    if text.is_empty() { Ok(String::new()) } else { parse_calendar_date(text) }
}

fn shown(state: StageKind) -> i32 {
    match state {
        StageKind::Open => pb::opportunity::State::Open,
        StageKind::Won => pb::opportunity::State::Won,
        StageKind::Lost => pb::opportunity::State::Lost,
    }
    .into()
}
