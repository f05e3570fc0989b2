//! The lab's page.

use crm_chart::{HeatCell, HeatTable, short};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::lab::Outcome;
use super::part::Part;
use super::plan::Plan;
use crate::report::{Page, Section};

impl Outcome {
    /// One page that needs no other file: verdicts and tables.
    ///
    /// # Errors
    /// Never with the template that there is.
    pub fn html(&self, plan: &Plan) -> Result<String, askama::Error> {
        let ended = OffsetDateTime::now_utc();
        let ended = ended.replace_nanosecond(0).unwrap_or(ended).format(&Rfc3339).unwrap_or_default();
        let page = Page {
            title: "The journal when it is large",
            about: format!(
                "A scratch platform: private servers, one replica of customers, {} changes of accounts of tenants and records of \
                 very different sizes. What is compared was measured in turns, in the same run. {} calls a second in an open loop, \
                 latency from the moment each call was due.",
                plan.entries, plan.rate
            ),
            machine: &self.report.machine,
            commit: self.report.commit.as_str(),
            ended,
            verdicts: &self.report.verdicts,
            sections: self.parts.iter().map(section).collect(),
        };
        page.html()
    }
}

fn section(part: &Part) -> Section {
    let table = HeatTable::new(part.name, "figure", vec!["measured".to_owned(), "unit".to_owned()]);
    let table = part.figures.iter().fold(table, |table, figure| {
        table.row(figure.what.clone(), vec![HeatCell::new(short(figure.value)), HeatCell::new(figure.unit)])
    });
    Section { title: part.name.to_owned(), text: part.about.clone(), drawings: vec![table.render()] }
}
