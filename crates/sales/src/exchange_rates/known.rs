//! The rates that a report needs, read by one statement, and which of them holds on a day.

use std::collections::{BTreeMap, BTreeSet};

use crm_database::TenantTransaction;
use crm_resource::Error;
use crm_values::Currency;
use sqlx::FromRow;
use uuid::Uuid;

use super::{Exact, Rate, convert};

/// Behind reports: the tenant's reporting currency, and for each currency and day the rate that holds then. No row, where no
/// reporting currency was ever chosen.
pub const RATES: &str = "select settings.reporting_currency as quote_currency, needed.currency, rate.start_date, \
     rate.rate_trillionths from sales.sales_settings as settings \
     left join unnest($2::text[], $3::text[]) as needed (currency, day) on true \
     left join lateral (select start_date, rate_trillionths from sales.exchange_rates \
     where tenant_id = $1 and quote_currency = settings.reporting_currency and base_currency = needed.currency \
     and start_date <= needed.day and delete_time is null order by start_date desc limit 1) as rate on true \
     where settings.tenant_id = $1 and settings.id = $1";

#[derive(FromRow)]
struct Row {
    quote_currency: String,
    currency: Option<String>,
    start_date: Option<String>,
    rate_trillionths: Option<i64>,
}

/// Rates into one currency, as of the moment of their transaction.
#[derive(Debug, Clone, Default)]
pub struct Rates {
    into: Option<Currency>,
    /// Of each currency, the newest last.
    by_currency: BTreeMap<String, Vec<Rate>>,
}

impl Rates {
    /// Rates into a currency, in any order; of one day, one each.
    pub fn new(into: Option<Currency>, rates: impl IntoIterator<Item = (String, Rate)>) -> Self {
        let mut by_currency = BTreeMap::<String, BTreeSet<Rate>>::new();
        for (currency, rate) in rates {
            by_currency.entry(currency).or_default().insert(rate);
        }
        let by_currency = by_currency.into_iter().map(|(currency, rates)| (currency, rates.into_iter().collect()));
        Self { into, by_currency: by_currency.collect() }
    }

    /// Those that are needed for amounts of these currencies on these days.
    ///
    /// # Errors
    /// The database's, or that what is stored is none.
    pub async fn read(
        transaction: &mut TenantTransaction,
        tenant: Uuid,
        needed: BTreeSet<(String, String)>,
    ) -> Result<Self, Error> {
        let (currencies, days): (Vec<String>, Vec<String>) = needed.into_iter().unzip();
        let query = sqlx::query(RATES).bind(tenant).bind(currencies).bind(days);
        let rows: Vec<Row> = transaction.fetch_all("find_exchange_rates", query).await?;
        let code = rows.first().map(|row| row.quote_currency.clone()).unwrap_or_default();
        let into = Currency::stored(&code);
        if into.is_none() && !code.is_empty() {
            return Err(Error::Inconsistent("a stored currency is unknown"));
        }
        let rate = |row: Row| {
            let (start_date, trillionths) = row.start_date.zip(row.rate_trillionths)?;
            Some((row.currency?, Rate { start_date, trillionths }))
        };
        Ok(Self::new(into, rows.into_iter().filter_map(rate)))
    }

    /// The currency into which is converted, if the tenant has chosen one.
    pub fn reporting_currency(&self) -> Option<Currency> {
        self.into
    }

    /// The rate that holds on a day: the last one that has begun by then.
    pub fn at(&self, currency: &str, day: &str) -> Option<&Rate> {
        let rates = self.by_currency.get(currency)?;
        rates[..rates.partition_point(|rate| rate.start_date.as_str() <= day)].last()
    }

    /// What an amount in parts of `10^-places` minor units is worth by the rate of a day, and that rate: none, if it is of the
    /// reporting currency itself. Nothing, if there is no rate.
    ///
    /// # Errors
    /// It is more than money can be, or of a currency that nobody knows.
    pub fn convert(
        &self,
        (amount, places): (i128, u32),
        currency: &str,
        day: &str,
    ) -> Result<Option<(Exact, Option<&Rate>)>, Error> {
        const TOO_LARGE: Error = Error::Inconsistent("a sum is beyond what money can be");
        let from = Currency::stored(currency).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
        match (self.into, self.at(currency, day)) {
            (Some(into), _) if into == from => Ok(Some((Exact::of(amount, places).ok_or(TOO_LARGE)?, None))),
            (Some(into), Some(rate)) => {
                let exact = convert(amount, places, from, rate, into).ok_or(TOO_LARGE)?;
                Ok(Some((exact, Some(rate))))
            }
            _ => Ok(None),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn rates(of: &[(&str, &str, i64)]) -> Rates {
        let rate = |(currency, start_date, trillionths): &(&str, &str, i64)| {
            let (currency, start_date) = ((*currency).to_owned(), (*start_date).to_owned());
            (currency, Rate { start_date, trillionths: *trillionths })
        };
        Rates::new(Currency::stored("EUR"), of.iter().map(rate))
    }

    #[test]
    fn the_last_rate_that_has_begun_holds_and_none_before_the_first() {
        let known = rates(&[("USD", "2026-03-01", 3), ("USD", "2026-01-01", 1), ("GBP", "2026-02-01", 2)]);
        let at = |currency, day| known.at(currency, day).map(|rate| rate.trillionths);
        for (currency, day, expected) in [
            ("USD", "2025-12-31", None),
            ("USD", "2026-01-01", Some(1)),
            ("USD", "2026-02-28", Some(1)),
            ("USD", "2026-03-01", Some(3)),
            ("USD", "2030-01-01", Some(3)),
            ("GBP", "2026-01-31", None),
            ("GBP", "2026-02-01", Some(2)),
            ("CHF", "2026-02-01", None),
        ] {
            assert_eq!(at(currency, day), expected, "{currency} {day}");
        }
    }

    #[test]
    fn a_missing_rate_is_no_number_and_the_reporting_currency_needs_none() {
        let known = rates(&[("USD", "2026-01-01", 500_000_000_000)]);
        let convert = |currency, day| known.convert((101, 0), currency, day).unwrap();
        let worth =
            |found: Option<(Exact, Option<&Rate>)>| found.map(|(exact, rate)| (exact.rounded(), rate.is_some()));
        assert_eq!(worth(convert("USD", "2026-01-01")), Some((Some(51), true)));
        assert_eq!(worth(convert("EUR", "1999-01-01")), Some((Some(101), false)));
        assert_eq!((worth(convert("USD", "2025-12-31")), worth(convert("GBP", "2026-01-01"))), (None, None));
        let unchosen = Rates::new(None, []);
        assert_eq!(worth(unchosen.convert((101, 0), "EUR", "2026-01-01").unwrap()), None);
        assert!(known.convert((1, 0), "XXX", "2026-01-01").is_err());
    }

    proptest! {
        #[test]
        fn the_rate_of_a_day_is_the_one_that_a_look_at_all_of_them_finds(
            days in prop::collection::btree_set(1u32..=28, 0..10), asked in 1u32..=28,
        ) {
            let day = |day: u32| format!("2026-02-{day:02}");
            let all = days.iter().map(|of| ("USD".to_owned(), Rate { start_date: day(*of), trillionths: i64::from(*of) }));
            let known = Rates::new(Currency::stored("EUR"), all);
            let expected = days.iter().filter(|of| **of <= asked).max().map(|of| i64::from(*of));
            prop_assert_eq!(known.at("USD", &day(asked)).map(|rate| rate.trillionths), expected);
        }
    }
}
