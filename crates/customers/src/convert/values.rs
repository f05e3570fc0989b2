//! Values that several messages share.

use crm_proto::google::r#type::Money as MoneyMessage;
use prost_types::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use super::violations::Violations;
use crate::domain::{Currency, Fault, Money};

/// The id in a text.
pub(super) fn parse_id(text: &str) -> Result<Uuid, Fault> {
    match text {
        "" => Err(Fault::missing()),
        // Hyphenated only: an id has one spelling.
        text if text.len() == 36 => Uuid::try_parse(text).map_err(|_| not_an_id()),
        _ => Err(not_an_id()),
    }
}

/// Writes an id as the service does, so that requests that differ in its case alone are one request.
pub(super) fn unify_id(text: &mut String) {
    if let Ok(id) = parse_id(text) {
        *text = id.to_string();
    }
}

fn not_an_id() -> Fault {
    Fault::malformed("must be a UUID such as \"0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e\"")
}

/// The id in a text that may be empty.
pub(super) fn parse_optional_id(text: &str) -> Result<Option<Uuid>, Fault> {
    if text.is_empty() { Ok(None) } else { parse_id(text).map(Some) }
}

/// The number, if it is within the range that `rule` describes.
pub(super) fn in_range(
    value: Option<i32>,
    range: std::ops::RangeInclusive<i32>,
    rule: &'static str,
) -> Result<Option<i32>, Fault> {
    match value {
        Some(number) if !range.contains(&number) => Err(Fault::new(Fault::OUT_OF_RANGE, rule)),
        value => Ok(value),
    }
}

/// The amount in a message.
pub(super) fn parse_money(message: Option<&MoneyMessage>) -> Result<Option<Money>, Fault> {
    let Some(message) = message else { return Ok(None) };
    let currency = Currency::parse(&message.currency_code)?;
    Money::from_parts(message.units, message.nanos, currency).map(Some)
}

/// The message of an amount.
pub(super) fn money_message(money: Money) -> MoneyMessage {
    let (units, nanos) = money.parts();
    MoneyMessage { currency_code: money.currency().code().to_owned(), units, nanos }
}

/// The message of a point in time.
pub(super) fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or_default() }
}

/// Up to ten texts, each parsed unless it is `stored` already, none twice. Faults are noted under the item's own path.
pub(super) fn parse_each(
    field: &str,
    texts: &[String],
    stored: &[String],
    parse: fn(&str) -> Result<String, Fault>,
    violations: &mut Violations,
) -> Vec<String> {
    const MOST: usize = 10;
    if texts.len() > MOST {
        violations.add(field, Fault::new(Fault::TOO_LONG, "must have at most 10 items"));
    }
    let mut kept = Vec::with_capacity(texts.len().min(MOST));
    for (index, text) in texts.iter().enumerate().take(MOST) {
        let value = if stored.contains(text) { Ok(text.clone()) } else { parse(text) };
        let value = violations.check(&format!("{field}[{index}]"), value);
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
