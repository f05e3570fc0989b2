//! What the service holds after an import, as its own list tells.

use std::collections::{BTreeMap, HashMap};
use std::fmt;

use crm_proto::sales as pb;
use crm_proto::sales::opportunity::State;
use serde::{Serialize, Serializer};

use super::values::{cents_of, quarter};

/// Counts and sums over the opportunities of the pipeline that are not deleted.
#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Holds {
    won: u64,
    won_value: Dollars,
    lost: u64,
    /// Neither won nor lost.
    open: u64,
    by_agent: BTreeMap<String, Won>,
    by_product: BTreeMap<String, Won>,
    /// Of the close date.
    by_quarter: BTreeMap<String, Won>,
    /// Won in another currency, which somebody has set since: counted above, and added to no sum.
    #[serde(skip_serializing_if = "is_none")]
    in_other_currencies: u64,
}

#[derive(Debug, Default, PartialEq, Serialize)]
pub(crate) struct Won {
    won: u64,
    won_value: Dollars,
}

/// Whole cents, told as a decimal number.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
struct Dollars(i128);

fn is_none(count: &u64) -> bool {
    *count == 0
}

impl fmt::Display for Dollars {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}.{:02}", self.0 / 100, self.0 % 100)
    }
}

impl Serialize for Dollars {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Holds {
    /// Counts one; products are told by the names that they have now.
    pub(super) fn add(&mut self, it: &pb::Opportunity, products: &HashMap<String, String>) {
        let agent = self.by_agent.entry(it.owner.clone()).or_default();
        match it.state() {
            State::Won => {}
            State::Lost => return self.lost += 1,
            State::Open | State::Unspecified => return self.open += 1,
        }
        let cents = it.value.as_ref().map_or(Some(0), cents_of);
        self.in_other_currencies += u64::from(cents.is_none());
        let value = Dollars(cents.unwrap_or_default().into());
        agent.add(value);
        if let Some(product) = it.lines.first().and_then(|line| products.get(&line.product_id)) {
            self.by_product.entry(product.clone()).or_default().add(value);
        }
        if let Some(quarter) = quarter(&it.close_date) {
            self.by_quarter.entry(quarter).or_default().add(value);
        }
        self.won += 1;
        self.won_value.0 += value.0;
    }
}

impl Won {
    fn add(&mut self, value: Dollars) {
        self.won += 1;
        self.won_value.0 += value.0;
    }
}

impl fmt::Display for Holds {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { won, won_value, lost, open, .. } = self;
        write!(formatter, "held now: {won} won, worth {won_value} USD, {lost} lost, {open} open")?;
        for (of, parts) in [("agent", &self.by_agent), ("product", &self.by_product), ("quarter", &self.by_quarter)] {
            for (name, Won { won, won_value }) in parts {
                write!(formatter, "\n  {of:8} {name:24} {won:>6} won {won_value:>14} USD")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::import::values::dollars;

    fn opportunity(state: State, owner: &str, close_date: &str, cents: Option<i64>) -> pb::Opportunity {
        let line = pb::opportunity::Line { product_id: "p".into(), ..Default::default() };
        pb::Opportunity {
            owner: owner.into(),
            close_date: close_date.into(),
            value: cents.map(dollars),
            lines: vec![line],
            state: state.into(),
            ..Default::default()
        }
    }

    #[test]
    fn sums_are_exact_and_of_one_currency() {
        let mut holds = Holds::default();
        let mut euros = opportunity(State::Won, "Ada", "2017-04-01", Some(700));
        euros.value.as_mut().unwrap().currency_code = "EUR".into();
        for it in [
            opportunity(State::Won, "Ada", "2017-03-31", Some(105_405)),
            opportunity(State::Won, "Alan", "2017-04-01", Some(200)),
            euros,
            opportunity(State::Lost, "Ada", "2017-04-01", Some(900)),
            opportunity(State::Open, "Eve", "", Some(900)),
        ] {
            holds.add(&it, &[("p".to_owned(), "GTX Pro".to_owned())].into());
        }
        let won = |won, value| serde_json::json!({"won": won, "won_value": value});
        let expected = serde_json::json!({
            "won": 3, "won_value": "1056.05", "lost": 1, "open": 1, "in_other_currencies": 1,
            "by_agent": {"Ada": won(2, "1054.05"), "Alan": won(1, "2.00"), "Eve": won(0, "0.00")},
            "by_product": {"GTX Pro": won(3, "1056.05")},
            "by_quarter": {"Q1 2017": won(1, "1054.05"), "Q2 2017": won(2, "2.00")},
        });
        assert_eq!(serde_json::to_value(&holds).unwrap(), expected);
    }
}
