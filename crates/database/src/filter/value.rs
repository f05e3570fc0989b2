//! From what is written to a value of the field's kind.

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime, UtcOffset};
use uuid::Uuid;

use super::{FieldSpec, FilterError, Kind, Operator, Token, TokenKind, Value};

/// The value of a token, as `field` needs it.
pub(super) fn read(field: &FieldSpec, operator: Operator, token: &Token) -> Result<Value, FilterError> {
    let wrong = |expected: &str| FilterError::new(token.position, format!("{} needs {expected}", field.name));
    let (text, prefix) = match &token.kind {
        TokenKind::Word(word) => (word.as_str(), false),
        TokenKind::Text { text, prefix } => (text.as_str(), *prefix),
        _ => return Err(wrong("a value, in quotes where it has spaces")),
    };
    // A zero byte is the one character that Postgres' text cannot hold.
    if text.contains('\0') {
        return Err(wrong("a text without the character U+0000"));
    }
    if prefix {
        return read_prefix(field, operator, text, token.position);
    }
    match field.kind {
        Kind::Text | Kind::TextPrefix | Kind::Entries => Ok(Value::Text(text.to_owned())),
        Kind::Uuid => Uuid::parse_str(text).map(Value::Uuid).map_err(|_| wrong("a UUID")),
        Kind::Timestamp => timestamp(text, operator).map_err(wrong),
        Kind::Integer => text.parse().map(Value::Integer).map_err(|_| wrong("a whole number")),
        Kind::Boolean => text.parse().map(Value::Boolean).map_err(|_| wrong("true or false")),
    }
}

fn read_prefix(field: &FieldSpec, operator: Operator, text: &str, at: usize) -> Result<Value, FilterError> {
    let refuse = |why: &str| Err(FilterError::new(at, format!("{} {why}", field.name)));
    match (field.kind, operator) {
        (Kind::TextPrefix, Operator::Equal) if text.trim().is_empty() => refuse("needs a character before the *"),
        (Kind::TextPrefix, Operator::Equal) => Ok(Value::Prefix(text.to_owned())),
        (Kind::TextPrefix, _) => refuse("is compared with a prefix by = only"),
        _ => refuse("cannot be compared with a prefix; a plain * is written \\*"),
    }
}

/// RFC 3339, in UTC, of a year that Postgres and protobuf agree on, in whole microseconds: Postgres keeps no others.
///
/// A finer one is moved to the microsecond with which the comparison means the same.
fn timestamp(text: &str, operator: Operator) -> Result<Value, &'static str> {
    const FORM: &str = "a time such as \"2026-01-31T00:00:00Z\"";
    let time = OffsetDateTime::parse(text, &Rfc3339).map_err(|_| FORM)?;
    let time = time.checked_to_offset(UtcOffset::UTC).filter(|time| (1..=9_999).contains(&time.year())).ok_or(FORM)?;
    let finer = Duration::nanoseconds(i64::from(time.nanosecond() % 1_000));
    let below = time - finer;
    match operator {
        _ if finer.is_zero() => Ok(Value::Timestamp(time)),
        // Nothing stored is later than the last microsecond of the last year.
        Operator::GreaterOrEqual | Operator::Less => {
            Ok(Value::Timestamp(below.checked_add(Duration::MICROSECOND).unwrap_or(below)))
        }
        Operator::Greater | Operator::LessOrEqual => Ok(Value::Timestamp(below)),
        Operator::Equal | Operator::NotEqual | Operator::Has => Err("a time in whole microseconds"),
    }
}
