//! Dates and amounts, as the files write them.

use crm_proto::google::r#type::Money;
use crm_values::parse_calendar_date;

use super::repair;
use super::report::Report;

/// What one unit of money has of the smallest one that is kept.
const CENTS: i64 = 100;
const NANOS_PER_CENT: i64 = 10_000_000;

/// Whole cents of dollars as a message.
pub(super) fn dollars(cents: i64) -> Money {
    let nanos = i32::try_from(cents % CENTS * NANOS_PER_CENT).unwrap_or_default();
    Money { currency_code: "USD".into(), units: cents / CENTS, nanos }
}

/// The cents of an amount of dollars; of another currency none.
pub(super) fn cents_of(money: &Money) -> Option<i64> {
    let is_dollars = money.currency_code == "USD";
    let parts = i64::from(money.nanos) / NANOS_PER_CENT;
    money.units.checked_mul(CENTS)?.checked_add(parts).filter(|_| is_dollars)
}

/// Cents of a number with so many decimals, of units that have so many decimals more: exact, without floating point.
pub(super) fn cents(text: &str, decimals_of_unit: usize) -> Option<i64> {
    let most = decimals_of_unit + 2;
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > most {
        return None;
    }
    let per_unit = 10_i64.checked_pow(u32::try_from(most).ok()?)?;
    let decimals: i64 = format!("{decimals:0<most$}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(per_unit)?.checked_add(decimals)
}

/// A date in the order of ISO 8601. What went through a spreadsheet has days first and two digits of the year; all of this
/// data set is younger than 2000.
pub(super) fn date(text: &str, report: &mut Report) -> Option<String> {
    if let Ok(date) = parse_calendar_date(text) {
        return Some(date);
    }
    let [day, month, year]: [&str; 3] = text.split('-').collect::<Vec<_>>().try_into().ok()?;
    let year = if year.len() == 2 { format!("20{year}") } else { year.to_owned() };
    let date = parse_calendar_date(&format!("{year}-{month:0>2}-{day:0>2}")).ok()?;
    report.repaired(repair::DATE_FORM);
    Some(date)
}

/// The quarter of a date, as the files call it: `Q1 2017`.
pub(super) fn quarter(date: &str) -> Option<String> {
    let month: u32 = date.get(5..7)?.parse().ok()?;
    Some(format!("Q{} {}", (month.checked_sub(1)?) / 3 + 1, date.get(..4)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_cents() {
        for (text, of_dollars, of_millions) in [
            ("1100.04", Some(110_004), Some(110_004_000_000)),
            ("4.54", Some(454), Some(454_000_000)),
            ("4618", Some(461_800), Some(461_800_000_000)),
            ("0", Some(0), Some(0)),
            ("0.00000001", None, Some(1)),
            ("0.000000001", None, None),
            ("-1", None, None),
            ("1e3", None, None),
            ("1,054", None, None),
            ("", None, None),
            (".", None, None),
            ("99999999999999999", None, None),
        ] {
            assert_eq!((cents(text, 0), cents(text, 6)), (of_dollars, of_millions), "{text}");
        }
    }

    #[test]
    fn cents_become_units_and_nanos_and_come_back() {
        let money = dollars(454_000_012);
        assert_eq!((money.units, money.nanos), (4_540_000, 120_000_000));
        assert_eq!(cents_of(&money), Some(454_000_012));
        assert_eq!(cents_of(&Money { currency_code: "EUR".into(), ..money }), None);
    }

    #[test]
    fn days_come_first_unless_years_do() {
        let mut report = Report::default();
        for (text, right) in [
            ("20-10-16", Some("2016-10-20")),
            ("01-03-17", Some("2017-03-01")),
            ("1-3-2017", Some("2017-03-01")),
            ("2017-03-01", Some("2017-03-01")),
            ("29-02-16", Some("2016-02-29")),
            ("29-02-17", None),
            ("10-20-16", None),
            ("20/10/16", None),
            ("20-10", None),
            ("", None),
        ] {
            assert_eq!(date(text, &mut report).as_deref(), right, "{text}");
        }
        assert_eq!(report.repaired, [("date_form", 4)].into());
    }

    #[test]
    fn quarters_have_three_months() {
        for (date, right) in [("2017-03-31", "Q1 2017"), ("2017-04-01", "Q2 2017"), ("2016-12-31", "Q4 2016")] {
            assert_eq!(quarter(date).as_deref(), Some(right));
        }
        assert_eq!(quarter(""), None);
    }
}
