//! The one pipeline of the data set, told by its stages, whatever these and it are called.

use crm_proto::sales as pb;
use crm_proto::sales::pipeline::{Kind, Stage as StageMessage};
use crm_proto::sales::pipeline_service_client::PipelineServiceClient;

use super::{all, id_of, patiently};
use crate::api::Api;
use crate::failure::Failure;
use crate::import::deals::Stage;

const NAME: &str = "CRM Sales Opportunities";

/// Whoever adds a stage chooses its id: this one is the same in each import.
pub(crate) fn stage_id(stage: Stage) -> String {
    id_of("stages", stage.name())
}

/// In a hundred. Of those that were decided in the data set 63 were won.
fn probability(stage: Stage) -> (Kind, Option<i32>) {
    match stage {
        Stage::Prospecting => (Kind::Open, Some(10)),
        Stage::Engaging => (Kind::Open, Some(60)),
        Stage::Won => (Kind::Won, None),
        Stage::Lost => (Kind::Lost, None),
    }
}

/// The id of the pipeline, which is created if it never was. A stage that was merged since leads to the other one by its id.
pub(crate) async fn keep(api: &Api) -> Result<String, Failure> {
    let mut client = PipelineServiceClient::new(api.channel());
    let request = pb::ExportPipelinesRequest { show_deleted: true, ..Default::default() };
    let stream = patiently(async || client.export_pipelines(request.clone()).await).await;
    let ours: Vec<String> = Stage::ALL.map(stage_id).into();
    let is_ours = |pipeline: &pb::Pipeline| pipeline.stages.iter().any(|stage| ours.contains(&stage.id));
    match all(api, stream).await?.into_iter().find(is_ours) {
        Some(pipeline) if pipeline.delete_time.is_some() => {
            let name = pipeline.name;
            Err(Failure::Check(format!(
                "the pipeline {name:?} of the data set was deleted: undelete it, or import into another tenant"
            )))
        }
        Some(pipeline) => Ok(pipeline.id),
        None => {
            let request = pb::CreatePipelineRequest { pipeline: Some(pipeline()), request_id: id_of("pipelines", "") };
            let answer = patiently(async || client.create_pipeline(request.clone()).await).await;
            answer.map(|pipeline| pipeline.id).map_err(|status| api.failure(&status))
        }
    }
}

fn pipeline() -> pb::Pipeline {
    let stage = |stage: Stage| {
        let (kind, probability) = probability(stage);
        let (id, name) = (stage_id(stage), stage.name().to_owned());
        StageMessage { id, name, kind: kind.into(), probability, ..Default::default() }
    };
    pb::Pipeline { name: NAME.into(), stages: Stage::ALL.map(stage).into(), ..Default::default() }
}
