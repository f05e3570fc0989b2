//! The whole experiment: part after part, then what follows from them.

use crm_sandbox::TemporaryFolder;
use crm_server::token::tenant_id;
use uuid::Uuid;

use super::plan::Plan;
use super::{duplicates, imports, lists, loading, merge, search, timeline};
use crate::report::{LabReport, Machine};
use crate::scratch::{LabError, Metrics, Part, Programs, Servers, Stage, page, report};

/// The tenant that has half of everything, and the like in the smaller database.
pub(super) const LARGE: &str = "large";
pub(super) const SMALL: &str = "small";
/// Tenants of each database.
const TENANTS: u32 = 40;

/// What came of it.
#[derive(Debug)]
pub struct Outcome {
    /// For programs.
    pub report: LabReport<Metrics>,
    /// For people.
    pub parts: Vec<Part>,
}

/// What there is to be asked.
pub(super) struct Filled {
    /// A tenth of what is in the stage's own database.
    pub(super) small: Servers,
}

/// The name of the tenant with this id, as `crm seed large` names them.
pub(super) fn named(first: &str, id: Uuid) -> String {
    let mut names = (1..=TENANTS).map(|nth| if nth == 1 { first.to_owned() } else { format!("{first}-{nth}") });
    names.find(|name| tenant_id(name) == id).unwrap_or_else(|| id.to_string())
}

/// Plays all parts; `seen` is told of each as it ends.
///
/// # Errors
/// If a server or process does not start, the database refuses what the lab itself asks of it, or a call fails that has to
/// go well.
pub async fn run(plan: &Plan, programs: Programs, seed: u64, mut seen: impl FnMut(&Part)) -> Result<Outcome, LabError> {
    let machine = Machine::this();
    let folder = TemporaryFolder::new("crm-lab")?;
    let stage = Stage::start(programs, folder.path()).await?;
    let filled = Filled { small: stage.another("small").await? };
    let mut parts = Vec::new();
    let mut add = |part: Part| {
        seen(&part);
        parts.push(part);
    };
    add(loading::measure(&stage, plan, &filled).await?);
    add(search::measure(&stage, plan, &filled, seed).await?);
    add(merge::measure(&stage, plan).await?);
    let replica = stage.replica().await?;
    add(lists::measure(&stage, &replica).await?);
    add(timeline::measure(&stage, plan, &replica).await?);
    add(duplicates::measure(&stage, plan, &replica).await?);
    drop(replica);
    add(imports::measure(&stage, plan).await?);
    Ok(Outcome { report: report("customers", machine, &parts), parts })
}

impl Outcome {
    /// One page that needs no other file: verdicts and tables.
    ///
    /// # Errors
    /// Never with the template that there is.
    pub fn html(&self, plan: &Plan) -> Result<String, askama::Error> {
        let about = format!(
            "A scratch platform: private servers, replicas of customers, {} contacts with a tenth as many accounts and three \
             times as many activities, in forty tenants of which one has half; beside it a tenth of all that. What is compared \
             was measured in turns, in the same run, from the moment each call was due.",
            plan.contacts
        );
        page("Customers in number", about, &self.report, &self.parts)
    }
}
