//! What an experiment found: runs and verdicts, for a person, a program and a browser.

mod machine;
mod page;
mod verdict;

use serde::Serialize;

pub use self::machine::{Machine, commit};
pub use self::page::{Page, Section};
pub use self::verdict::{Verdict, print_verdicts};

/// The whole of an experiment, as `--json` writes it.
#[derive(Debug, Clone, Serialize)]
pub struct LabReport<M> {
    /// The experiment's name.
    pub lab: &'static str,
    /// What it ran on.
    pub machine: Machine,
    /// Version of the source tree that it was started in, or `unknown`.
    pub commit: String,
    /// Every run, in the order of the plan.
    pub runs: Vec<Run<M>>,
    /// What was claimed, and whether it held.
    pub verdicts: Vec<Verdict>,
}

/// One run of one variant under one fault.
#[derive(Debug, Clone, Serialize)]
pub struct Run<M> {
    /// What was tried.
    pub variant: String,
    /// What was wrong meanwhile.
    pub fault: String,
    /// Which repetition, from 1.
    pub run: u32,
    /// What was measured.
    pub metrics: M,
}

impl<M> LabReport<M> {
    /// Whether everything that was claimed held.
    #[must_use]
    pub fn held(&self) -> bool {
        self.verdicts.iter().all(|verdict| verdict.held)
    }
}
