//! Pipelines: the ways that opportunities go, stage by stage.

mod board;
mod calls;
mod delete;
mod hold;
mod merge;
mod stages;
mod update;

use crm_proto::sales as pb;
use crm_resource::{Exchange, Filter, Kind, Order, Refusal, Resource, Row, Violations};
use crm_values::{name_key, required};
use sqlx::FromRow;

pub(crate) use hold::hold_pipeline;

pub use board::{CARDS, TOTALS};
pub use delete::{IN_USE, OPPORTUNITY_IN};
pub use hold::{HOLD, LOCK};
pub use merge::{FORGET_TOTALS, MergeStage, STAGE_BEING_MERGED, STAGE_KINDS_DIFFER, STAGE_NOT_FOUND};
pub use stages::{Stage, StageKind, Stages};
pub use update::{STAGE_IN_USE, USED_STAGE};

/// The resource.
#[derive(Debug, Clone)]
pub struct Pipeline;

/// What callers may set.
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    /// Unique among the tenant's pipelines that are not deleted, in any case.
    name: String,
    #[sqlx(try_from = "String")]
    stages: Stages,
}

/// There is no such pipeline.
pub const NOT_FOUND: Refusal = Refusal::not_found("PIPELINE_NOT_FOUND", "there is no such pipeline");
/// The pipeline to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("PIPELINE_NOT_DELETED", "the pipeline is not deleted");
/// A name belongs to one pipeline.
pub const NAME_TAKEN: Refusal = Refusal::already_exists("PIPELINE_NAME_TAKEN", "another pipeline has this name");

impl Resource for Pipeline {
    type Message = pb::Pipeline;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[Filter::name("name", "name_key"), Filter::since("update_time")],
        orders: &[Order::text("name", "name_key"), Order::time("update_time")],
        constraints: &[("pipelines_name_key", &NAME_TAKEN)],
        // A few, and read by everybody.
        cache_bytes: 1 << 20,
        ..Kind::new("pipelines", "sales.pipelines", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::Pipeline, fields: &mut Exchange<'_>) {
        fields.text("name", &mut it.name, &mut message.name, required(200));
        let stages = (&mut it.stages.all, &mut message.stages);
        fields.messages(("stages", stages::MOST), stages.0, stages.1, stages::read_stage, stages::show_stage);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("name", &it.name);
        row.key("name_key", name_key(&it.name));
        row.set("stages", &it.stages.written());
    }

    fn check(before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        now.stages.check(before.map(|before| &before.stages), found);
    }
}
