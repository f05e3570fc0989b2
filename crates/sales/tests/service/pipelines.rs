//! What is particular about pipelines.

use crm_proto::sales as pb;
use crm_proto::sales::pipeline::{Kind, Stage};
use crm_proto::sales::pipeline_service_client::PipelineServiceClient;
use crm_resource::testkit::{self, Caller, Http, Process, field_mask, refusal, refused, violations};
use crm_sales::SERVICE;
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::Role;
use tonic::{Code, Status};
use uuid::Uuid;

struct Pipelines {
    pipelines: PipelineServiceClient<Http>,
    manager: Caller,
    _process: Process,
    _database: TestDatabase,
}

impl Pipelines {
    async fn start() -> Self {
        let database = testkit::database(&SERVICE).await;
        let url = database.url_as(testkit::storage(&SERVICE).role, "");
        let process = Process::start(&SERVICE, &url, &testing::redis().await.unwrap()).await;
        let manager = process.caller("acme", Role::Manager);
        let pipelines = PipelineServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
        Self { pipelines, manager, _process: process, _database: database }
    }

    async fn create(&self, name: &str, stages: Vec<Stage>) -> Result<pb::Pipeline, Status> {
        let pipeline = Some(pb::Pipeline { name: name.to_owned(), stages, ..Default::default() });
        let request_id = Uuid::new_v4().to_string();
        let request = self.manager.request(pb::CreatePipelineRequest { pipeline, request_id });
        Ok(self.pipelines.clone().create_pipeline(request).await?.into_inner())
    }

    async fn set_stages(&self, id: &str, stages: Vec<Stage>) -> Result<pb::Pipeline, Status> {
        let pipeline = Some(pb::Pipeline { id: id.to_owned(), stages, ..Default::default() });
        let request = pb::UpdatePipelineRequest { pipeline, update_mask: field_mask(&["stages"]) };
        Ok(self.pipelines.clone().update_pipeline(self.manager.request(request)).await?.into_inner())
    }
}

fn stage(name: &str, kind: Kind, probability: Option<i32>) -> Stage {
    Stage { name: name.to_owned(), kind: kind.into(), probability, ..Default::default() }
}

fn usual() -> Vec<Stage> {
    vec![stage("New", Kind::Open, Some(10)), stage("Won", Kind::Won, None), stage("Lost", Kind::Lost, None)]
}

#[tokio::test]
async fn stages_are_added_renamed_and_reordered_and_stay_what_they_are() {
    let own = Pipelines::start().await;
    let made = own.create("Sales", usual()).await.unwrap();
    let told: Vec<_> = made.stages.iter().map(|stage| stage.probability).collect();
    assert_eq!(told, [Some(10), Some(100), Some(0)]);
    let mut stages = made.stages.clone();
    stages.swap(0, 2);
    stages[2].name = "Fresh".to_owned();
    stages.push(Stage { id: Uuid::from_u128(7).to_string(), ..stage("Offer", Kind::Open, None) });
    let changed = own.set_stages(&made.id, stages.clone()).await.unwrap();
    stages[3].probability = Some(0);
    assert_eq!(changed.stages, stages);
    assert_eq!(changed.name, "Sales");
    // Nobody stands in them.
    assert_eq!(own.set_stages(&made.id, changed.stages[..3].to_vec()).await.unwrap().stages.len(), 3);
}

#[tokio::test]
async fn a_name_belongs_to_one_pipeline() {
    let own = Pipelines::start().await;
    own.create("Sales", usual()).await.unwrap();
    let taken = refused(Code::AlreadyExists, "PIPELINE_NAME_TAKEN");
    assert_eq!(refusal(own.create("SALES", usual()).await), taken);
}

#[tokio::test]
async fn a_pipeline_has_stages_of_each_kind_and_each_by_a_name_of_its_own() {
    let own = Pipelines::start().await;
    let made = own.create("Sales", usual()).await.unwrap();
    let mut number = 0;
    let mut other = usual();
    other[1].kind = Kind::Open.into();
    let mut both = usual();
    both[2] = stage("NEW", Kind::Lost, None);
    let mut flawed = usual();
    flawed[0] = Stage { id: "x".to_owned(), ..stage("", Kind::Unspecified, Some(101)) };
    flawed[1].probability = Some(99);
    flawed[2].probability = Some(1);
    let of = |part: &str, index: usize| format!("pipeline.stages[{index}].{part}");
    let whole = vec!["pipeline.stages".to_owned()];
    let flaws = [("id", 0), ("kind", 0), ("name", 0), ("probability", 0), ("probability", 1), ("probability", 2)];
    for (stages, expected) in [
        (Vec::new(), whole.clone()),
        (other, whole.clone()),
        (both, vec![of("name", 2)]),
        (flawed, flaws.map(|(part, index)| of(part, index)).to_vec()),
        ((0..51).map(|n| stage(&n.to_string(), Kind::Open, None)).collect(), whole),
    ] {
        number += 1;
        assert_eq!(violations(own.create(&format!("Other {number}"), stages.clone()).await), expected, "{stages:?}");
        assert_eq!(violations(own.set_stages(&made.id, stages).await), expected);
    }
    let mut turned = made.stages.clone();
    turned[1].kind = Kind::Open.into();
    turned[1].probability = None;
    turned.push(stage("Gained", Kind::Won, None));
    assert_eq!(violations(own.set_stages(&made.id, turned).await), [of("kind", 1)]);
    let mut twice = made.stages.clone();
    twice.push(Stage { name: "Twice".to_owned(), ..made.stages[0].clone() });
    assert_eq!(violations(own.set_stages(&made.id, twice).await), [of("id", 3)]);
}
