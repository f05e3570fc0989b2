//! Amounts of money in whole minor units, so that sums are exact.

use crate::{Currency, Flaw};

/// An amount that is not negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Money {
    minor: i64,
    currency: Currency,
}

const NANOS: i64 = 1_000_000_000;

impl Money {
    /// The amount of `units` and `nanos` (billionths of a unit), the parts of `google.type.Money`.
    ///
    /// # Errors
    /// It is negative, too large to be kept, or not a whole number of the currency's minor units.
    pub fn from_parts(units: i64, nanos: i32, currency: Currency) -> Result<Self, Flaw> {
        let nanos = i64::from(nanos);
        if units < 0 || !(0..NANOS).contains(&nanos) {
            return Err(Flaw::new(Flaw::OUT_OF_RANGE, "must not be negative; nanos must be 0 to 999,999,999"));
        }
        let nanos_per_minor = NANOS / currency.minor_units();
        if nanos % nanos_per_minor != 0 {
            return Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be whole minor units of the currency"));
        }
        units
            .checked_mul(currency.minor_units())
            .and_then(|minor| minor.checked_add(nanos / nanos_per_minor))
            .map(|minor| Self { minor, currency })
            .ok_or(Flaw::new(Flaw::OUT_OF_RANGE, "is too large"))
    }

    /// The amount of `minor` units, as it was stored.
    pub fn from_minor(minor: i64, currency: Currency) -> Self {
        Self { minor, currency }
    }

    /// The amount in minor units.
    pub fn minor(self) -> i64 {
        self.minor
    }

    /// The currency.
    pub fn currency(self) -> Currency {
        self.currency
    }

    /// Units and billionths of a unit.
    pub fn parts(self) -> (i64, i32) {
        let per_unit = self.currency.minor_units();
        let nanos = (self.minor % per_unit) * (NANOS / per_unit);
        (self.minor / per_unit, i32::try_from(nanos).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(units: i64, nanos: i32, code: &str, expected: Option<i64>) {
        let money = Currency::parse(code).and_then(|currency| Money::from_parts(units, nanos, currency));
        assert_eq!(money.clone().ok().map(Money::minor), expected, "{units} {nanos} {code}");
        if let Ok(money) = money {
            assert_eq!(money.parts(), (units, nanos));
        }
    }

    #[test]
    fn amounts_are_whole_minor_units() {
        check(12, 340_000_000, "EUR", Some(1234));
        check(12, 345_000_000, "EUR", None);
        check(12, 345_000_000, "KWD", Some(12_345));
        check(12, 0, "JPY", Some(12));
        check(12, 10_000_000, "JPY", None);
        check(-1, 0, "EUR", None);
        check(0, -10_000_000, "EUR", None);
        check(0, 1_000_000_000, "EUR", None);
        check(i64::MAX, 0, "EUR", None);
        check(i64::MAX / 100, 70_000_000, "EUR", Some(i64::MAX));
        check(i64::MAX / 100, 80_000_000, "EUR", None);
    }

    #[test]
    fn unknown_currencies_are_refused() {
        for code in ["", "eur", "EU", "XXX", "EURO", "EUR USD", "\0\0\0"] {
            assert!(Currency::parse(code).is_err(), "{code:?}");
        }
    }
}
