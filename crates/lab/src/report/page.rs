//! The page of an experiment: one file that needs no other.

use askama::Template;

use super::{Machine, Verdict};

/// A heading, some sentences, and drawings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// Its heading.
    pub title: String,
    /// What to see, as plain text.
    pub text: String,
    /// Tables and charts, as markup of `crm_chart`.
    pub drawings: Vec<String>,
}

/// A whole page.
#[derive(Debug, Template)]
#[template(path = "lab.html")]
pub struct Page<'a> {
    /// Its title.
    pub title: &'a str,
    /// What was done, as plain text.
    pub about: String,
    /// What it ran on.
    pub machine: &'a Machine,
    /// Version of the source tree.
    pub commit: &'a str,
    /// When it ended, in UTC.
    pub ended: String,
    /// What was claimed.
    pub verdicts: &'a [Verdict],
    /// Everything else.
    pub sections: Vec<Section>,
}

impl Page<'_> {
    /// The page's text.
    ///
    /// # Errors
    /// Never with the template that there is; it is the template engine's to say.
    pub fn html(&self) -> Result<String, askama::Error> {
        self.render()
    }

    fn style(&self) -> &'static str {
        crm_chart::STYLE
    }

    fn actual(&self, verdict: &Verdict) -> String {
        verdict.actual.map_or_else(|| "never".to_owned(), crm_chart::short)
    }

    fn limit(&self, verdict: &Verdict) -> String {
        crm_chart::short(verdict.limit)
    }

    fn broken(&self) -> usize {
        self.verdicts.iter().filter(|verdict| !verdict.held).count()
    }
}
