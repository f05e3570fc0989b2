//! A claim, its limit, what was measured, and whether it held.

use std::fmt;

use serde::Serialize;

/// One claim. All limits are upper limits.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Verdict {
    /// What is claimed, with its unit.
    pub claim: String,
    /// The most that may be.
    pub limit: f64,
    /// What was; `null` if it never came to be.
    pub actual: Option<f64>,
    /// Whether it held.
    pub held: bool,
}

impl Verdict {
    /// Judges the worst of some runs. A run that has no figure has not shown what it should.
    pub fn worst(claim: impl Into<String>, limit: f64, measured: impl IntoIterator<Item = Option<f64>>) -> Self {
        let mut figures = measured.into_iter();
        let worst =
            figures.next().flatten().and_then(|first| figures.try_fold(first, |worst, next| Some(worst.max(next?))));
        Self { claim: claim.into(), limit, actual: worst, held: worst.is_some_and(|worst| worst <= limit) }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let held = if self.held { "held  " } else { "BROKEN" };
        let actual = self.actual.map_or_else(|| "never".to_owned(), crm_chart::short);
        write!(f, "{held}  {}: {actual} (limit {})", self.claim, crm_chart::short(self.limit))
    }
}

/// All of them, one a line, the broken ones last, where they are seen.
#[must_use]
pub fn print_verdicts(verdicts: &[Verdict]) -> String {
    let (held, broken): (Vec<_>, Vec<_>) = verdicts.iter().partition(|verdict| verdict.held);
    held.iter().chain(&broken).map(|verdict| format!("{verdict}\n")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_worst_run_decides_and_a_missing_figure_is_worst_of_all() {
        let check = |measured: &[Option<f64>], actual: Option<f64>, held: bool| {
            let verdict = Verdict::worst("c", 2.0, measured.iter().copied());
            assert_eq!((verdict.actual, verdict.held), (actual, held), "{measured:?}");
        };
        check(&[Some(1.0), Some(2.0)], Some(2.0), true);
        check(&[Some(1.0), Some(2.5), Some(0.0)], Some(2.5), false);
        check(&[Some(1.0), None], None, false);
        check(&[], None, false);
    }
}
