//! Which months are asked for, and whose.

use crm_proto::sales as pb;
use crm_proto::sales::get_forecast_request::Group;
use crm_resource::{Error, Violations};
use crm_values::{Flaw, TextRule, text_key, within};
use time::{Date, Month, OffsetDateTime};

use crate::targets::parse_month;

/// Two years: whoever wants more asks twice.
const MOST_MONTHS: i32 = 24;
/// Without a last one: three.
const USUAL_MONTHS: i32 = 3;
const OWNER: TextRule = within(100);

#[derive(Debug)]
pub(super) struct Asked {
    /// In their order, and at last the month of what has none.
    pub(super) months: Vec<String>,
    pub(super) by_team: bool,
    pub(super) owner_key: Option<String>,
}

impl Asked {
    pub(super) fn read(request: &pb::GetForecastRequest) -> Result<Self, Error> {
        let mut found = Violations::default();
        let group = Group::try_from(request.group).map_err(|_| Flaw::malformed("must be a group that is known"));
        let by_team = found.check("group", group) == Group::SalesTeam;
        let owner = found.check("owner", OWNER.parse(&request.owner));
        if by_team && !owner.is_empty() {
            found.add("owner", Flaw::new(Flaw::CONTRADICTION, "can be chosen by owners alone"));
        }
        let first = month_or(&mut found, "from_month", &request.from_month, number(&today()));
        let last = month_or(&mut found, "to_month", &request.to_month, first + USUAL_MONTHS - 1);
        if last < first {
            found.add("to_month", Flaw::new(Flaw::CONTRADICTION, "must not be before the first month"));
        }
        if last - first >= MOST_MONTHS {
            found.add("to_month", Flaw::new(Flaw::OUT_OF_RANGE, "must be one of 24 months, with the first one"));
        }
        found.finish(())?;
        let months = (first..=last).map(shown).chain([String::new()]).collect();
        Ok(Self { months, by_team, owner_key: (!owner.is_empty()).then(|| text_key(&owner)) })
    }
}

fn month_or(found: &mut Violations, field: &str, text: &str, usual: i32) -> i32 {
    if text.is_empty() { usual } else { number(&found.check(field, parse_month(text))) }
}

/// The day that it is, of UTC, as ISO 8601 writes it.
pub(crate) fn today() -> String {
    day(OffsetDateTime::now_utc().date())
}

/// The last day of a month.
pub(super) fn last_day(month: &str) -> Option<String> {
    let (year, month) = year_and_month(month)?;
    let last = month.length(year);
    Date::from_calendar_date(year, month, last).ok().map(day)
}

fn day(date: Date) -> String {
    format!("{:04}-{:02}-{:02}", date.year(), u8::from(date.month()), date.day())
}

/// Of the months of all years, which one; of a date, that of its month.
fn number(month: &str) -> i32 {
    year_and_month(month).map_or(0, |(year, month)| year * 12 + i32::from(u8::from(month)) - 1)
}

fn year_and_month(month: &str) -> Option<(i32, Month)> {
    let (year, month) = (month.get(..4)?.parse().ok()?, month.get(5..7)?.parse::<u8>().ok()?);
    Some((year, Month::try_from(month).ok()?))
}

fn shown(number: i32) -> String {
    format!("{:04}-{:02}", number / 12, number % 12 + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn months(from: &str, to: &str) -> Result<Vec<String>, Error> {
        let (from_month, to_month) = (from.to_owned(), to.to_owned());
        Asked::read(&pb::GetForecastRequest { from_month, to_month, ..Default::default() }).map(|asked| asked.months)
    }

    #[test]
    fn months_follow_each_other_over_years_and_what_has_none_comes_last() {
        assert_eq!(months("2026-11", "2027-02").unwrap(), ["2026-11", "2026-12", "2027-01", "2027-02", ""]);
        assert_eq!(months("2026-11", "2026-11").unwrap(), ["2026-11", ""]);
        assert_eq!(months("2026-12", "").unwrap(), ["2026-12", "2027-01", "2027-02", ""]);
        assert_eq!(months("2026-01", "2027-12").unwrap().len(), 25);
        assert!(today().starts_with(&months("", "").unwrap()[0]));
        for (from, to) in [("2026-01", "2028-01"), ("2026-02", "2026-01"), ("2026", ""), ("2026-13", ""), ("", "x")] {
            assert!(months(from, to).is_err(), "{from} {to}");
        }
    }

    #[test]
    fn a_month_has_a_last_day() {
        for (month, last) in [("2026-02", "2026-02-28"), ("2028-02", "2028-02-29"), ("2026-12", "2026-12-31")] {
            assert_eq!(last_day(month).as_deref(), Some(last));
        }
        assert_eq!(last_day(""), None);
    }
}
