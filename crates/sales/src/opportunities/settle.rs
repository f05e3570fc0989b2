//! What follows from the fields that callers set: the stage that it stands in, and what it counts as.

use std::collections::HashMap;

use crm_resource::{Error, Records, Refusal, Violations, Write};
use crm_values::Flaw;
use time::{Duration, OffsetDateTime};
use uuid::Uuid;

use super::{Fields, lines};
use crate::pipelines::{Stage, StageKind, hold_pipeline};
use crate::products::Product;

/// The pipeline of the opportunity is not there.
pub const PIPELINE_NOT_FOUND: Refusal =
    Refusal::failed_precondition("OPPORTUNITY_PIPELINE_NOT_FOUND", "there is no such pipeline for the opportunity");
/// The stage is none of the pipeline's.
pub const STAGE_NOT_FOUND: Refusal =
    Refusal::failed_precondition("OPPORTUNITY_STAGE_NOT_FOUND", "the pipeline has no such stage");
/// A product of a line is not there.
pub const PRODUCT_NOT_FOUND: Refusal =
    Refusal::failed_precondition("OPPORTUNITY_PRODUCT_NOT_FOUND", "there is no such product for a line");

/// Settles what is about to be written, in the transaction that writes it. Whoever enters a stage holds its pipeline from here
/// on, so that the stage is there when it is entered.
pub(super) async fn settle(
    products: &Records<Product>,
    write: &mut Write,
    before: Option<&Fields>,
    now: &mut Fields,
) -> Result<(), Error> {
    if before.is_none_or(|before| before.lines != now.lines) {
        name_lines(products, write, before, now).await?;
    }
    if before.is_none_or(|before| (before.pipeline_id, before.stage_id) != (now.pipeline_id, now.stage_id)) {
        let stages = hold_pipeline(write, now.pipeline_id).await?.ok_or(Error::from(&PIPELINE_NOT_FOUND))?;
        let stage = stages.entered_by(now.stage_id).ok_or(Error::from(&STAGE_NOT_FOUND))?;
        now.enter(before, stage);
    }
    now.count();
    now.check_state()
}

/// Looks up the products of lines that are new, and gives lines the names of products where they have none. Nothing is held:
/// a product that is deleted at the same time has been sold a moment earlier.
async fn name_lines(
    products: &Records<Product>,
    write: &mut Write,
    before: Option<&Fields>,
    now: &mut Fields,
) -> Result<(), Error> {
    let is_known = |id: &Uuid| before.is_some_and(|before| before.lines.0.iter().any(|it| it.product_id == Some(*id)));
    let wanted = |line: &lines::Line| line.product_id.filter(|id| line.name.is_empty() || !is_known(id));
    let mut ids: Vec<Uuid> = now.lines.0.iter().filter_map(wanted).collect();
    ids.sort_unstable();
    ids.dedup();
    let tenant = write.call.tenant;
    let found = products.find_live(write, tenant, &ids).await?;
    let names: HashMap<Uuid, String> = found.into_iter().map(|it| (it.head.id, it.fields.name().to_owned())).collect();
    if let Some(missing) = ids.iter().find(|id| !names.contains_key(id)) {
        return Err(Error::RefusedFor(&PRODUCT_NOT_FOUND, *missing));
    }
    for line in now.lines.0.iter_mut().filter(|line| line.name.is_empty()) {
        line.name = line.product_id.and_then(|id| names.get(&id)).cloned().unwrap_or_default();
    }
    Ok(())
}

impl Fields {
    /// Puts it into a stage, unless it stands there. What belongs to the stage that it leaves, and nobody has set anew, is left
    /// behind.
    fn enter(&mut self, before: Option<&Self>, stage: &Stage) {
        self.stage_id = stage.id;
        if before.is_some_and(|before| (before.pipeline_id, before.stage_id) == (self.pipeline_id, stage.id)) {
            return;
        }
        let now = later_than(before.and_then(|before| before.stage_time));
        (self.state, self.stage_time) = (stage.kind, Some(now));
        self.stage_name.clone_from(&stage.name);
        let Some(before) = before else {
            self.close_time = (stage.kind != StageKind::Open).then_some(now);
            return;
        };
        self.close_time = match stage.kind {
            StageKind::Open => None,
            kind if kind == before.state => before.close_time,
            _ => Some(now),
        };
        if stage.kind != StageKind::Lost && self.lost_reason == before.lost_reason {
            self.lost_reason.clear();
        }
        if stage.kind != StageKind::Open && self.probability == before.probability {
            self.probability = None;
        }
    }

    /// What it counts as.
    fn count(&mut self) {
        let amount = self.amount_minor.zip(self.amount_currency.clone());
        let value = lines::sum(&self.lines.0).or(amount);
        (self.value_minor, self.value_currency) = value.unzip();
    }

    fn check_state(&self) -> Result<(), Error> {
        let (is_open, is_lost) = (self.state == StageKind::Open, self.state == StageKind::Lost);
        let mut found = Violations::default();
        if is_lost && self.lost_reason.is_empty() {
            found.add("opportunity.lost_reason", Flaw::new(Flaw::REQUIRED, "is required of what is lost"));
        }
        if !is_lost && !self.lost_reason.is_empty() {
            found.add("opportunity.lost_reason", Flaw::new(Flaw::CONTRADICTION, "only what is lost has one"));
        }
        if !is_open && self.probability.is_some() {
            let rule = "only what is open has one of its own";
            found.add("opportunity.probability", Flaw::new(Flaw::CONTRADICTION, rule));
        }
        found.finish(())
    }
}

/// Now, to the microsecond, as it is stored, and after the time before: stays in stages follow each other.
fn later_than(before: Option<OffsetDateTime>) -> OffsetDateTime {
    let now = OffsetDateTime::now_utc();
    let now = now - Duration::nanoseconds(i64::from(now.nanosecond() % 1_000));
    before.map_or(now, |before| now.max(before + Duration::microseconds(1)))
}
