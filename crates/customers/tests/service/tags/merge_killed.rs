//! A merge whose replica is killed in the middle of a step, three times, while others write.

use crm_customers::OfCustomers;
use crm_customers::accounts::Account;
use crm_customers::contacts::Contact;
use crm_proto::customers as pb;
use crm_proto::operations::{self as ops, operation::State};
use crm_proto::tags::{CreateTagRequest, Tag};
use crm_resource::tags::Tags;
use crm_resource::testkit::call;
use crm_resource::{Error, Records, Store};
use crm_sandbox::testing::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::Request;
use uuid::Uuid;

use super::{merging, number};
use crate::journal::{Replica, replica};
use crate::support::{account, as_owner, database, eventually, tenant};

fn by<T>(message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.extensions_mut().insert(call(tenant()).caller);
    request
}

/// A replica without its ports, and its work.
struct Worker {
    store: Store,
    accounts: Records<Account>,
    tags: Tags<OfCustomers>,
    running: Option<JoinHandle<()>>,
}

impl Worker {
    async fn idle(database: &TestDatabase) -> Self {
        let Replica { store, accounts } = replica(database).await;
        let tags = Tags::<OfCustomers>::new(&store).on(&accounts).on(&Records::<Contact>::new(&store));
        tags.offer();
        Self { store, accounts, tags, running: None }
    }

    async fn started(database: &TestDatabase) -> Self {
        let worker = Self::idle(database).await;
        let store = worker.store.clone();
        let running = tokio::spawn(async move { store.run_operations(CancellationToken::new()).await });
        Self { running: Some(running), ..worker }
    }

    async fn kill(self) {
        let running = self.running.unwrap();
        running.abort();
        let _ = running.await;
    }

    async fn tag(&self, name: &str) -> String {
        let (tag, request_id) = (Tag { name: name.to_owned(), ..Default::default() }, Uuid::new_v4().to_string());
        self.tags.create(by(CreateTagRequest { tag: Some(tag), request_id })).await.unwrap().id
    }

    async fn give(&self, tag: &str) -> Result<pb::Account, Error> {
        let given = pb::Account { tag_ids: vec![tag.to_owned()], ..account("New") };
        let request_id = Uuid::new_v4().to_string();
        let request = pb::CreateAccountRequest { account: Some(given), request_id, ..Default::default() };
        self.accounts.create(by(request)).await
    }

    async fn get(&self, id: &str) -> ops::Operation {
        self.store.get_operation(by(ops::GetOperationRequest { id: id.to_owned() })).await.unwrap()
    }
}

#[tokio::test]
async fn whoever_is_killed_all_records_are_changed_once_and_none_gets_the_tag_meanwhile() {
    let database = database().await;
    let idle = Worker::idle(&database).await;
    let (gone, kept) = (idle.tag("Gone").await, idle.tag("Kept").await);
    let fill = format!(
        "insert into customers.accounts (tenant_id, id, name, name_key, tag_ids) \
         select '{tenant}', md5('a' || n)::uuid, 'Name', 'name', array['{gone}'::uuid] from generate_series(1, 900) n; \
         insert into customers.facets (tenant_id, resource, facet, value, record_id) \
         select tenant_id, 'accounts', unnest(tag_ids), '', id from customers.accounts",
        tenant = tenant()
    );
    as_owner(&database, &fill).await;
    let id = idle.tags.merge(by(merging(&gone, &kept))).await.unwrap().id;
    // Somebody holds a record of the second batch, the third and the fourth, until whoever waits for it is killed.
    for (held, done) in [(250, 200), (450, 400), (650, 600)] {
        let held = format!("select id from customers.accounts order by id offset {held} limit 1");
        let held: Uuid = scalar(&database, &held).await;
        let mut holder = PgConnection::connect(database.url()).await.unwrap();
        let lock = format!("begin; select id from customers.accounts where id = '{held}' for update");
        holder.execute(AssertSqlSafe(lock)).await.unwrap();
        let worker = Worker::started(&database).await;
        eventually("the batch before is committed, and the next one waits", async || {
            let waits = "select count(*) from pg_stat_activity where datname = current_database() \
                         and wait_event_type = 'Lock' and query like '%for no key update%'";
            worker.get(&id).await.progress.unwrap().done == done && number(&database, waits).await > 0
        })
        .await;
        worker.kill().await;
        holder.execute("rollback").await.unwrap();
        assert!(matches!(idle.give(&gone).await, Err(Error::Invalid(_))));
        // Its lease runs out.
        as_owner(&database, "update customers.operations set due_time = now() where due_time is not null").await;
    }
    let worker = Worker::started(&database).await;
    let renamed = rename_meanwhile(&database, &idle, &gone).await;
    eventually("its end", async || worker.get(&id).await.done).await;
    let operation = worker.get(&id).await;
    assert_eq!((operation.state(), operation.progress.unwrap().done), (State::Succeeded, 900));
    worker.kill().await;
    for none in [
        format!("select count(*) from customers.facets where facet = '{gone}'"),
        format!("select count(*) from customers.accounts where '{gone}' = any(tag_ids)"),
        format!("select 900 - count(*) from customers.accounts where tag_ids = array['{kept}'::uuid]"),
        format!("select 900 - count(*) from customers.facets where facet = '{kept}' and resource = 'accounts'"),
        // Once each, besides what was renamed.
        "select 900 - count(*) from customers.journal where resource = 'accounts' and changes ? 'tag_ids'".to_owned(),
        "select 1 - count(*) from customers.journal where resource = 'tags' and kind = 'deleted'".to_owned(),
        format!("select {renamed} - count(*) from customers.accounts where name = 'Renamed'"),
    ] {
        assert_eq!(number(&database, &none).await, 0, "{none}");
    }
}

async fn scalar(database: &TestDatabase, sql: &str) -> Uuid {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(sql.to_owned())).fetch_one(&mut owner).await.unwrap()
}

/// Renames the last accounts while they are merged, as clients do that read a record and write all of it back. Answers how
/// many were renamed.
async fn rename_meanwhile(database: &TestDatabase, worker: &Worker, gone: &str) -> i64 {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    let last = "select id from customers.accounts order by id desc limit 20";
    let ids: Vec<Uuid> = sqlx::query_scalar(last).fetch_all(&mut owner).await.unwrap();
    let mut renamed = 0;
    for id in ids {
        let get = pb::GetAccountRequest { id: id.to_string() };
        let read = worker.accounts.get(by(get)).await.unwrap();
        let update_mask = crate::support::field_mask(&["*"]);
        let written = pb::Account { name: "Renamed".to_owned(), ..read.clone() };
        let update = pb::UpdateAccountRequest { account: Some(written), update_mask };
        match worker.accounts.update(by(update)).await {
            Ok(_) => renamed += 1,
            // Its turn came between reading and writing.
            Err(error) => assert!(read.tag_ids.contains(&gone.to_owned()), "{error}"),
        }
    }
    renamed
}
