//! The lab's page.

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::charts::{self, COURSES, FAILED, FAIR_AGAIN, P99, SHARE};
use super::fault_scenario::FaultScenario;
use super::lab::Outcome;
use super::plan::Plan;
use super::toys::{CAPACITY, service_time_ms};
use super::variant::Variant;
use crate::report::{Page, Section};

impl Outcome {
    /// One page that needs no other file: verdicts, tables, courses.
    ///
    /// # Errors
    /// Never with the template that there is.
    pub fn html(&self, plan: &Plan) -> Result<String, askama::Error> {
        let ended = OffsetDateTime::now_utc();
        let ended = ended.replace_nanosecond(0).unwrap_or(ended).format(&Rfc3339).unwrap_or_default();
        let mut sections = vec![self.tables(plan)];
        sections.extend(plan.faults.iter().map(|fault| self.courses(plan, *fault)));
        let (machine, commit) = (&self.report.machine, self.report.commit.as_str());
        let page = Page {
            title: "Balancing: policies against faults",
            about: about(plan),
            machine,
            commit,
            ended,
            verdicts: &self.report.verdicts,
            sections,
        };
        page.html()
    }

    fn tables(&self, plan: &Plan) -> Section {
        let figures = [&FAILED, &P99, &SHARE, &FAIR_AGAIN];
        Section {
            title: "Every policy and peer under every fault".to_owned(),
            text: format!(
                "The worst of {} run(s) in each place. The shade says how bad, the figure how much; rest on a figure to see what calls failed with.",
                plan.runs
            ),
            drawings: figures
                .iter()
                .filter(|figure| plan.faults.iter().any(|fault| (figure.tells)(*fault)))
                .map(|figure| charts::heat(figure, plan, &self.cells))
                .collect(),
        }
    }

    fn courses(&self, plan: &Plan, fault: FaultScenario) -> Section {
        let policies: Vec<&Variant> = plan.variants.iter().filter(|variant| !variant.is_peer()).collect();
        let peers: Vec<&Variant> =
            plan.variants.iter().filter(|variant| variant.is_peer() || variant.is_default()).collect();
        let mut groups = vec![("policies", policies)];
        if peers.iter().any(|variant| variant.is_peer()) {
            groups.push(("peers", peers));
        }
        let mut drawings = Vec::new();
        for course in COURSES.iter().filter(|course| (course.tells)(fault)) {
            for (group, variants) in &groups {
                drawings.extend(charts::course(course, fault, group, variants, &self.cells));
            }
        }
        let text = "Second 0 is the moment of the fault; the shaded part is as long as it lasts. First run of each."
            .to_owned();
        Section { title: capitalised(fault.title()), text, drawings }
    }
}

fn about(plan: &Plan) -> String {
    format!(
        "Four toy upstreams of {} ms ({} ms among writes) and four slots each, one or all of which break; {} calls a second in an open loop, deadline 1 s, \
         latency from the moment each call was due. Every cell has processes of its own; {} cell(s) at a time. Peers are set up as \
         their makers advise, with least-loaded policies. Counts of the faulty replica come from the toys themselves. Too many \
         calls are played with toys of {} ms, which serve {CAPACITY} a second: half of that, then three times as many.",
        service_time_ms(FaultScenario::None),
        service_time_ms(FaultScenario::KilledWrites),
        plan.rate,
        plan.lanes.max(1),
        service_time_ms(FaultScenario::Overload)
    )
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}
