//! Values that messages hold and crates below know nothing of.

use crm_proto::google::r#type::Money as MoneyMessage;
use crm_values::{Currency, Flaw, Money};
use prost_types::Timestamp;
use time::OffsetDateTime;

use crate::Error;

/// The number, if it is within the range that `rule` describes.
///
/// # Errors
/// It is not.
pub fn in_range(
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
///
/// # Errors
/// The currency is none of today's, or the amount is negative, too large, or no whole number of minor units.
pub fn parse_money(message: Option<&MoneyMessage>) -> Result<Option<Money>, Flaw> {
    let Some(message) = message else { return Ok(None) };
    let currency = Currency::parse(&message.currency_code)?;
    Money::from_parts(message.units, message.nanos, currency).map(Some)
}

/// The message of a stored amount: whole minor units, and the code of their currency.
///
/// # Errors
/// The currency is unknown to this release.
pub fn money_message(minor: Option<i64>, currency: Option<&str>) -> Result<Option<MoneyMessage>, Error> {
    let (Some(minor), Some(code)) = (minor, currency) else { return Ok(None) };
    let currency = Currency::stored(code).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
    let (units, nanos) = Money::from_minor(minor, currency).parts();
    Ok(Some(MoneyMessage { currency_code: currency.code().to_owned(), units, nanos }))
}

/// The message of a point in time.
pub fn timestamp(time: OffsetDateTime) -> Timestamp {
    Timestamp { seconds: time.unix_timestamp(), nanos: i32::try_from(time.nanosecond()).unwrap_or_default() }
}
