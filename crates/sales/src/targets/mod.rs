//! Targets: what somebody, or a sales team, is to win in a month.

mod calls;

use crm_proto::sales as pb;
use crm_resource::{Exchange, Filter, Kind, Order, Refusal, Resource, Row, Violations};
use crm_values::{Flaw, parse_calendar_date, text_key, within};
use sqlx::FromRow;
use uuid::Uuid;

/// The resource.
#[derive(Debug, Clone)]
pub struct Target;

/// What callers may set.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    /// Either this or a team; of each month one of those that are not deleted.
    owner: String,
    sales_team_id: Option<Uuid>,
    month: String,
    amount_minor: Option<i64>,
    amount_currency: Option<String>,
}

/// As of opportunities.
const MOST_MINOR: i64 = 10_000_000_000_000;

/// There is no such target.
pub const NOT_FOUND: Refusal = Refusal::not_found("TARGET_NOT_FOUND", "there is no such target");
/// The target to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("TARGET_NOT_DELETED", "the target is not deleted");
/// Somebody, or a team, has one target a month.
pub const MONTH_TAKEN: Refusal =
    Refusal::already_exists("TARGET_MONTH_TAKEN", "whose target it is has another one of this month");
/// Whose target it is, is not there.
pub const SALES_TEAM_NOT_FOUND: Refusal =
    Refusal::failed_precondition("TARGET_SALES_TEAM_NOT_FOUND", "there is no such sales team for the target");

impl Resource for Target {
    type Message = pb::Target;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::text("owner", "owner_key", text_key),
            Filter::id("sales_team_id"),
            Filter::text("month", "month", str::to_owned),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("month", "month"), Order::time("update_time")],
        constraints: &[
            ("targets_owner_month_key", &MONTH_TAKEN),
            ("targets_sales_team_month_key", &MONTH_TAKEN),
            ("targets_sales_team_fkey", &SALES_TEAM_NOT_FOUND),
        ],
        // Forecasts ask for those of their months, not for single ones.
        cache_bytes: 256 << 10,
        ..Kind::new("targets", "sales.targets", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::Target, fields: &mut Exchange<'_>) {
        fields.text("owner", &mut it.owner, &mut message.owner, within(100));
        fields.optional_id("sales_team_id", &mut it.sales_team_id, &mut message.sales_team_id);
        fields.field("month", &mut it.month, &mut message.month, |it| month(it), Ok);
        fields.money("amount", (&mut it.amount_minor, &mut it.amount_currency), &mut message.amount);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("owner", &it.owner);
        row.key("owner_key", text_key(&it.owner));
        row.set("sales_team_id", it.sales_team_id);
        row.set("month", &it.month);
        row.set("amount_minor", it.amount_minor);
        row.set("amount_currency", &it.amount_currency);
    }

    fn check(_before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        let is_clear = found.is_clear("target.owner") && found.is_clear("target.sales_team_id");
        match (now.owner.is_empty(), now.sales_team_id) {
            (true, None) if is_clear => found.add("target.owner", Flaw::missing()),
            (false, Some(_)) => {
                found.add("target.sales_team_id", Flaw::new(Flaw::CONTRADICTION, "must not be there beside an owner"));
            }
            _ => {}
        }
        let flaw = match now.amount_minor {
            None => Flaw::missing(),
            Some(minor) if minor > MOST_MINOR => {
                Flaw::new(Flaw::OUT_OF_RANGE, "must be at most 10,000,000,000,000 minor units")
            }
            Some(_) => return,
        };
        if found.is_clear("target.amount") {
            found.add("target.amount", flaw);
        }
    }
}

fn month(text: &str) -> Result<String, Flaw> {
    if text.is_empty() {
        return Err(Flaw::missing());
    }
    parse_month(text)
}

/// A month, such as `2026-11`.
pub(crate) fn parse_month(text: &str) -> Result<String, Flaw> {
    let is_month = parse_calendar_date(&format!("{text}-01")).is_ok();
    if is_month { Ok(text.to_owned()) } else { Err(Flaw::malformed("must be a month such as \"2026-01\"")) }
}
