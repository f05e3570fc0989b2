//! Sums of the forecast, exact until they are shown, in their own currency and in the reporting currency.

use crm_proto::sales as pb;
use crm_resource::Error;
use crm_values::Currency;

use super::Figure;
use super::asked::last_day;
use crate::exchange_rates::{Exact, Part, Report};
use crate::sums::message;

pub(super) const UNREADABLE: Error = Error::Inconsistent("a total is no number, or of no currency");
const TOO_LARGE: Error = Error::Inconsistent("a sum is beyond what money can be");

/// Which days' rates are taken of what stands in a month.
#[derive(Debug, Clone)]
pub(super) struct Days {
    /// For what was won, and for targets: the last day of the month, if it has come.
    won: String,
    /// For what is open: today.
    open: String,
}

impl Days {
    pub(super) fn of(month: &str, today: &str) -> Self {
        let open = today.to_owned();
        Self { won: last_day(month).map_or_else(|| open.clone(), |last| last.min(open.clone())), open }
    }

    pub(super) fn each(self) -> impl Iterator<Item = String> {
        [self.won, self.open].into_iter()
    }
}

/// Amounts of one currency, in minor units.
#[derive(Debug, Clone, Default)]
pub(super) struct Amounts {
    won: i128,
    /// Of what is open, what is likely.
    likely: i128,
    /// Of what is open, each times its probability: in hundredths.
    weighted: i128,
    target: Option<i128>,
}

impl Amounts {
    pub(super) fn of(figure: &Figure) -> Result<Self, Error> {
        let number = |text: &str| text.parse::<i128>().map_err(|_| UNREADABLE);
        Ok(match figure.is_won() {
            true => Self { won: number(&figure.value)?, ..Self::default() },
            false => Self { likely: number(&figure.likely)?, weighted: number(&figure.weighted)?, ..Self::default() },
        })
    }

    pub(super) fn target(minor: i64) -> Self {
        Self { target: Some(minor.into()), ..Self::default() }
    }

    pub(super) fn add(&mut self, other: &Self) {
        self.won += other.won;
        self.likely += other.likely;
        self.weighted += other.weighted;
        self.target = self.target.into_iter().chain(other.target).reduce(|one, other| one + other);
    }

    /// As they are, of their currency.
    pub(super) fn alone(&self) -> Result<Sums, Error> {
        let exact = |amount, places| Exact::of(amount, places).ok_or(TOO_LARGE);
        let target = exact(self.target.unwrap_or_default(), 0)?;
        self.sums([exact(self.won, 0)?, exact(self.likely, 0)?, exact(self.weighted, 2)?, target])
    }

    /// In the reporting currency; nothing, if a rate is missing for any of them.
    pub(super) fn converted(
        &self,
        currency: &str,
        days: &Days,
        report: &mut Report<'_>,
    ) -> Result<Option<Sums>, Error> {
        let part = |amount, places, day| Part { amount, places, day };
        let (won, open) = (days.won.as_str(), days.open.as_str());
        let target = part(self.target.unwrap_or_default(), 0, won);
        let parts = [part(self.won, 0, won), part(self.likely, 0, open), part(self.weighted, 2, open), target];
        report.convert(currency, parts)?.map(|worth| self.sums(worth)).transpose()
    }

    /// Sums of what is won, likely and weighted, and of the target, as each is worth.
    fn sums(&self, [won, likely, weighted, target]: [Exact; 4]) -> Result<Sums, Error> {
        let both = |other| won.plus(other).ok_or(TOO_LARGE);
        Ok(Sums { won, committed: both(likely)?, weighted: both(weighted)?, target: self.target.map(|_| target) })
    }
}

/// What is shown, before it is rounded.
#[derive(Debug, Clone, Default)]
pub(super) struct Sums {
    won: Exact,
    committed: Exact,
    weighted: Exact,
    target: Option<Exact>,
}

impl Sums {
    pub(super) fn add(&mut self, other: &Self) -> Result<(), Error> {
        let both = |one: Exact, other| one.plus(other).ok_or(TOO_LARGE);
        self.won = both(self.won, other.won)?;
        self.committed = both(self.committed, other.committed)?;
        self.weighted = both(self.weighted, other.weighted)?;
        if let Some(target) = other.target {
            self.target = Some(both(self.target.unwrap_or_default(), target)?);
        }
        Ok(())
    }

    /// The gap is that of the amounts that are shown.
    pub(super) fn shown(&self, currency: Currency, with_gap: bool) -> Result<pb::ForecastSums, Error> {
        let minor = |exact: Exact| exact.rounded().ok_or(TOO_LARGE);
        let (won, target) = (minor(self.won)?, self.target.map(minor).transpose()?);
        Ok(pb::ForecastSums {
            won: Some(message(won, currency)),
            committed: Some(message(minor(self.committed)?, currency)),
            weighted: Some(message(minor(self.weighted)?, currency)),
            target: target.map(|target| message(target, currency)),
            gap: target.filter(|_| with_gap).map(|target| message(target - won, currency)),
        })
    }
}
