//! A service of its own for each test: database from a template, Redis database, ports, keys.

use std::ops::Deref;

use crm_cache::Redis;
use crm_customers::SERVICE;
use crm_database::Database;
use crm_proto::activities::{self, Activity};
use crm_proto::customers as pb;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::activity_service_client::ActivityServiceClient;
use crm_proto::customers::attribute_definition_service_client::AttributeDefinitionServiceClient;
use crm_proto::customers::change_service_client::ChangeServiceClient;
use crm_proto::customers::contact_service_client::ContactServiceClient;
use crm_proto::customers::import_service_client::ImportServiceClient;
use crm_proto::customers::operation_service_client::OperationServiceClient;
use crm_proto::customers::saved_view_service_client::SavedViewServiceClient;
use crm_proto::customers::search_service_client::SearchServiceClient;
use crm_proto::customers::table_service_client::TableServiceClient;
use crm_proto::customers::tag_service_client::TagServiceClient;
use crm_resource::testkit::{self, Http, Process};
use crm_resource::{ServiceConfig, Store, StoreConfig};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Role, tenant_id};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tonic::Status;
use uuid::Uuid;

pub use crm_resource::testkit::{eventually, field_mask, refusal, refused, violations};

/// The service's own, as these tests call it.
pub mod app {
    use crm_customers::SERVICE;
    use crm_resource::testkit;

    pub const ROLE: &str = testkit::storage(&SERVICE).role;
    pub const SCHEMA: &str = testkit::storage(&SERVICE).schema;
}

/// An empty, migrated database.
pub async fn database() -> TestDatabase {
    testkit::database(&SERVICE).await
}

/// What a replica keeps its records in, without its ports.
pub async fn store(database: &TestDatabase) -> Store {
    let redis_url = testing::redis().await.unwrap();
    let config = StoreConfig::new(database.url_as(app::ROLE, "").parse().unwrap(), redis_url.parse().unwrap());
    let redis = Redis::connect("customers", &redis_url).unwrap();
    eventually("Redis", async || redis.is_up()).await;
    Store::new(pool(database).await, redis, app::SCHEMA, &config).unwrap()
}

/// The pool that the service would use.
pub async fn pool(database: &TestDatabase) -> Database {
    testkit::pool(&SERVICE, database).await
}

/// Runs statements as the database's owner.
pub async fn as_owner(database: &TestDatabase, statements: &str) {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    owner.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
    owner.close().await.unwrap();
}

pub fn tenant() -> Uuid {
    tenant_id("acme")
}

/// A running service.
pub struct Service(Process);

impl Service {
    pub async fn start(database_url: &str, redis_url: &str) -> Self {
        Self(Process::start(&SERVICE, database_url, redis_url).await)
    }

    pub async fn start_as(config: ServiceConfig) -> Self {
        Self(Process::start_as(&SERVICE, config).await)
    }

    /// A client that speaks for `tenant` in `role`.
    pub fn caller(&self, tenant: &str, role: Role) -> Caller {
        Self::clients(self.0.caller(tenant, role))
    }

    /// The same of somebody else.
    pub fn caller_as(&self, subject: &str, tenant: &str, role: Role) -> Caller {
        Self::clients(self.0.caller_as(subject, tenant, role))
    }

    /// Another service, which works for `tenant` and has no caller.
    pub fn service(&self, name: &str, tenant: &str) -> Caller {
        Self::clients(self.0.service(name, tenant))
    }

    fn clients(own: testkit::Caller) -> Caller {
        let accounts = AccountServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let contacts = ContactServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let activities = ActivityServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let definitions = AttributeDefinitionServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let changes = ChangeServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let imports = ImportServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let operations = OperationServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let saved_views = SavedViewServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let search = SearchServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let tables = TableServiceClient::with_origin(own.http.clone(), own.origin.clone());
        let tags = TagServiceClient::with_origin(own.http.clone(), own.origin.clone());
        Caller {
            accounts,
            contacts,
            activities,
            definitions,
            changes,
            imports,
            operations,
            saved_views,
            search,
            tables,
            tags,
            own,
        }
    }

    pub async fn stop(self) {
        self.0.stop().await;
    }

    pub fn kill(self) {
        self.0.kill();
    }

    pub async fn end(self) -> Result<(), crm_resource::RunError> {
        self.0.end().await
    }
}

impl Deref for Service {
    type Target = Process;

    fn deref(&self) -> &Process {
        &self.0
    }
}

/// A service with everything of its own, and an agent of the tenant `acme`.
pub struct World {
    pub database: TestDatabase,
    pub service: Service,
    pub agent: Caller,
}

pub async fn world() -> World {
    let database = database().await;
    let redis_url = testing::redis().await.unwrap();
    let service = Service::start(&database.url_as(app::ROLE, ""), &redis_url).await;
    let agent = service.caller("acme", Role::Agent);
    World { database, service, agent }
}

#[derive(Clone)]
pub struct Caller {
    pub accounts: AccountServiceClient<Http>,
    pub contacts: ContactServiceClient<Http>,
    pub activities: ActivityServiceClient<Http>,
    pub definitions: AttributeDefinitionServiceClient<Http>,
    pub changes: ChangeServiceClient<Http>,
    pub imports: ImportServiceClient<Http>,
    pub operations: OperationServiceClient<Http>,
    pub saved_views: SavedViewServiceClient<Http>,
    pub search: SearchServiceClient<Http>,
    pub tables: TableServiceClient<Http>,
    pub tags: TagServiceClient<Http>,
    own: testkit::Caller,
}

impl Deref for Caller {
    type Target = testkit::Caller;

    fn deref(&self) -> &testkit::Caller {
        &self.own
    }
}

/// Calls one method of a client: `call!(caller, accounts.get_account(message))`.
macro_rules! call {
    ($caller:expr, $service:ident . $method:ident ($message:expr)) => {{
        let caller = &$caller;
        let answer = caller.$service.clone().$method(caller.request($message)).await;
        answer.map(tonic::Response::into_inner)
    }};
}
pub(crate) use call;

impl Caller {
    pub async fn create_account(&self, account: pb::Account) -> Result<pb::Account, Status> {
        let request_id = Uuid::new_v4().to_string();
        call!(
            self,
            accounts.create_account(pb::CreateAccountRequest {
                account: Some(account),
                request_id,
                ..Default::default()
            })
        )
    }

    pub async fn create_contact(&self, contact: pb::Contact) -> Result<pb::Contact, Status> {
        let request_id = Uuid::new_v4().to_string();
        call!(
            self,
            contacts.create_contact(pb::CreateContactRequest {
                contact: Some(contact),
                request_id,
                ..Default::default()
            })
        )
    }

    pub async fn create_activity(&self, activity: Activity) -> Result<Activity, Status> {
        let (activity, request_id) = (Some(activity), Uuid::new_v4().to_string());
        call!(self, activities.create_activity(activities::CreateActivityRequest { activity, request_id }))
    }

    pub async fn get_account(&self, id: &str) -> Result<pb::Account, Status> {
        call!(self, accounts.get_account(pb::GetAccountRequest { id: id.to_owned() }))
    }

    pub async fn get_contact(&self, id: &str) -> Result<pb::Contact, Status> {
        call!(self, contacts.get_contact(pb::GetContactRequest { id: id.to_owned() }))
    }

    pub async fn update_account(&self, account: pb::Account, mask: &[&str]) -> Result<pb::Account, Status> {
        let update_mask = field_mask(mask);
        call!(self, accounts.update_account(pb::UpdateAccountRequest { account: Some(account), update_mask }))
    }

    pub async fn update_contact(&self, contact: pb::Contact, mask: &[&str]) -> Result<pb::Contact, Status> {
        let update_mask = field_mask(mask);
        call!(self, contacts.update_contact(pb::UpdateContactRequest { contact: Some(contact), update_mask }))
    }

    pub async fn delete_account(&self, id: &str, etag: &str) -> Result<pb::Account, Status> {
        call!(self, accounts.delete_account(pb::DeleteAccountRequest { id: id.to_owned(), etag: etag.to_owned() }))
    }

    pub async fn undelete_account(&self, id: &str) -> Result<pb::Account, Status> {
        let request = pb::UndeleteAccountRequest { id: id.to_owned(), etag: String::new() };
        call!(self, accounts.undelete_account(request))
    }

    pub async fn delete_contact(&self, id: &str, etag: &str) -> Result<pb::Contact, Status> {
        call!(self, contacts.delete_contact(pb::DeleteContactRequest { id: id.to_owned(), etag: etag.to_owned() }))
    }

    pub async fn undelete_contact(&self, id: &str) -> Result<pb::Contact, Status> {
        let request = pb::UndeleteContactRequest { id: id.to_owned(), etag: String::new() };
        call!(self, contacts.undelete_contact(request))
    }
}

pub fn account(name: &str) -> pb::Account {
    pb::Account { name: name.to_owned(), ..Default::default() }
}

pub fn contact(account_id: &str, family_name: &str) -> pb::Contact {
    pb::Contact { account_id: account_id.to_owned(), family_name: family_name.to_owned(), ..Default::default() }
}
