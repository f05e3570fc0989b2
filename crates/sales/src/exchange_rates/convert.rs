//! What an amount of one currency is worth in another: whole numbers throughout, and rounded once, at the very end.
//!
//! What is converted is not rounded for each record: sums of many would then be off by half a minor unit for each. Sums stay
//! exact, whatever is added in whatever order, and what is shown is rounded half away from zero, as Article 5 of Council
//! Regulation (EC) No 1103/97 has it of conversions into the euro; Postgres' `round(numeric)` does the same.

use crm_values::Currency;

use super::{PLACES, shown};

/// A rate, and since when it holds.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Rate {
    /// The first day on which it holds, as ISO 8601 writes it.
    pub start_date: String,
    /// Units of the one currency for a unit of the other, in trillionths.
    pub trillionths: i64,
}

impl Rate {
    /// As it is written.
    pub fn shown(&self) -> String {
        shown(self.trillionths)
    }
}

/// Decimal places of a minor unit that are kept. As many as any conversion has: a rate has twelve, the currencies with the
/// most and the fewest minor units are four apart, and what is weighted has two.
const KEPT: u32 = 18;
const ONE: i128 = 10i128.pow(KEPT);

/// An amount that is not rounded, in parts of a minor unit. Whatever fits into an amount of money when it is rounded fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Exact(i128);

impl Exact {
    /// `amount`, in parts of `10^-places` minor units, as it is: up to eighteen places.
    pub fn of(amount: i128, places: u32) -> Option<Self> {
        amount.checked_mul(10i128.checked_pow(KEPT.checked_sub(places)?)?).map(Self)
    }

    /// Both together.
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }

    /// Whole minor units, half of one away from zero.
    pub fn rounded(self) -> Option<i64> {
        let (whole, rest) = (self.0 / ONE, self.0 % ONE);
        let more = if rest.abs() >= ONE / 2 { rest.signum() } else { 0 };
        i64::try_from(whole + more).ok()
    }
}

/// What `amount`, in parts of `10^-places` minor units of a currency, is worth `into` another one. Nothing, where that is more
/// than any amount of money can be.
pub fn convert(amount: i128, places: u32, from: Currency, rate: &Rate, into: Currency) -> Option<Exact> {
    let parts = (places + PLACES + from.decimals()).checked_sub(into.decimals())?;
    Exact::of(amount.checked_mul(i128::from(rate.trillionths))?, parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rate(text: &str) -> Rate {
        Rate { start_date: "2026-01-01".to_owned(), trillionths: super::super::rate(text).unwrap() }
    }

    fn money(code: &str) -> Currency {
        Currency::parse(code).unwrap()
    }

    fn check(amount: i128, from: &str, by: &str, into: &str, expected: i64) {
        let converted = convert(amount, 0, money(from), &rate(by), money(into)).and_then(Exact::rounded);
        assert_eq!(converted, Some(expected), "{amount} {from} at {by} {into}");
    }

    #[test]
    fn amounts_are_those_of_a_pocket_calculator_in_minor_units_of_the_other_currency() {
        check(1_000, "USD", "0.8534", "EUR", 853);
        // Half a cent, and next to it.
        check(1, "USD", "0.5", "EUR", 1);
        check(1, "USD", "0.499999999999", "EUR", 0);
        check(3, "USD", "0.5", "EUR", 2);
        check(5, "USD", "0.5", "EUR", 3);
        check(-1, "USD", "0.5", "EUR", -1);
        check(-3, "USD", "0.5", "EUR", -2);
        // Of yen there is no part, of a dinar there are a thousand, and of the unidad previsional ten thousand.
        check(1_234, "JPY", "0.0061", "EUR", 753);
        check(1_234, "EUR", "163.9", "JPY", 2_023);
        check(12_345, "KWD", "3.25", "USD", 4_012);
        check(1, "JPY", "0.000000000001", "UYW", 0);
        check(10_000, "UYW", "165.7", "JPY", 166);
        // A thousand million dollars in rials.
        check(100_000_000_000, "USD", "1150000", "IRR", 115_000_000_000_000_000);
    }

    #[test]
    fn what_no_amount_can_be_is_nothing_and_no_wrong_number() {
        let most = rate("9000000");
        assert_eq!(convert(i128::MAX, 0, money("USD"), &most, money("EUR")), None);
        assert_eq!(convert(i128::from(i64::MAX), 0, money("USD"), &most, money("EUR")).and_then(Exact::rounded), None);
        let all = convert(i128::from(i64::MAX), 0, money("USD"), &rate("1"), money("EUR")).and_then(Exact::rounded);
        assert_eq!(all, Some(i64::MAX));
        assert_eq!(Exact(i128::MAX).plus(Exact(1)), None);
    }

    prop_compose! {
        fn currency()(code in prop::sample::select(vec!["EUR", "USD", "JPY", "KWD", "UYW", "HUF"])) -> Currency {
            money(code)
        }
    }

    prop_compose! {
        fn any_rate()(trillionths in 1i64..=3_000_000_000_000_000) -> Rate {
            Rate { start_date: String::new(), trillionths }
        }
    }

    proptest! {
        #[test]
        fn a_sum_of_converted_amounts_is_the_converted_sum(
            amounts in prop::collection::vec(0i128..1_000_000_000, 0..20),
            from in currency(), into in currency(), rate in any_rate(), places in 0u32..=2,
        ) {
            let each = amounts.iter().map(|amount| convert(*amount, places, from, &rate, into).unwrap());
            let sum = each.fold(Exact::default(), |sum, one| sum.plus(one).unwrap());
            prop_assert_eq!(Some(sum), convert(amounts.iter().sum(), places, from, &rate, into));
        }

        #[test]
        fn nothing_is_off_by_more_than_half_a_unit_and_half_goes_away_from_zero(
            amount in -1_000_000_000i128..1_000_000_000, from in currency(), into in currency(), rate in any_rate(),
        ) {
            let exact = convert(amount, 0, from, &rate, into).unwrap();
            let rounded = i128::from(exact.rounded().unwrap());
            let off = (rounded * ONE - exact.0).abs();
            prop_assert!(off <= ONE / 2);
            prop_assert!(off < ONE / 2 || rounded.abs() * ONE > exact.0.abs());
            let opposite = convert(-amount, 0, from, &rate, into).unwrap();
            prop_assert_eq!(opposite.rounded().unwrap(), -exact.rounded().unwrap());
        }

        #[test]
        fn a_rate_of_one_changes_nothing_and_a_higher_one_is_never_worth_less(
            amount in 0i128..1_000_000_000, currency in currency(), low in any_rate(), high in any_rate(),
        ) {
            let same = convert(amount, 0, currency, &rate("1"), currency);
            prop_assert_eq!(same, Exact::of(amount, 0));
            prop_assert_eq!(same.and_then(Exact::rounded).map(i128::from), Some(amount));
            let (low, high) = if low.trillionths < high.trillionths { (low, high) } else { (high, low) };
            let worth = |rate| convert(amount, 0, currency, rate, money("EUR")).unwrap();
            prop_assert!(worth(&low) <= worth(&high));
        }
    }
}
