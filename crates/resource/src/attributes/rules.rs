//! What a value of an attribute may be.

use crm_values::{Flaw, within};
use prost_types::value::Kind;
use serde_json::Value;
use time::{Date, Month};

use super::known::{KnownAttribute, Type};
use super::number;

/// Longest text where a definition says nothing.
const USUAL_LENGTH: u16 = 200;

/// A small letter, and small letters, digits and `_`: 40 in all.
pub(super) fn is_key(key: &str) -> bool {
    let is_of_key = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
    (1..=40).contains(&key.len()) && key.as_bytes()[0].is_ascii_lowercase() && key.bytes().all(is_of_key)
}

impl KnownAttribute {
    /// The value as it is stored; none, if it says nothing.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub(super) fn read(&self, value: &prost_types::Value) -> Result<Option<Value>, Flaw> {
        match (&value.kind, self.kind) {
            (Some(Kind::NullValue(_)), _) => Ok(None),
            (Some(Kind::NumberValue(number)), Type::Number) => number::stored(*number).map(Some),
            (Some(Kind::StringValue(text)), Type::Text | Type::Date | Type::Choice) => self.read_text(text),
            (_, Type::Number) => Err(Flaw::malformed("must be a number")),
            (_, Type::Text) => Err(Flaw::malformed("must be a text")),
            (_, Type::Date) => Err(no_date()),
            (_, Type::Choice) => Err(Flaw::malformed("must be one of the choices, as a text")),
        }
    }

    /// The value that a text says, as of a column of a file; none, if it says nothing.
    ///
    /// # Errors
    /// Which rule it breaks.
    pub fn parse(&self, text: &str) -> Result<Option<prost_types::Value>, Flaw> {
        let text = text.trim();
        let kind = match self.kind {
            _ if text.is_empty() => return Ok(None),
            Type::Number => Kind::NumberValue(number::parse(text)?),
            Type::Text | Type::Date | Type::Choice => Kind::StringValue(text.to_owned()),
        };
        let value = prost_types::Value { kind: Some(kind) };
        Ok(self.read(&value)?.map(|_| value))
    }

    fn read_text(&self, text: &str) -> Result<Option<Value>, Flaw> {
        let rule = within(self.max_length.unwrap_or(USUAL_LENGTH).into());
        let text = match self.kind {
            _ if text.is_empty() => return Ok(None),
            Type::Date => date(text)?,
            Type::Choice => self.choice(text)?,
            Type::Text | Type::Number => rule.parse(text)?,
        };
        Ok((!text.is_empty()).then(|| text.into()))
    }

    fn choice(&self, text: &str) -> Result<String, Flaw> {
        match self.choices.iter().find(|choice| choice.value == text) {
            Some(choice) if choice.archived => Err(Flaw::malformed("names a choice that is archived")),
            Some(choice) => Ok(choice.value.clone()),
            None => Err(Flaw::malformed("must be one of the choices")),
        }
    }
}

fn no_date() -> Flaw {
    Flaw::malformed("must be a day of the years 1 to 9999, such as \"2026-11-27\"")
}

/// A day, written as the calendar has it.
pub(super) fn date(text: &str) -> Result<String, Flaw> {
    let is_form = text.len() == 10
        && text.bytes().enumerate().all(|(at, byte)| match at {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let part = |from: usize, to: usize| text.get(from..to)?.parse::<u16>().ok();
    let found = || {
        let (year, month, day) = (part(0, 4)?, part(5, 7)?, part(8, 10)?);
        let month = Month::try_from(u8::try_from(month).ok()?).ok()?;
        Date::from_calendar_date(year.into(), month, u8::try_from(day).ok()?).ok().filter(|date| date.year() > 0)
    };
    if is_form && found().is_some() { Ok(text.to_owned()) } else { Err(no_date()) }
}
