//! The months of a period, as the years and months that they are counted by.

use crm_resource::Violations;
use crm_values::Flaw;
use time::OffsetDateTime;

/// From the beginning of one month to the end of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Period {
    first: Month,
    last: Month,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
struct Month {
    year: i32,
    month: u8,
}

/// Whole years, or months: from one to another.
pub(super) type Part = (&'static str, String, String);

impl Period {
    /// What a request asks for: the current month, unless it says another; one, unless it says two.
    pub(super) fn read(first: &str, last: &str, now: OffsetDateTime, found: &mut Violations) -> Self {
        let this = Month { year: now.year(), month: now.month().into() };
        let last = if last.is_empty() { Ok(this) } else { Month::parse(last) };
        let last = found.check("to_month", last);
        let first = if first.is_empty() { Ok(last) } else { Month::parse(first) };
        let first = found.check("from_month", first);
        if found.is_clear("from_month") && found.is_clear("to_month") && first > last {
            found.add("from_month", Flaw::new(Flaw::CONTRADICTION, "must not be after to_month"));
        }
        Self { first, last }
    }

    pub(super) fn first(self) -> String {
        self.first.text()
    }

    pub(super) fn last(self) -> String {
        self.last.text()
    }

    /// Three at most: the months of a year that is not whole, whole years, and months again.
    pub(super) fn parts(self) -> Vec<Part> {
        let Self { first, last } = self;
        let months = |first: Month, last: Month| ("month", first.text(), last.text());
        let begin = if first.month == 1 { first.year } else { first.year + 1 };
        let end = if last.month == 12 { last.year } else { last.year - 1 };
        if begin > end {
            return vec![months(first, last)];
        }
        let mut parts = vec![("year", year(begin), year(end))];
        if begin > first.year {
            parts.push(months(first, Month { year: first.year, month: 12 }));
        }
        if end < last.year {
            parts.push(months(Month { year: last.year, month: 1 }, last));
        }
        parts
    }
}

impl Month {
    fn parse(text: &str) -> Result<Self, Flaw> {
        let is_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        let (year, month) = text.split_once('-').filter(|(year, month)| year.len() == 4 && month.len() == 2).unzip();
        let number = |text: Option<&str>| text.filter(|text| is_digits(text)).and_then(|text| text.parse::<i32>().ok());
        let found = number(year).zip(number(month)).filter(|(_, month)| (1..=12).contains(month));
        let (year, month) = found.ok_or(Flaw::malformed("must be a month, such as 2026-01"))?;
        Ok(Self { year, month: u8::try_from(month).unwrap_or_default() })
    }

    fn text(self) -> String {
        format!("{:04}-{:02}", self.year, self.month)
    }
}

fn year(year: i32) -> String {
    format!("{year:04}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_period_is_whole_years_and_the_months_at_its_ends() {
        let now = OffsetDateTime::from_unix_timestamp(1_795_820_000).unwrap();
        for (first, last, parts) in [
            ("", "", "month 2026-11 2026-11"),
            ("", "2026-03", "month 2026-03 2026-03"),
            ("2026-02", "2026-11", "month 2026-02 2026-11"),
            ("2025-11", "2026-02", "month 2025-11 2026-02"),
            ("2026-01", "2026-12", "year 2026 2026"),
            ("2025-01", "2026-11", "year 2025 2025, month 2026-01 2026-11"),
            ("2024-12", "2025-12", "year 2025 2025, month 2024-12 2024-12"),
            ("2021-02", "2026-01", "year 2022 2025, month 2021-02 2021-12, month 2026-01 2026-01"),
        ] {
            let mut found = Violations::default();
            let told = Period::read(first, last, now, &mut found).parts();
            found.finish(()).unwrap();
            let told: Vec<_> = told.iter().map(|(span, first, last)| format!("{span} {first} {last}")).collect();
            assert_eq!(told.join(", "), parts, "{first} to {last}");
        }
        for (first, last) in [("2026-13", ""), ("2026-1", ""), ("", "x"), ("+026-01", ""), ("2026-02", "2026-01")] {
            let mut found = Violations::default();
            Period::read(first, last, now, &mut found);
            assert!(found.finish(()).is_err(), "{first} to {last}");
        }
    }
}
