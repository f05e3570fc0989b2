//! Which index answers which list: at 200,000 rows, as the service's role.

use crm_customers::OfCustomers;
use crm_customers::{SERVICE, accounts, contacts, imports};
use crm_database::Database;
use crm_database::plan::Plan;
use crm_resource::AnyResource;
use crm_resource::activities::Activities;
use crm_resource::attributes;
use crm_resource::testkit::{Plans, Variant, call};
use crm_sandbox::testing::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection, Postgres};
use uuid::Uuid;

use crate::support::{database, pool, store, tenant};

/// A third of the rows belong to the tenant that is looked at, the rest to a hundred others.
const ACCOUNTS: &str = "
    insert into customers.accounts (tenant_id, id, name, name_key, domain, industry_key, territory_key, owner_key, parent_id, update_time, tag_ids, attributes)
    select case when n % 3 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid, 'Name ' || n,
        substr(md5('n' || n), 1, 8), 'd' || n || '.example', 'industry ' || n % 20, 'territory ' || n % 12,
        'owner ' || n % 50, case when n % 30 = 0 and n > 3000 then md5('a' || n % 3000)::uuid end,
        now() - n * interval '1 minute',
        array_remove(array[case when n % 10 < 7 then '{most}'::uuid end, case when n % 7 = 0 then '{many}'::uuid end,
            case when n % 1000 = 0 then '{few}'::uuid end], null),
        jsonb_build_object('number', n, 'day', date '2000-01-01' + n % 2000, 'text', 'text ' || n % 5)
    from generate_series(1, 200000) n;
    insert into customers.facets (tenant_id, resource, facet, value, record_id)
    select tenant_id, 'accounts', unnest(tag_ids), '', id from customers.accounts;
    insert into customers.facets (tenant_id, resource, facet, value, record_id)
    select tenant_id, 'accounts', '{number}', (1000000000000000 + (attributes ->> 'number')::int) || '000000000', id
    from customers.accounts;
    insert into customers.facets (tenant_id, resource, facet, value, record_id)
    select tenant_id, 'accounts', '{day}', attributes ->> 'day', id from customers.accounts;
    insert into customers.facets (tenant_id, resource, facet, value, record_id)
    select tenant_id, 'accounts', '{text}', attributes ->> 'text', id from customers.accounts;
    insert into customers.attribute_definitions (tenant_id, id, resource, key, type, display_name, update_time)
    select tenant_id, id, case when name like '%00' then 'accounts' else 'contacts' end, 'k' || substr(md5(name), 1, 20), 'text',
        'x', update_time from customers.accounts where name like '%0'";

/// Tags that 46,667 of the tenant's accounts have, 9,524 and 66.
const TAGS: [(&str, &str); 3] = [
    ("{most}", "00000000-0000-7000-8000-0000000000a1"),
    ("{many}", "00000000-0000-7000-8000-0000000000a2"),
    ("{few}", "00000000-0000-7000-8000-0000000000a3"),
];

/// Far more than a tenant has, so that it tells by which index they are found.
const NAMES: &str = "
    insert into customers.tags (tenant_id, id, name, name_key, update_time)
    select tenant_id, id, name, name_key, update_time from customers.accounts where get_byte(uuid_send(id), 0) < 64
    on conflict do nothing";

const CONTACTS: &str = "
    insert into customers.contacts (tenant_id, id, account_id, family_name, family_name_key, owner_key, update_time, emails)
    select tenant_id, id, id, name, name_key, owner_key, update_time, array[domain] from customers.accounts;
    -- One account has thousands.
    update customers.contacts set account_id = (select id from customers.accounts
        where tenant_id = '{tenant}' order by id limit 1)
    where tenant_id = '{tenant}' and owner_key in ('owner 1', 'owner 2', 'owner 3');
    insert into customers.contact_emails (tenant_id, email_key, contact_id)
    select tenant_id, 'info@' || domain, id from customers.accounts;
    insert into customers.search_terms (tenant_id, term, record_id)
    select tenant_id, 'an' || name_key, id from customers.accounts";

const ACTIVITIES: &str = "
    insert into customers.activities (tenant_id, id, kind, parent_resource, parent_id, subject, body, owner_key, due_time,
        done, done_time, creator, create_time, update_time)
    select tenant_id, id, kind, 'accounts', id, 'Something', 'Something', owner_key,
        case when kind = 'task' and byte < 200 then update_time + interval '60 days' end,
        case when kind = 'task' then byte % 8 = 3 end, case when kind = 'task' and byte % 8 = 3 then update_time end,
        'ada', update_time, update_time
    from (select *, (array['note', 'call', 'meeting', 'task'])[byte % 4 + 1] as kind
        from (select *, get_byte(uuid_send(id), 0) as byte from customers.accounts) bytes) kinds;
    -- One account has thousands.
    update customers.activities set parent_id = (select id from customers.accounts
        where tenant_id = '{tenant}' order by id limit 1)
    where tenant_id = '{tenant}' and owner_key in ('owner 1', 'owner 2', 'owner 3')";

/// Five of each user, and in the end a few that are shared.
const SAVED_VIEWS: &str = "
    insert into customers.saved_views (tenant_id, id, resource, name, name_key, visibility, owner, reader, update_time)
    select tenant_id, id, 'accounts', name, name_key, visibility, owner, case visibility when 'private' then owner else '' end,
        update_time
    from (select tenant_id, id, name, name_key, update_time, case when right(domain, 13) = '01234.example' then 'shared' else 'private' end as visibility,
        'user ' || (hashtext(domain) & 8191) as owner from customers.accounts) views";

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
    let fills = [ACCOUNTS, NAMES, CONTACTS, ACTIVITIES, SAVED_VIEWS];
    let fills = fills.into_iter().flat_map(|text| text.split(';')).map(str::to_owned);
    let builds = indexes.iter().map(|(_, definition)| definition.clone());
    let tables = [
        "accounts",
        "contacts",
        "contact_emails",
        "search_terms",
        "activities",
        "saved_views",
        "facets",
        "tags",
        "attribute_definitions",
    ];
    let vacuum = format!("vacuum analyze {}", tables.map(|table| format!("customers.{table}")).join(", "));
    for statement in drops.chain(fills).chain(builds).chain([vacuum]) {
        let statement = statement.replace("{tenant}", &tenant().to_string());
        let statement = TAGS.iter().fold(statement, |statement, (name, id)| statement.replace(name, id));
        let statement = ["number", "day", "text"].iter().fold(statement, |statement, key| {
            let (facet, _) = attributes::facet("accounts", key, &serde_json::Value::Null);
            statement.replace(&format!("{{{key}}}"), &facet.to_string())
        });
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
    let plans = Plans { database: &database, tenant: tenant() };
    let [of_accounts, of_contacts, of_activities, of_views, of_definitions, of_tags] = SERVICE.resources() else {
        panic!("a resource without plans")
    };
    plans.check_lists(of_accounts, &accounts).await;
    check_tags(&plans, of_accounts).await;
    check_attributes(&plans, of_accounts).await;

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
    plans.check_lists(of_contacts, &contacts).await;
    let of_parent = format!("parent_id = \"{account}\"");
    let activities: [Variant<'_>; 15] = [
        ("", "", "activities_create_time_idx", true),
        ("", "create_time desc", "activities_create_time_idx", true),
        ("", "update_time desc", "activities_update_time_idx", true),
        ("owner = \"owner 9\"", "create_time desc", "activities_owner_create_time_idx", true),
        ("owner = \"owner 9\"", "update_time", "activities_owner_update_time_idx", true),
        ("kind = KIND_TASK", "create_time desc", "activities_kind_create_time_idx", true),
        ("kind = KIND_NOTE", "update_time desc", "activities_kind_update_time_idx", true),
        ("done = false", "create_time", "activities_done_create_time_idx", true),
        ("done = true", "update_time desc", "activities_done_update_time_idx", true),
        (&of_parent, "create_time", "activities_parent_create_time_idx", true),
        (&of_parent, "create_time desc", "activities_parent_create_time_idx", true),
        ("due_time < \"2001-01-31T00:00:00Z\"", "", "activities_due_time_idx", false),
        ("due_time >= \"2101-01-31T00:00:00Z\"", "update_time", "activities_due_time_idx", false),
        (&recent, "update_time desc", "activities_update_time_idx", true),
        (&recent, "create_time", "activities_update_time_idx", false),
    ];
    plans.check_lists(of_activities, &activities).await;
    check_saved_views(&plans, of_views).await;
    let definitions: [Variant<'_>; 4] = [
        ("", "key", "attribute_definitions_key_idx", true),
        ("", "update_time desc", "attribute_definitions_update_time_idx", true),
        ("resource = accounts", "key", "attribute_definitions_resource_key_idx", true),
        (&recent, "update_time", "attribute_definitions_update_time_idx", true),
    ];
    plans.check_lists(of_definitions, &definitions).await;
    check_depths(&own, account).await;
    let tags: [Variant<'_>; 6] = [
        ("", "", "tags_name_idx", true),
        ("", "name desc", "tags_name_idx", true),
        ("", "update_time desc", "tags_update_time_idx", true),
        ("name = \"7F*\"", "name", "tags_name_idx", true),
        (&recent, "update_time", "tags_update_time_idx", true),
        (&recent, "name", "tags_update_time_idx", false),
    ];
    plans.check_lists(of_tags, &tags).await;
    for resource in SERVICE.resources() {
        plans.check_standard_statements(resource, &[account, parent]).await;
    }
    plans.check_search(&SERVICE).await;
    for (resource, field, only, index) in [
        (of_contacts, "account_id", "", "contacts_account_"),
        (of_accounts, "parent_id", "", "accounts_parent_idx"),
        (of_activities, "parent_id", " and parent_resource = 'accounts'", "activities_parent_"),
    ] {
        plans.check_moves(resource.kind, field, only, index, account).await;
    }
    check_statements(&plans, account).await;
}

/// What somebody sees is two short ranges of one index.
async fn check_saved_views(plans: &Plans<'_>, of_views: &AnyResource) {
    let index = "saved_views_reader_idx";
    let views: [Variant<'_>; 4] = [
        ("", "", index, false),
        ("", "name desc", index, false),
        ("", "update_time desc", index, false),
        ("name = \"7F*\"", "name", index, false),
    ];
    plans.check_lists(of_views, &views).await;
    let [_, (_, count), _] = crm_resource::views::statements::<OfCustomers>();
    let count = sqlx::query(AssertSqlSafe(count)).bind(tenant()).bind("ada");
    plans.check_statement(count, index).await;
}

/// Of a tag that few have, a page reads these few; of one that many have, a walk along the order soon has a page.
async fn check_tags(plans: &Plans<'_>, accounts: &AnyResource) {
    let [most, many, few] = TAGS.map(|(_, id)| format!("tag_ids:{id}"));
    let read = async |filter: &str, order: &str, is_first: bool| {
        let plan = plans.read(accounts, filter, order, is_first).await;
        println!("{filter} by {order:?}: {} rows read by {:?}", plan.rows_read(), plan.indexes());
        plan.assert_no_sequential_scan();
        plan
    };
    for (order, index) in [
        ("name", "accounts_name_idx"),
        ("name desc", "accounts_name_idx"),
        ("update_time", "accounts_update_time_idx"),
        ("update_time desc", "accounts_update_time_idx"),
    ] {
        for is_first in [true, false] {
            let plan = read(&few, order, is_first).await;
            plan.assert_uses_index("facets_pkey").assert_uses_index("accounts_pkey");
            assert!(plan.rows_read() <= 2 * 66, "{plan}");
            for (tag, rows) in [(&most, 150), (&many, 800)] {
                let plan = read(tag, order, is_first).await;
                plan.assert_uses_index(index).assert_no_sort();
                assert!(plan.rows() == 51 && plan.rows_read() <= rows, "{} rows are read: {plan}", plan.rows_read());
            }
            // Whoever has both is one of the few.
            let plan = read(&format!("{most} AND {few}"), order, is_first).await;
            plan.assert_uses_index("facets_pkey");
            assert!(plan.rows_read() <= 2 * 66, "{plan}");
        }
    }
    // Another condition's index, along which each record shows its tags.
    let of_owner = format!("owner = \"owner 3\" AND {most}");
    read(&of_owner, "name", true).await.assert_uses_index("accounts_owner_name_idx").assert_no_sort();
}

/// Of what few have, in a range of numbers or days, a page reads these few; of what many have, a walk along the order soon has
/// a page. One index answers for all attributes.
async fn check_attributes(plans: &Plans<'_>, accounts: &AnyResource) {
    let read = async |filter: &str, order: &str| {
        let plan = plans.read(accounts, filter, order, true).await;
        println!("{filter} by {order:?}: {} rows read by {:?}", plan.rows_read(), plan.indexes());
        plan.assert_no_sequential_scan();
        plan
    };
    for order in ["name", "update_time desc"] {
        for few in [
            "attributes.number = 300",
            "attributes.number > 199000",
            "attributes.number >= 30 AND attributes.number < 1030",
            "attributes.day = 2001-02-03",
            "attributes.day < 2000-01-04 AND attributes.text = \"text 1\"",
        ] {
            let plan = read(few, order).await;
            plan.assert_uses_index("facets_pkey").assert_uses_index("accounts_pkey");
            let conditions = plan.details("Index Cond").join(" ");
            for named in ["tenant_id", "resource", "facet", "value >=", "value <="] {
                assert!(conditions.contains(named), "{named} is no index condition:\n{plan}");
            }
            assert!(plan.rows_read() <= 700, "{} rows are read: {plan}", plan.rows_read());
        }
        let index = if order == "name" { "accounts_name_idx" } else { "accounts_update_time_idx" };
        for many in ["attributes.text = \"text 1\"", "attributes.number > 1000", "attributes.day >= 2000-01-03"] {
            let plan = read(many, order).await;
            plan.assert_uses_index(index).assert_no_sort();
            assert!(plan.rows() == 51 && plan.rows_read() <= 600, "{} rows are read: {plan}", plan.rows_read());
        }
    }
}

/// A deep page reads no more than the first.
async fn check_depths(database: &TestDatabase, account: Uuid) {
    let (activities, call) = (Activities::<OfCustomers>::new(&store(database).await), call(tenant()));
    let now = time::OffsetDateTime::now_utc();
    let check = |plan: &Plan, index: &str, most: u64| {
        plan.assert_no_sequential_scan().assert_no_sort().assert_uses_index(index);
        assert!(plan.details("Index Cond").iter().any(|condition| condition.contains("ROW(")), "{plan}");
        assert_eq!((plan.rows(), plan.rows_removed()), (51, 0), "{plan}");
        assert!(plan.rows_read() <= most, "{} rows are read:\n{plan}", plan.rows_read());
    };
    // Of 4,000 activities, those that come after 2,000.
    for before in [None, Some(now - time::Duration::minutes(100_000))] {
        let plan = activities.explain_timeline(&call, account, before).await.unwrap();
        check(&plan, "activities_parent_timeline_idx", 51);
    }
    // Each looks up its parent, which is an account or a contact.
    for after in [None, Some(now - time::Duration::days(10))] {
        let plan = activities.explain_open_tasks(&call, "owner 9", after).await.unwrap();
        check(&plan, "activities_open_tasks_idx", 102);
    }
}

/// The statements that are particular, each with the index it must use.
async fn check_statements(plans: &Plans<'_>, account: Uuid) {
    let one = |sql: &'static str| sqlx::query(sql).bind(tenant()).bind(account);
    let many = |sql: &'static str| sqlx::query(sql).bind(tenant()).bind(vec![account; 500]);
    let named = |sql: &'static str| {
        let names: Vec<String> = (0..500).map(|n| format!("d{n}.example")).collect();
        sqlx::query(sql).bind(tenant()).bind(names)
    };
    for (query, index) in [
        (one(accounts::ANCESTORS).bind(32), "accounts_pkey"),
        (one(accounts::HEIGHT).bind(32), "accounts_parent_idx"),
        (one(accounts::SUBSIDIARY), "accounts_parent_idx"),
        // Either index of an account's contacts will do.
        (one(contacts::OF_ACCOUNT), "contacts_account_"),
        (named(imports::BY_DOMAIN), "accounts_domain_key"),
        (named(imports::BY_NAME), "accounts_name_idx"),
        (many(imports::DEPTHS).bind(32), "accounts_pkey"),
        (many(imports::ACCOUNTS_IN_USE), "activities_parent_"),
        (many(imports::CONTACTS_IN_USE), "activities_parent_"),
    ] {
        plans.check_statement(query, index).await;
    }
}
