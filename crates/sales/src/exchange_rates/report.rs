//! What an answer says of how it was converted.

use std::collections::BTreeSet;

use crm_proto::sales as pb;
use crm_resource::Error;
use crm_values::Currency;

use super::{Exact, Rate, Rates};

/// An amount in parts of `10^-places` minor units, and the day whose rate it is converted by.
pub(crate) struct Part<'d> {
    pub(crate) amount: i128,
    pub(crate) places: u32,
    pub(crate) day: &'d str,
}

/// Rates, which of them were taken, and of which currencies one is missing.
#[derive(Debug)]
pub(crate) struct Report<'r> {
    rates: &'r Rates,
    used: BTreeSet<(String, Rate)>,
    missing: BTreeSet<String>,
}

impl<'r> Report<'r> {
    pub(crate) fn new(rates: &'r Rates) -> Self {
        Self { rates, used: BTreeSet::new(), missing: BTreeSet::new() }
    }

    pub(crate) fn reporting_currency(&self) -> Option<Currency> {
        self.rates.reporting_currency()
    }

    /// What each of these amounts of one currency is worth; nothing, if a rate is missing for any of them. What is nothing
    /// needs none.
    pub(crate) fn convert<const N: usize>(
        &mut self,
        currency: &str,
        parts: [Part<'_>; N],
    ) -> Result<Option<[Exact; N]>, Error> {
        let (mut worth, mut used) = ([Exact::default(); N], Vec::new());
        for (place, part) in worth.iter_mut().zip(parts).filter(|(_, part)| part.amount != 0) {
            let Some((exact, rate)) = self.rates.convert((part.amount, part.places), currency, part.day)? else {
                self.missing.insert(currency.to_owned());
                return Ok(None);
            };
            used.extend(rate.map(|rate| (currency.to_owned(), rate.clone())));
            *place = exact;
        }
        self.used.extend(used);
        Ok(Some(worth))
    }

    /// The reporting currency, the rates that were taken, and the currencies of which one is missing.
    pub(crate) fn told(self) -> (String, Vec<pb::AppliedRate>, Vec<String>) {
        let quote = self.reporting_currency().map(|into| into.code().to_owned()).unwrap_or_default();
        let applied = |(base_currency, rate): (String, Rate)| pb::AppliedRate {
            base_currency,
            quote_currency: quote.clone(),
            rate: rate.shown(),
            start_date: rate.start_date,
        };
        let rates = self.used.into_iter().map(applied).collect();
        (quote, rates, self.missing.into_iter().collect())
    }
}
