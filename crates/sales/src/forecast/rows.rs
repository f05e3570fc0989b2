//! A row of the forecast: what one owner, or one team, has won and may win in a month.

use std::collections::BTreeMap;

use crm_proto::sales as pb;
use crm_resource::Error;
use crm_values::Currency;
use uuid::Uuid;

use super::Figure;
use super::sums::{Amounts, Days, Sums, UNREADABLE};
use crate::exchange_rates::Report;

/// Whose row it is, in the order in which rows are shown.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Key {
    /// Theirs whose key it is.
    Owner(String),
    /// A team's, by its name.
    Team(String, Uuid),
    /// What nobody owns, or nobody of any team.
    Nobody,
}

impl Key {
    pub(super) fn owner(key: &str) -> Self {
        if key.is_empty() { Self::Nobody } else { Self::Owner(key.to_owned()) }
    }
}

#[derive(Debug, Default)]
pub(super) struct Row {
    /// As somebody wrote it whose key it is.
    owner: String,
    won_count: i64,
    open_count: i64,
    /// By currency; the empty one is that of what has no value.
    amounts: BTreeMap<String, Amounts>,
}

impl Row {
    pub(super) fn of(owner: String) -> Self {
        Self { owner, ..Self::default() }
    }

    pub(super) fn add(&mut self, figure: &Figure, amounts: &Amounts) {
        match figure.is_won() {
            true => self.won_count += figure.records,
            false => self.open_count += figure.records,
        }
        self.amounts.entry(figure.currency.clone()).or_default().add(amounts);
    }

    pub(super) fn add_target(&mut self, currency: &str, minor: i64) {
        self.amounts.entry(currency.to_owned()).or_default().add(&Amounts::target(minor));
    }

    pub(super) fn currencies(&self) -> impl Iterator<Item = &String> {
        self.amounts.keys().filter(|currency| !currency.is_empty())
    }

    pub(super) fn shown(
        &self,
        key: Option<&Key>,
        days: &Days,
        report: &mut Report<'_>,
    ) -> Result<pb::ForecastRow, Error> {
        let (team_id, team_name) = match key {
            Some(Key::Team(name, id)) => (id.to_string(), name.clone()),
            _ => Default::default(),
        };
        let (mut together, mut missing, mut by_currency) = (Sums::default(), Vec::new(), Vec::new());
        for (code, amounts) in self.amounts.iter().filter(|(code, _)| !code.is_empty()) {
            let currency = Currency::stored(code).ok_or(UNREADABLE)?;
            by_currency.push(amounts.alone()?.shown(currency, false)?);
            // Where no currency was chosen, no rate is missing.
            match report.reporting_currency().map(|_| amounts.converted(code, days, report)).transpose()? {
                Some(Some(converted)) => together.add(&converted)?,
                Some(None) => missing.push(code.clone()),
                None => {}
            }
        }
        let converted = report.reporting_currency().map(|into| together.shown(into, true)).transpose()?;
        Ok(pb::ForecastRow {
            owner: self.owner.clone(),
            sales_team_id: team_id,
            sales_team_name: team_name,
            won_count: self.won_count,
            open_count: self.open_count,
            converted,
            by_currency,
            missing_rates: missing,
        })
    }
}
