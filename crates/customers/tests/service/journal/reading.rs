//! Reading on, one careful step at a time: what only happens now and then where many write.

use crm_customers::accounts::Account;
use crm_proto::customers as pb;
use crm_resource::journal::{Cursor, Horizon};
use crm_resource::testkit::{call, violations};
use crm_resource::{Error, New};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use tonic::Status;
use uuid::Uuid;

use super::{Replica, drain, replica};
use crate::support::{account, app, database, tenant};

/// A transaction of somebody who writes to the journal.
struct Writer(PgConnection);

impl Writer {
    async fn begin(url: &str) -> Self {
        let mut connection = PgConnection::connect(url).await.unwrap();
        // Has an id from here on.
        connection.execute("begin; select pg_current_xact_id()").await.unwrap();
        Self(connection)
    }

    async fn write(&mut self, tenant: Uuid, record: u128, version: i64) {
        let record = Uuid::from_u128(record);
        let insert = format!(
            "insert into customers.journal (tenant_id, resource, record_id, version, kind, subject, role, change_time, \
             changes) values ('{tenant}', 'accounts', '{record}', {version}, 'updated', 'ada', 'agent', now(), '{{}}')"
        );
        self.0.execute(AssertSqlSafe(insert)).await.unwrap();
    }

    async fn commit(mut self) {
        self.0.execute("commit").await.unwrap();
        self.0.close().await.unwrap();
    }
}

async fn read(replica: &Replica, cursor: &mut Cursor, limit: u32) -> Vec<(u128, i64)> {
    let (entries, next) = drain(&replica.store, tenant(), cursor.clone(), limit).await;
    *cursor = next;
    entries.iter().map(|entry| (entry.record_id.as_u128(), entry.version)).collect()
}

#[tokio::test]
async fn a_lower_id_that_writes_later_comes_later() {
    let database = database().await;
    let replica = replica(&database).await;
    let mut cursor = Cursor::BEGINNING;
    let mut first = Writer::begin(database.url()).await;
    let mut second = Writer::begin(database.url()).await;
    second.write(tenant(), 1, 2).await;
    second.commit().await;
    first.write(tenant(), 1, 3).await;
    first.commit().await;
    assert_eq!(read(&replica, &mut cursor, 1).await, [(1, 2), (1, 3)]);
}

#[tokio::test]
async fn what_a_slow_transaction_wrote_comes_when_it_ends() {
    let database = database().await;
    let replica = replica(&database).await;
    let mut cursor = Cursor::BEGINNING;
    let mut slow = Writer::begin(database.url()).await;
    slow.write(tenant(), 1, 1).await;
    for version in 1..=3 {
        let mut quick = Writer::begin(database.url()).await;
        quick.write(tenant(), 2, version).await;
        quick.commit().await;
    }
    // Cut in the middle, so that the cursor has two moments.
    let batch = replica.store.changes(&call(tenant()), &cursor, 2).await.unwrap();
    assert_eq!((batch.entries.len(), batch.is_last), (2, false));
    cursor = batch.cursor;
    slow.write(tenant(), 3, 1).await;
    slow.commit().await;
    // Not in the middle of a batch that was cut before it ended.
    assert_eq!(read(&replica, &mut cursor, 2).await, [(2, 3), (1, 1), (3, 1)]);
    assert_eq!(read(&replica, &mut cursor, 2).await, []);
}

/// Its id was given away before the snapshot, and lies beyond the snapshot's end: nobody with a later one has ended.
#[tokio::test]
async fn who_drew_a_number_before_the_last_that_ended_is_not_missed() {
    let database = database().await;
    let replica = replica(&database).await;
    let mut cursor = Cursor::BEGINNING;
    // Others use the server, too, and push the end on: one of a few tries meets nobody.
    for nth in 1..=20 {
        let mut first = Writer::begin(database.url()).await;
        let mut second = Writer::begin(database.url()).await;
        second.write(tenant(), 2, nth).await;
        first.write(tenant(), 1, nth).await;
        first.commit().await;
        let before = read(&replica, &mut cursor, 9).await;
        second.commit().await;
        let after = read(&replica, &mut cursor, 9).await;
        assert_eq!((before, after), (vec![(1, nth)], vec![(2, nth)]), "at the {nth}. time");
    }
}

#[tokio::test]
async fn tenants_with_something_new_are_told_once() {
    let database = database().await;
    let Replica { store, .. } = replica(&database).await;
    let (one, two) = (Uuid::from_u128(1), Uuid::from_u128(2));
    let told = async |horizon: &mut Horizon| {
        let (mut tenants, next) = store.changed_tenants(horizon).await.unwrap();
        *horizon = Horizon::decode(app::SCHEMA, "horizon", &next.encode(app::SCHEMA).unwrap()).unwrap();
        tenants.sort_unstable();
        tenants
    };
    let mut horizon = Horizon::BEGINNING;
    assert!(told(&mut horizon).await.is_empty());
    let mut slow = Writer::begin(database.url()).await;
    slow.write(two, 1, 1).await;
    let mut quick = Writer::begin(database.url()).await;
    quick.write(one, 1, 1).await;
    quick.commit().await;
    assert_eq!(told(&mut horizon).await, [one]);
    assert!(told(&mut horizon).await.is_empty());
    slow.commit().await;
    assert_eq!(told(&mut horizon).await, [two]);
    // More than are looked at at once.
    let mut many = PgConnection::connect(database.url()).await.unwrap();
    let insert = "insert into customers.journal (tenant_id, resource, record_id, version, kind, subject, role, \
                  change_time, changes) select $1, 'accounts', gen_random_uuid(), 1, 'created', 'ada', 'agent', now(), '{}' \
                  from generate_series(1, 6000)";
    for tenant in [one, two, Uuid::from_u128(3)] {
        sqlx::query(insert).bind(tenant).execute(&mut many).await.unwrap();
    }
    let mut all = told(&mut horizon).await;
    assert_eq!(all, [one, two]);
    all.extend(told(&mut horizon).await);
    assert!(all.contains(&Uuid::from_u128(3)), "{all:?}");
    assert!(told(&mut horizon).await.is_empty());
}

#[tokio::test]
async fn an_export_and_what_came_after_its_cursor_are_everything() {
    let database = database().await;
    let Replica { store, accounts, .. } = replica(&database).await;
    let own = call(tenant());
    let create = async |name: &str| {
        let request_id = Uuid::new_v4().to_string();
        let request = pb::CreateAccountRequest { account: Some(account(name)), request_id, ..Default::default() };
        let new = New::<Account>::read(own.clone(), request).unwrap();
        let mut write = accounts.begin(own.clone()).await.unwrap();
        accounts.insert(&mut write, new.id, &new.fields).await.unwrap();
        write
    };
    create("before").await.commit().await.unwrap();
    let open = create("open").await;
    let pool = crate::support::pool(&database).await;
    let mut export = pool.begin_with(tenant(), None, crm_database::Access::Snapshot).await.unwrap();
    let cursor = store.cursor(&mut export, tenant()).await.unwrap();
    open.commit().await.unwrap();
    create("after").await.commit().await.unwrap();
    let names = "select name from customers.accounts order by name";
    let exported: Vec<(String,)> = export.fetch_all("names", sqlx::query(names)).await.unwrap();
    assert_eq!(exported, [("before".to_owned(),)]);
    // While the export goes on.
    let (entries, _) = drain(&store, tenant(), cursor, 1).await;
    let names: Vec<_> = entries.into_iter().map(|it| super::fields(&it.message().unwrap()).concat()).collect();
    assert_eq!(names, ["name: null -> open", "name: null -> after"]);
    export.commit().await.unwrap();
}

#[tokio::test]
async fn a_cursor_is_one_tenant_s_and_one_service_s() {
    let text = Cursor::BEGINNING.encode("customers", tenant()).unwrap();
    let refused = |answer: Result<Cursor, Error>| violations(answer.map_err(Status::from));
    assert_eq!(Cursor::decode("customers", tenant(), "cursor", "").unwrap(), Cursor::BEGINNING);
    for (service, tenant, text) in [
        ("customers", Uuid::from_u128(7), text.as_str()),
        ("sales", tenant(), text.as_str()),
        ("customers", tenant(), &text[1..]),
    ] {
        assert_eq!(refused(Cursor::decode(service, tenant, "cursor", text)), ["cursor"]);
    }
}
