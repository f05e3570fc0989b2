//! A part of the experiment: what was measured, and what follows from it.

use serde::Serialize;

use crate::report::Verdict;

/// What came of one part.
#[derive(Debug, Clone)]
pub struct Part {
    /// Its name, for programs.
    pub name: &'static str,
    /// What it is about, in a sentence.
    pub about: String,
    /// What was measured.
    pub figures: Vec<Figure>,
    /// What was claimed.
    pub verdicts: Vec<Verdict>,
}

/// One figure.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Figure {
    /// What it is of.
    pub what: String,
    /// How much.
    pub value: f64,
    /// In what.
    pub unit: &'static str,
}

impl Part {
    pub(super) fn new(name: &'static str, about: impl Into<String>) -> Self {
        Self { name, about: about.into(), figures: Vec::new(), verdicts: Vec::new() }
    }

    pub(super) fn figure(&mut self, what: impl Into<String>, value: f64, unit: &'static str) {
        self.figures.push(Figure { what: what.into(), value, unit });
    }

    /// Claims what has an upper limit; `None` was never seen.
    pub(super) fn claim(&mut self, what: &str, limit: f64, measured: Option<f64>) {
        self.verdicts.push(Verdict::worst(format!("{}: {what}", self.name), limit, [measured]));
    }

    /// Its rows of the table in the terminal.
    #[must_use]
    pub fn rows(&self) -> String {
        let row = |Figure { what, value, unit }: &Figure| {
            format!("{:11} {what:58} {:>12} {unit}\n", self.name, crm_chart::short(*value))
        };
        self.figures.iter().map(row).collect()
    }
}

/// The one divided by the other, if that means anything.
pub(super) fn ratio(one: f64, other: f64) -> Option<f64> {
    (one > 0.0 && other > 0.0).then(|| one / other)
}
