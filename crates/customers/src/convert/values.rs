//! Values that several messages share.

use crm_proto::google::r#type::Money as MoneyMessage;
use crm_values::{Currency, Flaw, Money};
use prost_types::Timestamp;
use time::OffsetDateTime;

use super::violations::Violations;

/// The number, if it is within the range that `rule` describes.
pub(super) fn in_range(
    value: Option<i32>,
    range: std::ops::RangeInclusive<i32>,
    rule: &'static str,
) -> Result<Option<i32>, Flaw> {
    match value {
        Some(number) if !range.contains(&number) => Err(Flaw::new(Flaw::OUT_OF_RANGE, rule)),
        value => Ok(value),
    }
}

/// The amount in a message.
pub(super) fn parse_money(message: Option<&MoneyMessage>) -> Result<Option<Money>, Flaw> {
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
    parse: fn(&str) -> Result<String, Flaw>,
    violations: &mut Violations,
) -> Vec<String> {
    const MOST: usize = 10;
    if texts.len() > MOST {
        violations.add(field, Flaw::new(Flaw::TOO_LONG, "must have at most 10 items"));
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
