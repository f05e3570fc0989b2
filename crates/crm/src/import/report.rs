//! What became of every row.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use serde::Serialize;

use super::holds::Holds;

/// The outcome of an import; `read` is the sum of `created`, `changed`, `unchanged` and [`Report::refused_rows`].
#[derive(Debug, Default, Serialize)]
pub(crate) struct Report {
    pub(crate) read: u64,
    pub(crate) created: u64,
    /// Rows that say something else than what was there.
    pub(crate) changed: u64,
    pub(crate) unchanged: u64,
    /// Values repaired, by the name of the rule.
    pub(crate) repaired: BTreeMap<&'static str, u64>,
    /// Every reason, also where one row has several.
    pub(crate) refused: Vec<Refused>,
    /// Opportunities that no row of the file is about, such as those of rows that it no longer has: they are left as they are.
    pub(crate) left: u64,
    /// What the service answers afterwards; nothing without a file of opportunities.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) holds: Option<Holds>,
}

/// What became of a row that was not refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Outcome {
    Created,
    Changed,
    Unchanged,
}

/// Why a row was not imported.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Refused {
    pub(crate) file: &'static str,
    /// Line in the file; the header is line 1.
    pub(crate) row: u64,
    pub(crate) field: &'static str,
    pub(crate) reason: String,
}

impl Report {
    pub(crate) fn count(&mut self, outcome: Outcome) {
        let counter = match outcome {
            Outcome::Created => &mut self.created,
            Outcome::Changed => &mut self.changed,
            Outcome::Unchanged => &mut self.unchanged,
        };
        *counter += 1;
    }

    pub(crate) fn refuse(&mut self, file: &'static str, row: u64, field: &'static str, reason: impl Into<String>) {
        self.refused.push(Refused { file, row, field, reason: reason.into() });
    }

    /// Rows that were not imported.
    pub(crate) fn refused_rows(&self) -> usize {
        self.refused.iter().map(|refused| (refused.file, refused.row)).collect::<BTreeSet<_>>().len()
    }

    pub(crate) fn repaired(&mut self, rule: &'static str) {
        *self.repaired.entry(rule).or_default() += 1;
    }

    pub(crate) fn print(&self) {
        let Self { read, created, changed, unchanged, .. } = self;
        println!("{read} rows read, {created} created, {changed} changed, {unchanged} as they were");
        for (rule, count) in &self.repaired {
            println!("  repaired  {rule}: {count}");
        }
        for row in &self.refused {
            println!("  refused   {}:{} {}: {}", row.file, row.row, row.field, row.reason);
        }
        if self.left > 0 {
            println!("  left      {} opportunities that no row is about", self.left);
        }
        if let Some(holds) = &self.holds {
            println!("{holds}");
        }
    }

    pub(crate) fn write(&self, path: &Path) -> anyhow::Result<()> {
        Ok(std::fs::write(path, serde_json::to_vec_pretty(self)?)?)
    }
}
