//! Sales with customers beside it, and what tests make there.

use crm_balance::Discovery;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::contact_service_client::ContactServiceClient;
use crm_proto::customers::{Account, Contact, CreateAccountRequest, CreateContactRequest};
use crm_proto::google::r#type::Money;
use crm_proto::sales as pb;
use crm_proto::sales::figure_service_client::FigureServiceClient;
use crm_proto::sales::operation_service_client::OperationServiceClient;
use crm_proto::sales::opportunity_service_client::OpportunityServiceClient;
use crm_proto::sales::pipeline::{Kind, Stage};
use crm_proto::sales::pipeline_service_client::PipelineServiceClient;
use crm_proto::sales::product_service_client::ProductServiceClient;
use crm_resource::testkit::{self, Caller, Http, Process, field_mask};
use crm_resource::{ServiceConfig, StoreConfig};
use crm_sales::{CUSTOMERS, SERVICE};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::Role;
use tonic::Status;
use uuid::Uuid;

/// Gone when dropped.
pub(crate) struct Rig {
    pub(crate) manager: Caller,
    pub(crate) opportunities: OpportunityServiceClient<Http>,
    pub(crate) pipelines: PipelineServiceClient<Http>,
    pub(crate) figures: FigureServiceClient<Http>,
    pub(crate) products: ProductServiceClient<Http>,
    pub(crate) operations: OperationServiceClient<Http>,
    pub(crate) accounts: AccountServiceClient<Http>,
    contacts: ContactServiceClient<Http>,
    pub(crate) asks: Caller,
    _sales: Process,
    pub(crate) customers: Option<Process>,
    pub(crate) database: TestDatabase,
    pub(crate) theirs: TestDatabase,
}

impl Rig {
    pub(crate) async fn start() -> Self {
        let redis = testing::redis().await.unwrap();
        let store = |service, database: &TestDatabase| -> ServiceConfig {
            let url = database.url_as(testkit::storage(service).role, "");
            StoreConfig::new(url.parse().unwrap(), redis.parse().unwrap()).into()
        };
        let (theirs, database) = (testkit::database(&crm_customers::SERVICE).await, testkit::database(&SERVICE).await);
        let customers = Process::start_as(&crm_customers::SERVICE, store(&crm_customers::SERVICE, &theirs)).await;
        let peers = vec![(CUSTOMERS, Discovery::Static(vec![customers.address.into()]))];
        let sales = customers.beside(&SERVICE, ServiceConfig { peers, ..store(&SERVICE, &database) }).await;
        let (manager, asks) = (sales.caller("acme", Role::Manager), customers.caller("acme", Role::Manager));
        let of = |caller: &Caller| (caller.http.clone(), caller.origin.clone());
        let (own, theirs_too) = (of(&manager), of(&asks));
        Self {
            opportunities: OpportunityServiceClient::with_origin(own.0.clone(), own.1.clone()),
            pipelines: PipelineServiceClient::with_origin(own.0.clone(), own.1.clone()),
            figures: FigureServiceClient::with_origin(own.0.clone(), own.1.clone()),
            operations: OperationServiceClient::with_origin(own.0.clone(), own.1.clone()),
            products: ProductServiceClient::with_origin(own.0.clone(), own.1),
            accounts: AccountServiceClient::with_origin(theirs_too.0.clone(), theirs_too.1.clone()),
            contacts: ContactServiceClient::with_origin(theirs_too.0, theirs_too.1),
            manager,
            asks,
            _sales: sales,
            customers: Some(customers),
            database,
            theirs,
        }
    }

    pub(crate) async fn account(&self) -> String {
        let account = Some(Account { name: "Acme".to_owned(), ..Default::default() });
        let request = CreateAccountRequest { account, request_id: new_id(), ..Default::default() };
        self.accounts.clone().create_account(self.asks.request(request)).await.unwrap().into_inner().id
    }

    pub(crate) async fn contact(&self, account_id: &str) -> String {
        let (account_id, family_name) = (account_id.to_owned(), "Love".to_owned());
        let contact = Some(Contact { account_id, family_name, ..Default::default() });
        let request = CreateContactRequest { contact, request_id: new_id(), ..Default::default() };
        self.contacts.clone().create_contact(self.asks.request(request)).await.unwrap().into_inner().id
    }

    /// A pipeline with these stages.
    pub(crate) async fn pipeline(&self, stages: Vec<Stage>) -> pb::Pipeline {
        let pipeline = Some(pb::Pipeline { name: new_id(), stages, ..Default::default() });
        let request = self.manager.request(pb::CreatePipelineRequest { pipeline, request_id: new_id() });
        self.pipelines.clone().create_pipeline(request).await.unwrap().into_inner()
    }

    pub(crate) async fn set_stages(&self, id: &str, stages: Vec<Stage>) -> Result<pb::Pipeline, Status> {
        let pipeline = Some(pb::Pipeline { id: id.to_owned(), stages, ..Default::default() });
        let request = pb::UpdatePipelineRequest { pipeline, update_mask: field_mask(&["stages"]) };
        Ok(self.pipelines.clone().update_pipeline(self.manager.request(request)).await?.into_inner())
    }

    pub(crate) async fn get_pipeline(&self, id: &str) -> pb::Pipeline {
        let request = self.manager.request(pb::GetPipelineRequest { id: id.to_owned() });
        self.pipelines.clone().get_pipeline(request).await.unwrap().into_inner()
    }

    pub(crate) async fn product(&self, name: &str) -> String {
        let product = Some(pb::Product { name: name.to_owned(), ..Default::default() });
        let request = self.manager.request(pb::CreateProductRequest { product, request_id: new_id() });
        self.products.clone().create_product(request).await.unwrap().into_inner().id
    }

    pub(crate) async fn create(&self, opportunity: pb::Opportunity) -> Result<pb::Opportunity, Status> {
        let request = pb::CreateOpportunityRequest { opportunity: Some(opportunity), request_id: new_id() };
        Ok(self.opportunities.clone().create_opportunity(self.manager.request(request)).await?.into_inner())
    }

    pub(crate) async fn update(&self, it: pb::Opportunity, mask: &[&str]) -> Result<pb::Opportunity, Status> {
        let request = pb::UpdateOpportunityRequest { opportunity: Some(it), update_mask: field_mask(mask) };
        Ok(self.opportunities.clone().update_opportunity(self.manager.request(request)).await?.into_inner())
    }

    /// Moves it, and says why if it is lost.
    pub(crate) async fn move_to(&self, id: &str, stage: &Stage) -> Result<pb::Opportunity, Status> {
        let it = pb::Opportunity { id: id.to_owned(), stage_id: stage.id.clone(), ..Default::default() };
        match stage.kind() {
            Kind::Lost => {
                let lost_reason = "price".to_owned();
                self.update(pb::Opportunity { lost_reason, ..it }, &["stage_id", "lost_reason"]).await
            }
            _ => self.update(it, &["stage_id"]).await,
        }
    }

    pub(crate) async fn get(&self, id: &str) -> Result<pb::Opportunity, Status> {
        let request = self.manager.request(pb::GetOpportunityRequest { id: id.to_owned() });
        Ok(self.opportunities.clone().get_opportunity(request).await?.into_inner())
    }

    pub(crate) async fn delete(&self, id: &str) -> Result<pb::Opportunity, Status> {
        let request = pb::DeleteOpportunityRequest { id: id.to_owned(), etag: String::new() };
        Ok(self.opportunities.clone().delete_opportunity(self.manager.request(request)).await?.into_inner())
    }

    pub(crate) async fn undelete(&self, id: &str) -> Result<pb::Opportunity, Status> {
        let request = pb::UndeleteOpportunityRequest { id: id.to_owned(), etag: String::new() };
        Ok(self.opportunities.clone().undelete_opportunity(self.manager.request(request)).await?.into_inner())
    }

    pub(crate) async fn stays(&self, id: &str) -> Vec<pb::StageStay> {
        let request = self.manager.request(pb::GetOpportunityStagesRequest { id: id.to_owned() });
        self.opportunities.clone().get_opportunity_stages(request).await.unwrap().into_inner().stays
    }
}

pub(crate) fn new_id() -> String {
    Uuid::new_v4().to_string()
}

pub(crate) fn stage(name: &str, kind: Kind, probability: Option<i32>) -> Stage {
    Stage { name: name.to_owned(), kind: kind.into(), probability, ..Default::default() }
}

/// New, Offer, Won, Lost.
pub(crate) fn usual() -> Vec<Stage> {
    let (new, offer) = (stage("New", Kind::Open, Some(10)), stage("Offer", Kind::Open, Some(50)));
    vec![new, offer, stage("Won", Kind::Won, None), stage("Lost", Kind::Lost, None)]
}

pub(crate) fn euros(units: i64) -> Option<Money> {
    money("EUR", units, 0)
}

pub(crate) fn money(code: &str, units: i64, nanos: i32) -> Option<Money> {
    Some(Money { currency_code: code.to_owned(), units, nanos })
}

/// One at this account, at the beginning of this pipeline.
pub(crate) fn opportunity(account_id: &str, pipeline: &pb::Pipeline) -> pb::Opportunity {
    let (account_id, pipeline_id) = (account_id.to_owned(), pipeline.id.clone());
    pb::Opportunity { name: "Gearboxes".to_owned(), account_id, pipeline_id, ..Default::default() }
}
