//! Two replicas of customers, and sales as somebody who follows them: on the platform's own processes, with effects that are
//! written down and can be told to fail.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime};

use crm_balance::Discovery;
use crm_cache::Redis;
use crm_customers::accounts::Account;
use crm_database::{Database, Settings};
use crm_proto::journal::{Change as Changed, change::Kind};
use crm_proto::{customers as pb, sales};
use crm_resource::follow::{Beginning, Effects, Follower, Source, Why};
use crm_resource::peers::Peer;
use crm_resource::{
    Call, Change, Error, Keeps, New, Records, RunError, Service, ServiceConfig, Storage, Store, StoreConfig, Write,
};
use crm_sales::products::Product;
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Claims, Role, ServiceSigner, Signer, Verifier};
use futures_util::FutureExt;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::{JoinHandle, JoinSet};
use tokio_util::sync::CancellationToken;
use tonic::async_trait;
use uuid::Uuid;

use crate::support::listen;

pub(super) const CUSTOMERS: Peer = Peer { name: "customers", addresses_setting: "CRM_CUSTOMERS_ADDRESSES" };
const TABLES: &str = "
    create table sales.effects (nth bigserial primary key, tenant_id uuid, record_id uuid, version bigint);
    create table sales.begun (tenant_id uuid, why text);
    alter table sales.effects enable row level security; alter table sales.effects force row level security;
    alter table sales.begun enable row level security; alter table sales.begun force row level security;
    create policy own on sales.effects using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
    create policy own on sales.begun using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid)";

/// Records whose changes cannot be followed, and whether that is a panic; tenants that cannot be begun with.
pub(super) static POISON: Mutex<Option<HashMap<Uuid, bool>>> = Mutex::new(None);

pub(super) fn poison(record: Uuid, panics: bool) {
    POISON.lock().unwrap().get_or_insert_default().insert(record, panics);
}

pub(super) fn heal(record: Uuid) {
    POISON.lock().unwrap().get_or_insert_default().remove(&record);
}

/// Writes down each change of an account, and makes a product of each new one.
struct Copies {
    products: Records<Product>,
}

#[async_trait]
impl Effects for Copies {
    async fn apply(&self, write: &mut Write, changes: &[Changed]) -> Result<(), Error> {
        let tenant = write.call.tenant;
        for change in changes {
            let id = Uuid::parse_str(&change.id).unwrap();
            let poison = POISON.lock().unwrap().as_ref().and_then(|all| all.get(&id).copied());
            match poison {
                Some(true) => panic!("{id} is not to be followed"),
                Some(false) => return Err(Error::Inconsistent("not to be followed")),
                None => {}
            }
            let insert = "insert into sales.effects (tenant_id, record_id, version) values ($1, $2, $3)";
            let query = sqlx::query(insert).bind(tenant).bind(id).bind(change.version);
            write.execute("make_effect", query).await?;
            if change.kind() == Kind::Created {
                let product = sales::Product { name: change.id.clone(), ..sales::Product::default() };
                let request_id = Uuid::new_v4().to_string();
                let request = sales::CreateProductRequest { product: Some(product), request_id };
                let new = New::<Product>::read(write.call.clone(), request)?;
                self.products.insert(write, new.id, &new.fields).await?;
            }
        }
        Ok(())
    }

    async fn begin(&self, source: &Source, why: Why) -> Result<Beginning, Error> {
        let (tenant, text) = (source.tenant(), format!("{why:?}"));
        let cursor = if why == Why::New { String::new() } else { source.present().await? };
        Ok(Beginning::at(cursor).with(move |write| {
            // Before there is anything that could be waited for.
            let is_poisoned = POISON.lock().unwrap().as_ref().is_some_and(|all| all.contains_key(&tenant));
            assert!(!is_poisoned, "{tenant} is not to be begun");
            async move {
                let insert = sqlx::query("insert into sales.begun (tenant_id, why) values ($1, $2)");
                write.execute("note_begun", insert.bind(tenant).bind(text)).await?;
                Ok(())
            }
            .boxed()
        }))
    }
}

/// One that follows accounts, of this name.
pub(super) const fn follower(name: &'static str) -> Follower {
    Follower { name, source: CUSTOMERS, resources: &["accounts"], effects: copies }
}

fn copies(store: &Store) -> Arc<dyn Effects> {
    Arc::new(Copies { products: Records::new(store) })
}

/// Sales with these followers.
pub(super) fn following(follows: &'static [Follower]) -> &'static Service {
    let Keeps::Records(storage, routes) = &crm_sales::SERVICE.keeps else { panic!("sales keeps records") };
    let Storage { schema, role, url_setting, password_file_setting, migrator, resources, copies, seed, .. } = *storage;
    let storage =
        Storage { schema, role, url_setting, password_file_setting, migrator, resources, copies, follows, seed };
    let keeps = Keeps::Records(storage, *routes);
    Box::leak(Box::new(Service { name: "sales", package: "crm.sales.v1", keeps, asks: &[CUSTOMERS], refusals: &[] }))
}

/// All that follows ends when this is dropped, wherever it is.
pub(super) struct Following(JoinHandle<Result<(), RunError>>);

impl Following {
    /// As killed.
    pub(super) async fn kill(mut self) {
        self.0.abort();
        assert!((&mut self.0).await.unwrap_err().is_cancelled());
    }

    pub(super) async fn end(mut self) -> Result<(), RunError> {
        (&mut self.0).await.unwrap()
    }
}

impl Drop for Following {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Gone when dropped.
pub(super) struct Rig {
    pub(super) source: TestDatabase,
    pub(super) own: TestDatabase,
    pub(super) service: &'static Service,
    pub(super) signer: ServiceSigner,
    verifier: Verifier,
    replicas: Vec<SocketAddr>,
    redis_url: String,
    _running: JoinSet<()>,
}

impl Rig {
    pub(super) async fn start(follows: &'static [Follower]) -> Self {
        let ((_, users), (private, services)) = (Signer::generate_pem().unwrap(), Signer::generate_pem().unwrap());
        let verifier = Verifier::from_pem(&users).unwrap().and_services(&services).unwrap();
        let source = database(&crm_customers::SERVICE).await;
        let own = database(&crm_sales::SERVICE).await;
        let redis_url = testing::redis().await.unwrap();
        let (mut running, mut replicas) = (JoinSet::new(), Vec::new());
        for _ in 0..2 {
            let (listener, admin) = (listen().await, listen().await);
            replicas.push(listener.local_addr().unwrap());
            let config = store_config(&crm_customers::SERVICE, &source, &redis_url).into();
            let (verifier, until) = (verifier.clone(), CancellationToken::new());
            let served = crm_customers::SERVICE.serve(config, verifier, listener, admin, until);
            running.spawn(async move { served.await.unwrap() });
        }
        let signer = ServiceSigner::from_pem(&private, "sales").unwrap();
        let service = following(follows);
        let rig = Self { source, own, service, signer, verifier, replicas, redis_url, _running: running };
        rig.make_tables().await;
        rig
    }

    async fn make_tables(&self) {
        execute(&self.own, TABLES).await;
        // Gives the role its rights, too.
        self.service.migrate(self.own.url(), None).await.unwrap();
    }

    /// A replica that follows.
    pub(super) async fn follow(&self) -> Following {
        self.serve(Some(self.signer.clone())).await
    }

    pub(super) async fn serve(&self, signer: Option<ServiceSigner>) -> Following {
        let peers = vec![(CUSTOMERS, Discovery::of(self.replicas.iter().copied()))];
        let store = Some(store_config(self.service, &self.own, &self.redis_url));
        let config = ServiceConfig { store, peers, signer, ..ServiceConfig::default() };
        let (listener, admin) = (listen().await, listen().await);
        let (service, verifier) = (self.service, self.verifier.clone());
        Following(tokio::spawn(service.serve(config, verifier, listener, admin, CancellationToken::new())))
    }

    /// What a replica of customers writes accounts with.
    pub(super) async fn accounts(&self) -> Records<Account> {
        Records::new(&store(&crm_customers::SERVICE, &self.source, &self.redis_url).await)
    }

    /// A number that the follower's database answers.
    pub(super) async fn count(&self, question: &str) -> i64 {
        let mut owner = PgConnection::connect(self.own.url()).await.unwrap();
        let count = sqlx::query_scalar(AssertSqlSafe(question.to_owned())).fetch_one(&mut owner).await.unwrap();
        owner.close().await.unwrap();
        count
    }

    /// Waits until the follower's database answers so, at most 30 s.
    pub(super) async fn until(&self, question: &str, expected: i64) {
        let mut found = 0;
        for _ in 0..600 {
            found = self.count(question).await;
            if found == expected {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("{question}: {found} and not {expected}");
    }
}

async fn database(service: &'static Service) -> TestDatabase {
    let setup = move |url: String| async move { service.migrate(&url, None).await };
    testing::template_database(service.name, setup).await.unwrap().database().await.unwrap()
}

fn store_config(service: &Service, database: &TestDatabase, redis_url: &str) -> StoreConfig {
    let url = database.url_as(service.storage().unwrap().role, "");
    StoreConfig::new(url.parse().unwrap(), redis_url.parse().unwrap())
}

async fn store(service: &Service, database: &TestDatabase, redis_url: &str) -> Store {
    let config = store_config(service, database, redis_url);
    let pool = Database::connect(&Settings::new(config.database_url.expose())).await.unwrap();
    let redis = Redis::connect(service.name, redis_url).unwrap();
    Store::new(pool, redis, service.storage().unwrap().schema, &config).unwrap()
}

pub(super) async fn execute(database: &TestDatabase, statements: &str) {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    owner.execute(AssertSqlSafe(statements.to_owned())).await.unwrap();
    owner.close().await.unwrap();
}

/// A call of the agent `ada`, who waits for ever.
fn call(tenant: Uuid) -> Call {
    let expires_at = SystemTime::now() + Duration::from_secs(600);
    let (subject, tenant_name) = ("ada".to_owned(), tenant.to_string());
    let claims = Claims { subject, tenant, tenant_name, role: Role::Agent, expires_at };
    Call { tenant, caller: Arc::new(claims), deadline: None }
}

pub(super) async fn create(accounts: &Records<Account>, tenant: Uuid) -> Uuid {
    let account = pb::Account { name: "Acme".to_owned(), ..pb::Account::default() };
    let request = pb::CreateAccountRequest {
        account: Some(account),
        request_id: Uuid::new_v4().to_string(),
        ..Default::default()
    };
    let new = New::<Account>::read(call(tenant), request).unwrap();
    let mut write = accounts.begin(call(tenant)).await.unwrap();
    accounts.insert(&mut write, new.id, &new.fields).await.unwrap();
    write.commit().await.unwrap();
    new.id
}

/// Renames all of these in one transaction, in their order. Answers how many: none where somebody else had them in another.
pub(super) async fn rename(accounts: &Records<Account>, tenant: Uuid, ids: &[Uuid]) -> usize {
    let mut write = accounts.begin(call(tenant)).await.unwrap();
    for id in ids {
        let name = Uuid::new_v4().to_string();
        let renamed = pb::Account { id: id.to_string(), name, ..pb::Account::default() };
        let request = pb::UpdateAccountRequest { account: Some(renamed), update_mask: None };
        let mut change = Change::<Account>::read(call(tenant), request).unwrap();
        let Ok(current) = accounts.lock_live(&mut write, *id, "").await else { return 0 };
        let fields = change.apply(&current).unwrap();
        if accounts.replace(&mut write, &current, &fields).await.is_err() {
            return 0;
        }
    }
    write.commit().await.unwrap();
    ids.len()
}
