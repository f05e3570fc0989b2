//! Numbers as people's spreadsheets write them: with points or commas, which mean opposite things in neighbouring countries.

use crm_values::Flaw;

const WHOLE: &str = "must be a whole number, such as 1200";
const DECIMAL: &str = "must be a number, such as 1200.50; one mark with three digits behind it may mean either";

/// A whole number, with marks between thousands or without.
pub(super) fn parse_whole(cell: &str) -> Result<i32, Flaw> {
    let flaw = || Flaw::malformed(WHOLE);
    let (sign, digits) = cell.strip_prefix('-').map_or(("", cell), |rest| ("-", rest));
    let marks: Vec<char> = digits.chars().filter(|mark| !mark.is_ascii_digit()).collect();
    let whole = match marks.first() {
        None => digits.to_owned(),
        Some(mark) if marks.iter().all(|other| other == mark) => grouped(digits, *mark).ok_or_else(flaw)?,
        Some(_) => return Err(flaw()),
    };
    let out_of_range = || Flaw::new(Flaw::OUT_OF_RANGE, "is too large");
    if whole.is_empty() { Err(flaw()) } else { (sign.to_owned() + &whole).parse().map_err(|_| out_of_range()) }
}

/// Units and billionths. The last of two different marks stands before the decimals; so does one that stands there once, unless
/// three digits follow.
pub(super) fn parse_decimal(cell: &str) -> Result<(i64, i32), Flaw> {
    let flaw = || Flaw::malformed(DECIMAL);
    let (is_negative, digits) = cell.strip_prefix('-').map_or((false, cell), |rest| (true, rest));
    let (whole, decimals) = split(digits).ok_or_else(flaw)?;
    let marks: Vec<char> = whole.chars().filter(|mark| !mark.is_ascii_digit()).collect();
    let whole = match marks.first() {
        None => whole.to_owned(),
        Some(mark) if marks.iter().all(|other| other == mark) => grouped(whole, *mark).ok_or_else(flaw)?,
        Some(_) => return Err(flaw()),
    };
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !is_digits(&whole) || !(decimals.is_empty() || is_digits(decimals)) || decimals.len() > 9 {
        return Err(flaw());
    }
    let units: i64 = whole.parse().map_err(|_| Flaw::new(Flaw::OUT_OF_RANGE, "is too large"))?;
    let nanos: i32 = format!("{decimals:0<9}").parse().map_err(|_| flaw())?;
    Ok(if is_negative { (-units, -nanos) } else { (units, nanos) })
}

/// The decimal number of units and billionths.
pub(super) fn show_decimal(units: i64, nanos: i32) -> String {
    let sign = if units < 0 || nanos < 0 { "-" } else { "" };
    let (units, decimals) = (units.unsigned_abs(), format!("{:09}", nanos.unsigned_abs()));
    match decimals.trim_end_matches('0') {
        "" => format!("{sign}{units}"),
        // Three could be thousands.
        three if three.len() == 3 => format!("{sign}{units}.{three}0"),
        decimals => format!("{sign}{units}.{decimals}"),
    }
}

/// What stands before and behind the mark of the decimals.
fn split(digits: &str) -> Option<(&str, &str)> {
    let Some(at) = digits.rfind(['.', ',']) else { return Some((digits, "")) };
    let (whole, decimals) = (&digits[..at], &digits[at + 1..]);
    let mark = &digits[at..=at];
    let others = whole.contains(['.', ',', '\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}']);
    match (whole.contains(mark), decimals.len()) {
        (true, _) => Some((digits, "")),
        (false, 3) if !others && whole != "0" => None,
        (false, _) => Some((whole, decimals)),
    }
}

/// The digits between marks, if each group but the first has three.
fn grouped(digits: &str, mark: char) -> Option<String> {
    if !['.', ',', '\'', '\u{2019}', ' ', '\u{a0}', '\u{202f}'].contains(&mark) {
        return None;
    }
    let mut groups = digits.split(mark);
    let first = groups.next().filter(|first| (1..=3).contains(&first.len()))?;
    groups.try_fold(first.to_owned(), |all, group| (group.len() == 3).then(|| all + group))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whole_numbers_have_marks_between_thousands_or_none() {
        for (cell, expected) in [
            ("1200", Some(1200)),
            ("1.200", Some(1200)),
            ("1,200", Some(1200)),
            ("1'200'300", Some(1_200_300)),
            ("12\u{a0}000", Some(12_000)),
            ("-5", Some(-5)),
            ("1.20", None),
            ("1.2000", None),
            ("1200,300", None),
            ("1.200,300", None),
            ("1_000", None),
            ("ten", None),
            ("", None),
            ("-", None),
            ("99999999999", None),
        ] {
            assert_eq!(parse_whole(cell).ok(), expected, "{cell:?}");
        }
    }

    #[test]
    fn decimals_are_told_from_thousands_where_that_can_be_told() {
        for (cell, expected) in [
            ("1200", Some((1200, 0))),
            ("1200.5", Some((1200, 500_000_000))),
            ("1200,50", Some((1200, 500_000_000))),
            ("1.200,50", Some((1200, 500_000_000))),
            ("1,200.50", Some((1200, 500_000_000))),
            ("1.200.300", Some((1_200_300, 0))),
            ("1 200,345", Some((1200, 345_000_000))),
            ("0.125", Some((0, 125_000_000))),
            ("-0.5", Some((0, -500_000_000))),
            ("1.200", None),
            ("1,200", None),
            ("1.20.5", None),
            ("1,2,3.4", None),
            ("1e6", None),
            ("EUR 5", None),
            (".5", None),
            ("5.", Some((5, 0))),
            ("99999999999999999999", None),
        ] {
            assert_eq!(parse_decimal(cell).ok(), expected, "{cell:?}");
        }
    }

    #[test]
    fn what_is_shown_is_read_again() {
        for (units, nanos, text) in
            [(1200, 0, "1200"), (1200, 500_000_000, "1200.5"), (0, 10_000_000, "0.01"), (-3, -250_000_000, "-3.25")]
        {
            assert_eq!(show_decimal(units, nanos), text);
            assert_eq!(parse_decimal(text).ok(), Some((units, nanos)));
        }
        // Of three digits it is not known which they are, so there are never three.
        assert_eq!(show_decimal(1200, 345_000_000), "1200.3450");
    }
}
