//! Exchange rates: what one unit of a currency is worth in another, from some day on.

mod calls;
mod convert;
mod known;
mod report;

use crm_proto::sales as pb;
use crm_resource::{Exchange, Filter, Kind, Order, Refusal, Resource, Row, Violations};
use crm_values::{Currency, Flaw, parse_calendar_date, parse_decimal, show_decimal};
use sqlx::FromRow;

pub use convert::{Exact, Rate, convert};
pub use known::{RATES, Rates};
pub(crate) use report::{Part, Report};

/// The resource.
#[derive(Debug, Clone)]
pub struct ExchangeRate;

/// What callers may set.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    base_currency: String,
    quote_currency: String,
    /// Unique among those of the same currencies that are not deleted.
    start_date: String,
    rate_trillionths: i64,
}

/// Enough for the least that one unit of money is worth in another.
const PLACES: u32 = 12;
/// More than the most: as many trillionths as can be kept.
const MOST_TRILLIONTHS: i64 = 9_000_000_000_000_000_000;

/// There is no such rate.
pub const NOT_FOUND: Refusal = Refusal::not_found("EXCHANGE_RATE_NOT_FOUND", "there is no such exchange rate");
/// The rate to be brought back is there.
pub const NOT_DELETED: Refusal =
    Refusal::already_exists("EXCHANGE_RATE_NOT_DELETED", "the exchange rate is not deleted");
/// A day has one rate that begins on it.
pub const DATE_TAKEN: Refusal =
    Refusal::already_exists("EXCHANGE_RATE_DATE_TAKEN", "another rate of these currencies begins on this day");

impl Resource for ExchangeRate {
    type Message = pb::ExchangeRate;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::text("base_currency", "base_currency", str::to_owned),
            Filter::date("start_date"),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("start_date", "start_date"), Order::time("update_time")],
        constraints: &[("exchange_rates_start_date_key", &DATE_TAKEN)],
        // Reports ask for those of their days, not for single ones.
        cache_bytes: 256 << 10,
        ..Kind::new("exchange_rates", "sales.exchange_rates", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::ExchangeRate, fields: &mut Exchange<'_>) {
        fields.field("base_currency", &mut it.base_currency, &mut message.base_currency, |it| currency(it), Ok);
        fields.field("quote_currency", &mut it.quote_currency, &mut message.quote_currency, |it| currency(it), Ok);
        fields.field("start_date", &mut it.start_date, &mut message.start_date, |it| start_date(it), Ok);
        fields.field("rate", &mut it.rate_trillionths, &mut message.rate, |it| rate(it), |it| Ok(shown(it)));
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("base_currency", &it.base_currency);
        row.set("quote_currency", &it.quote_currency);
        row.set("start_date", &it.start_date);
        row.set("rate_trillionths", Some(it.rate_trillionths));
    }

    fn check(_before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        if !now.base_currency.is_empty() && now.base_currency == now.quote_currency {
            let rule = "must be another one than the base currency";
            found.add("exchange_rate.quote_currency", Flaw::new(Flaw::CONTRADICTION, rule));
        }
    }
}

fn currency(code: &str) -> Result<String, Flaw> {
    if code.is_empty() { Err(Flaw::missing()) } else { Currency::parse(code).map(|it| it.code().to_owned()) }
}

fn start_date(text: &str) -> Result<String, Flaw> {
    if text.is_empty() { Err(Flaw::missing()) } else { parse_calendar_date(text) }
}

fn rate(text: &str) -> Result<i64, Flaw> {
    match text {
        "" => Err(Flaw::missing()),
        text => match parse_decimal(text, PLACES as usize, MOST_TRILLIONTHS)? {
            0 => Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be more than zero")),
            trillionths => Ok(trillionths),
        },
    }
}

/// A rate as it is written.
fn shown(trillionths: i64) -> String {
    show_decimal(trillionths, PLACES as usize)
}
