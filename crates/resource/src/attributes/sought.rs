//! What a filter asks of an attribute: a text, or a range of numbers or days.

use crm_database::filter::{Condition, FilterError, Operator, Value};
use crm_values::{Flaw, kept};
use sqlx::{Postgres, QueryBuilder};
use time::{Date, Month};

use super::facet::{facet_of, number_key, text_value};
use super::known::{Known, KnownAttribute, Type};
use super::{number, rules};
use crate::facets::{Shown, Sought};
use crate::kind::Kind;

/// Values that are sought, in the order of their kind; both ends belong to them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Range {
    Text(String),
    Days(String, String),
    /// In thousand millionths.
    Numbers(i128, i128),
}

/// An attribute, and what its value must be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wanted {
    key: String,
    range: Range,
}

const FIRST_DAY: &str = "0001-01-01";
const LAST_DAY: &str = "9999-12-31";

/// The facets that conditions on attributes ask for. Several on one number or day are one range.
///
/// # Errors
/// Lists cannot be filtered by the attribute, not so, or not with this value.
pub(crate) fn sought(kind: &Kind, known: &Known, conditions: &[Condition]) -> Result<Vec<Sought>, Flaw> {
    let mut all: Vec<(&KnownAttribute, Range)> = Vec::new();
    for Condition { operator, value, .. } in conditions {
        let Value::Entry { key, text, position } = value else { continue };
        let flaw = |message: String| FilterError::new(*position, format!("attributes.{key} {message}"));
        let found = find(known, key).and_then(|attribute| Ok((attribute, range(attribute, *operator, text)?)));
        let (attribute, range) = found.map_err(|message| Flaw::new("FILTER_INVALID", flaw(message).to_string()))?;
        match all.iter_mut().find(|(other, before)| other.key == attribute.key && before.takes(&range)) {
            Some((_, before)) => before.narrow(range),
            None => all.push((attribute, range)),
        }
    }
    Ok(all.into_iter().map(|(attribute, range)| facet(kind, attribute, range)).collect())
}

fn find<'k>(known: &'k Known, key: &str) -> Result<&'k KnownAttribute, String> {
    match known.find(key) {
        Some(attribute) if attribute.filterable => Ok(attribute),
        Some(_) => Err("is not filterable: MakeAttributeFilterable makes it so".to_owned()),
        None => {
            let names: Vec<_> = known.iter().filter(|it| it.filterable).map(|it| it.key.as_str()).collect();
            Err(format!("is no attribute that is filterable; these are: {}", names.join(", ")))
        }
    }
}

fn facet(kind: &Kind, attribute: &KnownAttribute, range: Range) -> Sought {
    let values = match &range {
        Range::Text(text) => (text_value(text), text_value(text)),
        Range::Days(low, high) => (low.clone(), high.clone()),
        Range::Numbers(low, high) => (number_key(*low), number_key(*high)),
    };
    Sought {
        facet: facet_of(kind.plural, &attribute.key),
        values,
        is_ready: attribute.ready,
        shown: Shown::Attribute(Wanted { key: attribute.key.clone(), range }),
    }
}

fn range(attribute: &KnownAttribute, operator: Operator, text: &str) -> Result<Range, String> {
    match attribute.kind {
        Type::Text | Type::Choice if operator != Operator::Equal => Err("is compared by =".to_owned()),
        Type::Text => Ok(Range::Text(kept(text).to_owned())),
        Type::Choice if attribute.choices.iter().any(|choice| choice.value == text) => Ok(Range::Text(text.to_owned())),
        Type::Choice => {
            let values: Vec<_> = attribute.choices.iter().map(|choice| choice.value.as_str()).collect();
            Err(format!("must be one of {}", values.join(", ")))
        }
        Type::Number => numbers(operator, text),
        Type::Date => days(operator, text),
    }
}

fn numbers(operator: Operator, text: &str) -> Result<Range, String> {
    const MOST: i128 = number::BEYOND - 1;
    let number = number::parse(text).and_then(|number| number::stored(number).map(|_| number));
    let number = number.map_err(|flaw| flaw.description.into_owned())?;
    let number = number::scaled(number).ok_or("must be a number")?;
    Ok(match operator {
        Operator::Less => Range::Numbers(-MOST, number - 1),
        Operator::LessOrEqual => Range::Numbers(-MOST, number),
        Operator::Greater => Range::Numbers(number + 1, MOST),
        Operator::GreaterOrEqual => Range::Numbers(number, MOST),
        _ => Range::Numbers(number, number),
    })
}

fn days(operator: Operator, text: &str) -> Result<Range, String> {
    let day = rules::date(text).map_err(|flaw| flaw.description.into_owned())?;
    Ok(match operator {
        // Before the first day there is none, and behind the last.
        Operator::Less => Range::Days(FIRST_DAY.to_owned(), beside(&day, Date::previous_day).unwrap_or_default()),
        Operator::LessOrEqual => Range::Days(FIRST_DAY.to_owned(), day),
        Operator::Greater => {
            Range::Days(beside(&day, Date::next_day).unwrap_or_else(|| "~".to_owned()), LAST_DAY.to_owned())
        }
        Operator::GreaterOrEqual => Range::Days(day, LAST_DAY.to_owned()),
        _ => Range::Days(day.clone(), day),
    })
}

/// The day before or behind one.
fn beside(day: &str, step: fn(Date) -> Option<Date>) -> Option<String> {
    let part = |from: usize, to: usize| day.get(from..to)?.parse::<u16>().ok();
    let month = Month::try_from(u8::try_from(part(5, 7)?).ok()?).ok()?;
    let date = Date::from_calendar_date(part(0, 4)?.into(), month, u8::try_from(part(8, 10)?).ok()?).ok()?;
    let date = step(date).filter(|date| (1..=9_999).contains(&date.year()))?;
    Some(format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day()))
}

impl Range {
    /// Whether both are ranges, of which what is in both is one.
    fn takes(&self, other: &Self) -> bool {
        matches!((self, other), (Self::Days(..), Self::Days(..)) | (Self::Numbers(..), Self::Numbers(..)))
    }

    fn narrow(&mut self, other: Self) {
        match (self, other) {
            (Self::Days(low, high), Self::Days(other_low, other_high)) => {
                *low = std::mem::take(low).max(other_low);
                *high = std::mem::take(high).min(other_high);
            }
            (Self::Numbers(low, high), Self::Numbers(other_low, other_high)) => {
                (*low, *high) = ((*low).max(other_low), (*high).min(other_high));
            }
            _ => {}
        }
    }
}

impl Wanted {
    /// Adds the condition, of the record's own column.
    pub(crate) fn push(&self, query: &mut QueryBuilder<Postgres>) {
        let key = &self.key;
        let ends = match &self.range {
            Range::Text(text) => {
                query.push(" and attributes ->> ").push_bind(key.clone()).push(" = ").push_bind(text.clone());
                return;
            }
            Range::Days(low, high) => [(">=", low), ("<=", high)].map(|(symbol, day)| (symbol, day.clone())),
            Range::Numbers(low, high) => {
                [(">=", *low), ("<=", *high)].map(|(symbol, number)| (symbol, decimal(number)))
            }
        };
        for (symbol, end) in ends {
            let is_day = matches!(self.range, Range::Days(..));
            let arrow = if is_day { "->>" } else { "->" };
            query.push(format_args!(" and (attributes {arrow} ")).push_bind(key.clone());
            // As values of JSON: a cast might meet a value that is no number before the others are left out.
            let (collate, to, cast) = if is_day { (" collate \"C\"", "", "") } else { ("", "to_jsonb(", "::numeric)") };
            query.push(format_args!("){collate} {symbol} {to}")).push_bind(end).push(cast);
        }
    }
}

/// So many thousand millionths, as digits with a point.
fn decimal(scaled: i128) -> String {
    const ONE: u128 = 1_000_000_000;
    let (sign, size) = (if scaled < 0 { "-" } else { "" }, scaled.unsigned_abs());
    format!("{sign}{}.{:09}", size / ONE, size % ONE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comparisons_are_ranges_with_both_ends() {
        const MOST: i128 = number::BEYOND - 1;
        let one = 1_000_000_000;
        for (operator, expected) in [
            (Operator::Equal, Range::Numbers(one, one)),
            (Operator::Less, Range::Numbers(-MOST, one - 1)),
            (Operator::LessOrEqual, Range::Numbers(-MOST, one)),
            (Operator::Greater, Range::Numbers(one + 1, MOST)),
            (Operator::GreaterOrEqual, Range::Numbers(one, MOST)),
        ] {
            assert_eq!(numbers(operator, "1"), Ok(expected));
        }
        let range = |low: &str, high: &str| Ok(Range::Days(low.to_owned(), high.to_owned()));
        for (operator, day, expected) in [
            (Operator::Equal, "2026-11-27", range("2026-11-27", "2026-11-27")),
            (Operator::Less, "2028-03-01", range(FIRST_DAY, "2028-02-29")),
            (Operator::LessOrEqual, "2026-11-27", range(FIRST_DAY, "2026-11-27")),
            (Operator::Greater, "2026-12-31", range("2027-01-01", LAST_DAY)),
            (Operator::GreaterOrEqual, "2026-11-27", range("2026-11-27", LAST_DAY)),
            (Operator::Less, FIRST_DAY, range(FIRST_DAY, "")),
            (Operator::Greater, LAST_DAY, range("~", LAST_DAY)),
        ] {
            assert_eq!(days(operator, day), expected, "{day}");
        }
        for day in ["", "2026-02-30", "2026-1-01", "0000-01-01", "2026-11-27T00:00:00Z", "２０２６-11-27"] {
            assert!(days(Operator::Equal, day).is_err(), "{day}");
        }
        assert_eq!(decimal(-1_500_000_001), "-1.500000001");
        assert_eq!(decimal(0), "0.000000000");
    }

    #[test]
    fn ranges_of_one_attribute_are_what_is_in_all_of_them() {
        let mut days = Range::Days("2026-01-01".to_owned(), LAST_DAY.to_owned());
        days.narrow(Range::Days(FIRST_DAY.to_owned(), "2026-06-30".to_owned()));
        assert_eq!(days, Range::Days("2026-01-01".to_owned(), "2026-06-30".to_owned()));
        let mut numbers = Range::Numbers(1, 9);
        numbers.narrow(Range::Numbers(3, 12));
        assert_eq!(numbers, Range::Numbers(3, 9));
        assert!(!Range::Text("a".to_owned()).takes(&Range::Text("a".to_owned())));
    }
}
