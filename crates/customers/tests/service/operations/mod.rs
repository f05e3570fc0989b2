//! Operations: who works on them, what stops them, what is left of them when somebody dies.

mod calls;
mod claiming;
mod failing;
mod reassign;
mod running;
mod traced;
mod waiting;

use std::sync::Arc;

use crm_customers::accounts::Account;
use crm_proto::customers as pb;
use crm_proto::operations as ops;
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::testkit::call;
use crm_resource::{Error, New, Records, Store, Violations, Write};
use crm_sandbox::testing::TestDatabase;
use futures_util::future::BoxFuture;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::{Request, async_trait};
use uuid::Uuid;

use crate::journal::{Replica, replica};
use crate::support::as_owner;
use crate::support::{account, eventually};

/// What happens in the step that creates the account of this number, before it does.
type Hook = Arc<dyn Fn(i32) -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

fn hook<F: Future<Output = Result<(), Error>> + Send + 'static>(of: impl Fn(i32) -> F + Send + Sync + 'static) -> Hook {
    Arc::new(move |nth| Box::pin(of(nth)))
}

fn nothing() -> Hook {
    hook(async |_| Ok(()))
}

/// Creates as many accounts as the filter says, one a step. Each has a domain of its own, made of the owner: one that is
/// created twice is refused.
struct CreateAccounts {
    accounts: Records<Account>,
    hook: Hook,
}

#[async_trait]
impl Operation for CreateAccounts {
    type Request = pb::ReassignAccountsRequest;
    type Position = i32;
    type Response = pb::ReassignAccountsResponse;

    const NAME: &'static str = "CreateAccounts";
    const UNIT: &'static str = "accounts";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(_: &Self::Request, _: &mut Violations) {}

    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &Self::Request,
        at: i32,
    ) -> Result<Next<i32, Self::Response>, Error> {
        let all: i32 = request.filter.parse().unwrap();
        (self.hook)(at).await?;
        let domain = format!("n{at}.{}.example", request.owner);
        let new = pb::CreateAccountRequest {
            account: Some(pb::Account { domain, ..account("Made") }),
            request_id: Uuid::new_v4().to_string(),
            ..Default::default()
        };
        let new = New::<Account>::read(write.call.clone(), new)?;
        self.accounts.insert(write, new.id, &new.fields).await?;
        *progress = Progress { done: i64::from(at) + 1, total: Some(i64::from(all)) };
        let response = pb::ReassignAccountsResponse { changed_count: all, unchanged_count: 0 };
        Ok(if at + 1 == all { Next::End(response) } else { Next::Step(at + 1) })
    }
}

/// A replica that knows this operation, and whether it works.
struct Worker {
    store: Store,
    shutdown: CancellationToken,
    running: Option<JoinHandle<()>>,
}

impl Worker {
    async fn idle(database: &TestDatabase, hook: Hook) -> Self {
        let Replica { store, accounts } = replica(database).await;
        store.offer(CreateAccounts { accounts, hook });
        Self { store, shutdown: CancellationToken::new(), running: None }
    }

    async fn started(database: &TestDatabase, hook: Hook) -> Self {
        let mut worker = Self::idle(database, hook).await;
        worker.start();
        worker
    }

    fn start(&mut self) {
        let (store, shutdown) = (self.store.clone(), self.shutdown.clone());
        self.running = Some(tokio::spawn(async move { store.run_operations(shutdown).await }));
    }

    /// As a process that is killed: its connections are closed, and that is all that anybody hears of it.
    fn kill(self) {
        self.running.unwrap().abort();
    }

    async fn drain(self) {
        self.shutdown.cancel();
        self.running.unwrap().await.unwrap();
    }

    async fn begin(&self, tenant: Uuid, accounts: i32) -> Uuid {
        // Names begin with a letter, and none is another's beginning.
        let owner = format!("o{}", Uuid::new_v4().simple());
        let request_id = Uuid::new_v4().to_string();
        let message = pb::ReassignAccountsRequest { filter: accounts.to_string(), owner, request_id };
        let operation = self.store.begin_operation::<CreateAccounts>(by(tenant, message)).await.unwrap();
        operation.id.parse().unwrap()
    }

    async fn get(&self, tenant: Uuid, id: Uuid) -> ops::Operation {
        self.store.get_operation(by(tenant, ops::GetOperationRequest { id: id.to_string() })).await.unwrap()
    }

    async fn cancel(&self, tenant: Uuid, id: Uuid) -> ops::Operation {
        self.store.cancel_operation(by(tenant, ops::CancelOperationRequest { id: id.to_string() })).await.unwrap()
    }

    /// The operation, once it has ended.
    async fn ended(&self, tenant: Uuid, id: Uuid) -> ops::Operation {
        eventually("the end of an operation", async || self.get(tenant, id).await.done).await;
        self.get(tenant, id).await
    }
}

/// What the agent `ada` of a tenant asks for.
pub fn by<T>(tenant: Uuid, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(call(tenant).caller);
    request
}

/// The leases of all who work run out, and all pauses with them.
pub async fn let_time_pass(database: &TestDatabase) {
    as_owner(database, "update customers.operations set due_time = now() where due_time is not null").await;
}

pub async fn number(database: &TestDatabase, select: &str) -> i64 {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(select.to_owned())).fetch_one(&mut owner).await.unwrap()
}

/// Accounts that were created, each with one entry in the journal.
async fn created(database: &TestDatabase) -> i64 {
    let accounts = number(database, "select count(*) from customers.accounts").await;
    assert_eq!(number(database, "select count(*) from customers.journal").await, accounts);
    accounts
}

pub fn error(operation: &ops::Operation) -> (tonic::Code, String, String) {
    let Some(ops::operation::Result::Error(error)) = &operation.result else { panic!("{operation:?}") };
    let reason = error.details.iter().find_map(|any| any.to_msg::<crm_proto::google::rpc::ErrorInfo>().ok());
    (error.code.into(), reason.map(|info| info.reason).unwrap_or_default(), error.message.clone())
}
