//! Which index answers which list: at 200,000 rows, as the service's role.

use crm_customers::convert::{self, List, PageRequest};
use crm_customers::store::listing::{Listing, Position, accounts_page, contacts_page};
use crm_customers::store::{accounts, contacts};
use crm_database::{Database, plan};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres, QueryBuilder};
use uuid::Uuid;

use crate::support::{database, pool, tenant};

/// A third of the rows belong to the tenant that is looked at, the rest to a hundred others.
const ACCOUNTS: &str = "
    insert into customers.accounts (tenant_id, id, name, name_key, domain, industry_key, territory_key, owner_key, parent_id, update_time)
    select case when n % 3 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid, 'Name ' || n,
        substr(md5('n' || n), 1, 8), 'd' || n || '.example', 'industry ' || n % 20, 'territory ' || n % 12,
        'owner ' || n % 50, case when n % 30 = 0 and n > 3000 then md5('a' || n % 3000)::uuid end,
        now() - n * interval '1 minute'
    from generate_series(1, 200000) n";

const CONTACTS: &str = "
    insert into customers.contacts (tenant_id, id, account_id, family_name, family_name_key, owner_key, update_time, emails)
    select tenant_id, id, id, name, name_key, owner_key, update_time, array[domain] from customers.accounts;
    -- One account has thousands.
    update customers.contacts set account_id = (select id from customers.accounts
        where tenant_id = '{tenant}' order by id limit 1)
    where tenant_id = '{tenant}' and owner_key in ('owner 1', 'owner 2', 'owner 3');
    insert into customers.contact_emails (tenant_id, email_key, contact_id)
    select tenant_id, 'info@' || domain, id from customers.accounts";

async fn fill(url: &str) {
    let mut owner = PgConnection::connect(url).await.unwrap();
    // The references are right, and checking them takes longer than the rest.
    owner.execute("set session_replication_role = replica").await.unwrap();
    // Built at the end from the very same definitions: three times as fast.
    let indexes: Vec<(String, String)> = sqlx::query_as(
        "select format('customers.%I', indexname), indexdef from pg_indexes \
         where schemaname = 'customers' and indexname like '%idx'",
    )
    .fetch_all(&mut owner)
    .await
    .unwrap();
    let drops = indexes.iter().map(|(index, _)| format!("drop index {index}"));
    let fills = [ACCOUNTS, CONTACTS].into_iter().flat_map(|text| text.split(';')).map(str::to_owned);
    let builds = indexes.iter().map(|(_, definition)| definition.clone());
    let vacuum = "vacuum analyze customers.accounts, customers.contacts, customers.contact_emails".to_owned();
    for statement in drops.chain(fills).chain(builds).chain([vacuum]) {
        let statement = statement.replace("{tenant}", &tenant().to_string());
        owner.execute(AssertSqlSafe(statement)).await.unwrap();
    }
    owner.close().await.unwrap();
}

async fn scalar<T>(database: &Database, sql: &'static str) -> T
where
    T: Send + Unpin + sqlx::Type<Postgres> + for<'r> sqlx::Decode<'r, Postgres>,
{
    let mut transaction = database.begin_read(tenant(), None).await.unwrap();
    sqlx::query_scalar(sql).fetch_one(&mut *transaction).await.unwrap()
}

/// Filter, order, index, whether the index gives the order, too.
type Variant<'v> = (&'v str, &'v str, &'v str, bool);

async fn check(
    database: &Database,
    list: List,
    statement: fn(Uuid, &Listing) -> QueryBuilder<Postgres>,
    variant: Variant<'_>,
) {
    let (filter, order_by, index, in_order) = variant;
    for show_deleted in [false, true] {
        let request = PageRequest {
            filter: filter.to_owned(),
            order_by: order_by.to_owned(),
            show_deleted,
            ..PageRequest::default()
        };
        let (mut listing, _) = convert::page(list, tenant(), &request).unwrap();
        for page in ["first", "later"] {
            let mut transaction = database.begin_read(tenant(), None).await.unwrap();
            let mut query = statement(tenant(), &listing);
            let plan = plan::explain(&mut transaction, query.build()).await.unwrap();
            println!("{filter:?} by {order_by:?}, {page} page: {:?}", plan.indexes());
            plan.assert_no_sequential_scan().assert_uses_index(index);
            if in_order {
                plan.assert_no_sort();
            }
            let conditions = plan.details("Index Cond").join(" ");
            assert!(conditions.contains("tenant_id"), "{plan}");
            for field in ["owner", "industry", "territory", "parent_id", "account_id", "email", "name", "update_time"] {
                let is_filtered = filter.starts_with(field) || filter.contains(&format!(" {field}"));
                assert!(!is_filtered || conditions.contains(field), "{field} is not an index condition:\n{plan}");
            }
            listing.after = Some(middle(order_by));
        }
    }
}

/// A position half-way, in its stored form.
fn middle(order_by: &str) -> Position {
    let id = Uuid::from_u128(u128::MAX / 2);
    let key = if order_by.starts_with("update_time") {
        let month_ago = time::OffsetDateTime::now_utc() - time::Duration::days(30);
        serde_json::json!({ "Time": month_ago })
    } else {
        serde_json::json!({ "Name": "7f" })
    };
    serde_json::from_value(serde_json::json!({ "key": key, "id": id })).unwrap()
}

#[tokio::test]
async fn every_list_is_answered_by_its_index() {
    let own = database().await;
    fill(own.url()).await;
    let database = pool(&own).await;
    assert_eq!(scalar::<i64>(&database, "select count(*) from customers.accounts").await, 66_666);

    let parent: Uuid =
        scalar(&database, "select parent_id from customers.accounts where parent_id is not null limit 1").await;
    let of_parent = format!("parent_id = \"{parent}\"");
    let since = (time::OffsetDateTime::now_utc() - time::Duration::hours(12))
        .format(&time::format_description::well_known::Rfc3339)
        .unwrap();
    let recent = format!("update_time >= \"{since}\"");
    let accounts: [Variant<'_>; 19] = [
        ("", "", "accounts_name_idx", true),
        ("", "name desc", "accounts_name_idx", true),
        ("", "update_time", "accounts_update_time_idx", true),
        ("", "update_time desc", "accounts_update_time_idx", true),
        ("owner = \"owner 9\"", "name", "accounts_owner_name_idx", true),
        ("owner = \"owner 9\"", "update_time desc", "accounts_owner_update_time_idx", true),
        ("industry = \"Industry 3\"", "name", "accounts_industry_name_idx", true),
        ("industry = \"industry 3\"", "update_time desc", "accounts_industry_update_time_idx", true),
        ("territory = \"territory 3\"", "name", "accounts_territory_name_idx", true),
        ("territory = \"territory 3\"", "update_time", "accounts_territory_update_time_idx", true),
        (&of_parent, "name", "accounts_parent_idx", true),
        (&of_parent, "update_time desc", "accounts_parent_idx", false),
        ("name = \"7F*\"", "name", "accounts_name_idx", true),
        ("name = \"7f3a*\"", "update_time desc", "accounts_name_idx", false),
        ("name = \"7f3a00\"", "name", "accounts_name_idx", true),
        (&recent, "update_time", "accounts_update_time_idx", true),
        (&recent, "update_time desc", "accounts_update_time_idx", true),
        (&recent, "name", "accounts_update_time_idx", false),
        ("name = \"7f*\" AND owner = \"owner 9\"", "name", "accounts_owner_name_idx", true),
    ];
    for variant in accounts {
        check(&database, List::ACCOUNTS, accounts_page, variant).await;
    }

    let account: Uuid = scalar(&database, "select id from customers.accounts order by id limit 1").await;
    let of_account = format!("account_id = \"{account}\"");
    let contacts: [Variant<'_>; 11] = [
        ("", "", "contacts_family_name_idx", true),
        ("", "update_time desc", "contacts_update_time_idx", true),
        (&of_account, "family_name", "contacts_account_name_idx", true),
        (&of_account, "update_time desc", "contacts_account_update_time_idx", true),
        ("owner = \"owner 9\"", "family_name desc", "contacts_owner_name_idx", true),
        ("owner = \"owner 9\"", "update_time desc", "contacts_owner_update_time_idx", true),
        ("family_name = \"7F*\"", "", "contacts_family_name_idx", true),
        ("email = \"INFO@d3333.example\"", "", "contact_emails_pkey", false),
        ("email = \"info@d3333.example\"", "update_time desc", "contact_emails_pkey", false),
        (&recent, "update_time desc", "contacts_update_time_idx", true),
        (&recent, "family_name", "contacts_update_time_idx", false),
    ];
    for variant in contacts {
        check(&database, List::CONTACTS, contacts_page, variant).await;
    }
    check_statements(&database, account, parent).await;
}

/// The statements about single rows, each with the index it must use.
async fn check_statements(database: &Database, account: Uuid, parent: Uuid) {
    let ids = vec![account, parent];
    let one = |sql: &'static str| sqlx::query(sql).bind(tenant()).bind(account);
    for (query, index) in [
        (sqlx::query(accounts::FIND).bind(tenant()).bind(ids.clone()), "accounts_pkey"),
        (sqlx::query(contacts::FIND).bind(tenant()).bind(ids), "contacts_pkey"),
        (one(accounts::LOCK), "accounts_pkey"),
        (one(contacts::LOCK), "contacts_pkey"),
        (one(accounts::HOLD), "accounts_pkey"),
        (one(accounts::ANCESTORS).bind(32), "accounts_pkey"),
        (one(accounts::SET_DELETED).bind(true), "accounts_pkey"),
        (one(contacts::SET_DELETED).bind(true), "contacts_pkey"),
        (one(accounts::SUBSIDIARY), "accounts_parent_idx"),
        // Either index of an account's contacts will do.
        (one(contacts::OF_ACCOUNT), "contacts_account_"),
    ] {
        let mut transaction = database.begin(tenant(), None).await.unwrap();
        let plan = plan::explain(&mut transaction, query).await.unwrap();
        plan.assert_no_sequential_scan();
        assert!(plan.indexes().iter().any(|used| used.starts_with(index)), "{index} is not used:\n{plan}");
    }
}
