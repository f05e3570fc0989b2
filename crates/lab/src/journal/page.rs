//! The lab's page.

use super::lab::Outcome;
use super::plan::Plan;
use crate::scratch::page;

impl Outcome {
    /// One page that needs no other file: verdicts and tables.
    ///
    /// # Errors
    /// Never with the template that there is.
    pub fn html(&self, plan: &Plan) -> Result<String, askama::Error> {
        let about = format!(
            "A scratch platform: private servers, one replica of customers, {} changes of accounts of tenants and records of \
             very different sizes. What is compared was measured in turns, in the same run. {} calls a second in an open loop, \
             latency from the moment each call was due.",
            plan.entries, plan.rate
        );
        page("The journal when it is large", about, &self.report, &self.parts)
    }
}
