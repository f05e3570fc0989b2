//! Rows that are added up: counts, and sums of each currency by itself.

use std::collections::BTreeMap;

use crm_proto::google::r#type::Money;
use crm_proto::sales as pb;
use crm_resource::Error;
use sqlx::FromRow;

use crate::sums;

/// What was won or lost under a name, in a currency.
#[derive(FromRow)]
pub(super) struct Counted {
    pub(super) name: String,
    state: String,
    currency: String,
    records: i64,
    value: String,
    timed: i64,
    days: i64,
}

#[derive(Debug, Clone, Default)]
pub(super) struct Tally {
    pub(super) won: i64,
    pub(super) lost: i64,
    cycle: Cycle,
    sums: BTreeMap<String, Sum>,
}

#[derive(Debug, Clone, Default)]
struct Sum {
    won: i128,
    lost: i128,
    cycle: Cycle,
}

/// Of what was won.
#[derive(Debug, Clone, Copy, Default)]
struct Cycle {
    timed: i64,
    days: i64,
}

impl Tally {
    pub(super) fn add(&mut self, row: &Counted) -> Result<(), Error> {
        let value: i128 = row.value.parse().map_err(|_| Error::Inconsistent("a total is no number"))?;
        let is_won = row.state == "won";
        let sum = self.sums.entry(row.currency.clone()).or_default();
        if is_won {
            self.won += row.records;
            sum.won += value;
            self.cycle.add(row);
            sum.cycle.add(row);
        } else {
            self.lost += row.records;
            sum.lost += value;
        }
        Ok(())
    }

    /// What was won in a currency, for an order.
    pub(super) fn won_in(&self, currency: &str) -> i128 {
        self.sums.get(currency).map_or(0, |sum| sum.won)
    }

    /// What was lost, by currency.
    pub(super) fn lost_values(&self) -> Result<Vec<Money>, Error> {
        let all = self.sums.iter().filter(|(currency, _)| !currency.is_empty());
        all.map(|(currency, sum)| sums::money(currency, sum.lost)).collect()
    }

    pub(super) fn shown(self) -> Result<pb::Tally, Error> {
        let all = self.sums.into_iter().filter(|(currency, _)| !currency.is_empty());
        let sums: Result<_, Error> = all.map(|(currency, sum)| sum.shown(&currency)).collect();
        let decided = self.won + self.lost;
        Ok(pb::Tally {
            won_count: self.won,
            lost_count: self.lost,
            win_rate: ratio(self.won, decided),
            average_cycle_days: ratio(self.cycle.days, self.cycle.timed),
            sums: sums?,
        })
    }
}

impl Cycle {
    fn add(&mut self, row: &Counted) {
        self.timed += row.timed;
        self.days += row.days;
    }
}

impl Sum {
    /// Velocity is how many were decided, times the share that was won, times what one of these was worth, by the days that it
    /// took: what was won by the average cycle, rounded once, half a unit up.
    fn shown(self, currency: &str) -> Result<pb::TallySum, Error> {
        let days = i128::from(self.cycle.days);
        let velocity = (days > 0).then(|| (self.won * i128::from(self.cycle.timed) * 2 + days) / (days * 2));
        Ok(pb::TallySum {
            won: Some(sums::money(currency, self.won)?),
            lost: Some(sums::money(currency, self.lost)?),
            velocity: velocity.map(|minor| sums::money(currency, minor)).transpose()?,
        })
    }
}

#[allow(clippy::cast_precision_loss, reason = "counts and days stay far below 2^53")]
fn ratio(part: i64, whole: i64) -> Option<f64> {
    (whole > 0).then(|| part as f64 / whole as f64)
}
