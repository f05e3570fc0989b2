//! A part of the experiment: what was measured, and what follows from it.

use serde::Serialize;

use crm_chart::{HeatCell, HeatTable, short};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::report::{LabReport, Machine, Page, Run, Section, Verdict, commit};

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
    pub(crate) fn new(name: &'static str, about: impl Into<String>) -> Self {
        Self { name, about: about.into(), figures: Vec::new(), verdicts: Vec::new() }
    }

    pub(crate) fn figure(&mut self, what: impl Into<String>, value: f64, unit: &'static str) {
        self.figures.push(Figure { what: what.into(), value, unit });
    }

    /// Claims what has an upper limit; `None` was never seen.
    pub(crate) fn claim(&mut self, what: &str, limit: f64, measured: Option<f64>) {
        self.verdicts.push(Verdict::worst(format!("{}: {what}", self.name), limit, [measured]));
    }

    /// Its rows of the table in the terminal.
    #[must_use]
    pub fn rows(&self) -> String {
        let row = |Figure { what, value, unit }: &Figure| {
            format!("{:11} {what:58} {:>12} {unit}\n", self.name, short(*value))
        };
        self.figures.iter().map(row).collect()
    }
}

/// What a part measured.
#[derive(Debug, Clone, Serialize)]
pub struct Metrics {
    /// Each figure.
    pub figures: Vec<Figure>,
}

/// What came of an experiment, for programs.
pub fn report(lab: &'static str, machine: Machine, parts: &[Part]) -> LabReport<Metrics> {
    let run = |part: &Part| Run {
        variant: part.name.to_owned(),
        fault: "none".to_owned(),
        run: 1,
        metrics: Metrics { figures: part.figures.clone() },
    };
    LabReport {
        lab,
        machine,
        commit: commit(),
        runs: parts.iter().map(run).collect(),
        verdicts: parts.iter().flat_map(|part| part.verdicts.clone()).collect(),
    }
}

/// One page that needs no other file: verdicts and tables.
///
/// # Errors
/// Never with the template that there is.
pub(crate) fn page(
    title: &str,
    about: String,
    report: &LabReport<Metrics>,
    parts: &[Part],
) -> Result<String, askama::Error> {
    let ended = OffsetDateTime::now_utc();
    let ended = ended.replace_nanosecond(0).unwrap_or(ended).format(&Rfc3339).unwrap_or_default();
    let (machine, commit, verdicts) = (&report.machine, report.commit.as_str(), report.verdicts.as_slice());
    Page { title, about, machine, commit, ended, verdicts, sections: parts.iter().map(section).collect() }.html()
}

fn section(part: &Part) -> Section {
    let table = HeatTable::new("", "figure", vec!["measured".to_owned()]);
    let measured = |figure: &Figure| format!("{} {}", short(figure.value), figure.unit).trim_end().to_owned();
    let table = part
        .figures
        .iter()
        .fold(table, |table, figure| table.row(figure.what.clone(), vec![HeatCell::new(measured(figure))]));
    Section { title: part.name.to_owned(), text: part.about.clone(), drawings: vec![table.render()] }
}

/// A count as a figure.
#[allow(clippy::cast_precision_loss, reason = "counts are below 2^52")]
pub(crate) fn as_f64(count: u64) -> f64 {
    count as f64
}

/// The one divided by the other, if that means anything.
pub(crate) fn ratio(one: f64, other: f64) -> Option<f64> {
    (one > 0.0 && other > 0.0).then(|| one / other)
}

/// A quantile of a few figures; 0 if there are none.
pub(crate) fn quantile(values: &mut [f64], quantile: f64) -> f64 {
    values.sort_unstable_by(f64::total_cmp);
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "few figures"
    )]
    let place = ((values.len() as f64 * quantile).ceil() as usize).saturating_sub(1);
    values.get(place).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_of_the_figures_that_there_are() {
        let check = |values: &[f64], expected: [f64; 2]| {
            let mut values = values.to_vec();
            assert_eq!([0.5, 0.99].map(|q| quantile(&mut values, q)), expected, "{values:?}");
        };
        check(&[], [0.0, 0.0]);
        check(&[3.0], [3.0, 3.0]);
        check(&[4.0, 1.0, 3.0, 2.0], [2.0, 4.0]);
    }
}
