//! The tables' own rules: the last line, should the service's fail.

use crm_database::{Database, Error};
use sqlx::AssertSqlSafe;
use uuid::Uuid;

use crate::support::{database, pool, tenant};

async fn check(pool: &Database, statement: &str, constraint: &str) {
    let ids =
        [("{tenant}", tenant().to_string()), ("{account}", ACCOUNT.to_string()), ("{id}", Uuid::now_v7().to_string())];
    let statement = ids.iter().fold(statement.to_owned(), |text, (name, id)| text.replace(name, &format!("'{id}'")));
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let answer = transaction.execute("break_a_rule", sqlx::query(AssertSqlSafe(statement.clone()))).await;
    match answer {
        Err(Error::Constraint(broken)) => assert_eq!(broken.name, constraint, "{statement}"),
        other => panic!("{statement}: {other:?}"),
    }
}

const ACCOUNT: Uuid = Uuid::from_u128(1);

#[tokio::test]
async fn accounts_keep_their_rules() {
    let own = database().await;
    let pool = pool(&own).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let insert =
        "insert into customers.accounts (tenant_id, id, name, name_key, domain) values ($1, $2, 'x', 'x', 'x.example')";
    transaction.execute("insert", sqlx::query(insert).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    transaction.commit().await.unwrap();
    for (change, constraint) in [
        ("name = ''", "accounts_name_length"),
        ("name = repeat('x', 201)", "accounts_name_length"),
        ("name_key = repeat('x', 801)", "accounts_name_key_length"),
        ("domain = ''", "accounts_domain_form"),
        ("domain = 'X.example'", "accounts_domain_form"),
        ("industry = repeat('x', 61)", "accounts_industry_length"),
        ("country = repeat('x', 61)", "accounts_country_length"),
        ("territory = repeat('x', 61)", "accounts_territory_length"),
        ("owner = repeat('x', 101)", "accounts_owner_length"),
        ("employees = -1", "accounts_employees_range"),
        ("employees = 10000001", "accounts_employees_range"),
        ("annual_revenue_minor = -1, annual_revenue_currency = 'EUR'", "accounts_revenue_range"),
        ("annual_revenue_minor = 1", "accounts_revenue_currency"),
        ("annual_revenue_currency = 'EUR'", "accounts_revenue_currency"),
        ("annual_revenue_minor = 1, annual_revenue_currency = 'eur'", "accounts_revenue_currency"),
        ("attributes = '[]'", "accounts_attributes_object"),
        ("attributes = jsonb_build_object('a', repeat('x', 20000))", "accounts_attributes_size"),
        ("founded_year = 999", "accounts_founded_year_range"),
        ("parent_id = id", "accounts_parent_not_self"),
        ("parent_id = {id}", "accounts_parent_fkey"),
        ("version = 0", "accounts_version_positive"),
    ] {
        check(&pool, &format!("update customers.accounts set {change}"), constraint).await;
    }
    let columns = "insert into customers.accounts (tenant_id, id, name, name_key, domain) values ({tenant}, ";
    check(&pool, &format!("{columns} {{account}}, 'x', 'x', null)"), "accounts_pkey").await;
    check(&pool, &format!("{columns} {{id}}, 'x', 'x', 'x.example')"), "accounts_domain_key").await;
}

#[tokio::test]
async fn contacts_keep_their_rules() {
    let own = database().await;
    let pool = pool(&own).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let account = "insert into customers.accounts (tenant_id, id, name, name_key) values ($1, $2, 'x', 'x')";
    transaction.execute("insert", sqlx::query(account).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    let contact = "insert into customers.contacts (tenant_id, id, account_id, family_name) values ($1, $2, $2, 'x')";
    transaction.execute("insert", sqlx::query(contact).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    transaction.commit().await.unwrap();
    for (change, constraint) in [
        ("account_id = {id}", "contacts_account_fkey"),
        ("family_name = ''", "contacts_has_name"),
        ("given_name = repeat('x', 101)", "contacts_given_name_length"),
        ("family_name = repeat('x', 101)", "contacts_family_name_length"),
        ("family_name_key = repeat('x', 801)", "contacts_family_name_key_length"),
        ("title = repeat('x', 101)", "contacts_title_length"),
        ("emails = array_fill('x'::text, array[11])", "contacts_emails_count"),
        ("emails = array[null]", "contacts_emails_count"),
        ("phones = array_fill('x'::text, array[11])", "contacts_phones_count"),
        ("owner = repeat('x', 101)", "contacts_owner_length"),
        ("version = 0", "contacts_version_positive"),
    ] {
        check(&pool, &format!("update customers.contacts set {change}"), constraint).await;
    }
    let insert = "insert into customers.contact_emails (tenant_id, contact_id, email_key) values ({tenant}, ";
    check(&pool, &format!("{insert} {{id}}, 'x')"), "contact_emails_contact_fkey").await;
    check(&pool, &format!("{insert} {{account}}, '')"), "contact_emails_email_key_form").await;
    let twice = format!("{insert} {{account}}, 'x'), ({{tenant}}, {{account}}, 'x')");
    check(&pool, &twice, "contact_emails_pkey").await;
}

#[tokio::test]
async fn tags_and_facets_keep_their_rules() {
    let own = database().await;
    let pool = pool(&own).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let tag = "insert into customers.tags (tenant_id, id, name, name_key) values ($1, $2, 'x', 'x')";
    transaction.execute("insert", sqlx::query(tag).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    transaction.commit().await.unwrap();
    for (change, constraint) in [
        ("name = ''", "tags_name_length"),
        ("name = repeat('x', 61)", "tags_name_length"),
        ("colour = '#12345G'", "tags_colour_form"),
        ("colour = '#1F6FEB'", "tags_colour_form"),
        ("description = repeat('x', 501)", "tags_description_length"),
        ("merged_into = id", "tags_merged_is_deleted"),
        ("merged_into = '00000000-0000-0000-0000-000000000002', delete_time = now()", "tags_merged_into_fkey"),
        ("version = 0", "tags_version_positive"),
    ] {
        check(&pool, &format!("update customers.tags set {change}"), constraint).await;
    }
    let insert =
        "insert into customers.facets (tenant_id, resource, facet, value, record_id) values ({tenant}, 'accounts',";
    let long = format!("{insert} {{account}}, repeat('x', 601), {{account}})");
    check(&pool, &long, "facets_value_length").await;
    let twice =
        format!("{insert} {{account}}, 'x', {{account}}), ({{tenant}}, 'accounts', {{account}}, 'x', {{account}})");
    check(&pool, &twice, "facets_pkey").await;
}

#[tokio::test]
async fn activities_keep_their_rules() {
    let own = database().await;
    let pool = pool(&own).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let task = "insert into customers.activities \
                (tenant_id, id, kind, parent_resource, parent_id, subject, body, creator, done, done_time) \
                values ($1, $2, 'task', 'accounts', $2, 'x', 'x', 'ada', true, now())";
    transaction.execute("insert", sqlx::query(task).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    transaction.commit().await.unwrap();
    let not_done = "done = null, done_time = null";
    for (change, constraint) in [
        ("kind = 'fax'", "activities_kind_known"),
        ("subject = repeat('x', 201)", "activities_subject_length"),
        ("body = repeat('x', 10001)", "activities_body_length"),
        ("owner = repeat('x', 101)", "activities_owner_length"),
        ("duration_seconds = -1", "activities_duration_range"),
        ("duration_seconds = 604801", "activities_duration_range"),
        (&format!("kind = 'note', body = '', {not_done}"), "activities_note_has_body"),
        (&format!("kind = 'note', start_time = now(), {not_done}"), "activities_note_has_no_time"),
        (&format!("kind = 'note', duration_seconds = 0, {not_done}"), "activities_note_has_no_time"),
        ("subject = '', body = ''", "activities_says_something"),
        (&format!("kind = 'call', due_time = now(), {not_done}"), "activities_task_alone_is_due"),
        ("done = null, done_time = null", "activities_task_alone_is_done"),
        ("kind = 'meeting'", "activities_task_alone_is_done"),
        ("done_time = null", "activities_done_since"),
        ("done = false", "activities_done_since"),
        ("version = 0", "activities_version_positive"),
    ] {
        check(&pool, &format!("update customers.activities set {change}"), constraint).await;
    }
}

#[tokio::test]
async fn saved_views_keep_their_rules() {
    let own = database().await;
    let pool = pool(&own).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let view = "insert into customers.saved_views \
                (tenant_id, id, resource, name, name_key, visibility, owner, reader) \
                values ($1, $2, 'accounts', 'x', 'x', 'private', 'ada', 'ada')";
    transaction.execute("insert", sqlx::query(view).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    transaction.commit().await.unwrap();
    for (change, constraint) in [
        ("name = ''", "saved_views_name_length"),
        ("name = repeat('x', 101)", "saved_views_name_length"),
        ("name_key = repeat('x', 801)", "saved_views_name_key_length"),
        ("filter = repeat('x', 4097)", "saved_views_filter_length"),
        ("order_by = repeat('x', 201)", "saved_views_order_length"),
        ("columns = array_fill('x'::text, array[51])", "saved_views_columns_count"),
        ("columns = array[null]", "saved_views_columns_count"),
        ("visibility = 'secret', reader = ''", "saved_views_visibility_known"),
        ("owner = '', reader = ''", "saved_views_owner_known"),
        ("reader = ''", "saved_views_private_for_owner"),
        ("reader = 'eve'", "saved_views_private_for_owner"),
        ("visibility = 'shared'", "saved_views_private_for_owner"),
        ("version = 0", "saved_views_version_positive"),
    ] {
        check(&pool, &format!("update customers.saved_views set {change}"), constraint).await;
    }
}

#[tokio::test]
async fn attribute_definitions_keep_their_rules() {
    let own = database().await;
    let pool = pool(&own).await;
    let mut transaction = pool.begin(tenant(), None).await.unwrap();
    let text = "insert into customers.attribute_definitions (tenant_id, id, resource, key, type, display_name) \
                values ($1, $2, 'accounts', 'a', 'text', 'x')";
    transaction.execute("insert", sqlx::query(text).bind(tenant()).bind(ACCOUNT)).await.unwrap();
    let set = "insert into customers.attribute_sets (tenant_id, resource, version) values ($1, 'accounts', 2)";
    transaction.execute("insert", sqlx::query(set).bind(tenant())).await.unwrap();
    transaction.commit().await.unwrap();
    for (change, constraint) in [
        ("key = 'A'", "attribute_definitions_key_form"),
        ("key = ''", "attribute_definitions_key_form"),
        ("key = repeat('a', 41)", "attribute_definitions_key_form"),
        ("type = 'json'", "attribute_definitions_type_known"),
        ("display_name = ''", "attribute_definitions_display_name_length"),
        ("display_name = repeat('x', 101)", "attribute_definitions_display_name_length"),
        ("description = repeat('x', 1001)", "attribute_definitions_description_length"),
        ("type = 'choice'", "attribute_definitions_choice_has_choices"),
        ("choices = '[1]'", "attribute_definitions_choice_has_choices"),
        (
            "type = 'choice', choices = (select jsonb_agg(n) from generate_series(1, 101) n)",
            "attribute_definitions_choices_count",
        ),
        ("max_length = 0", "attribute_definitions_max_length_range"),
        ("max_length = 1001", "attribute_definitions_max_length_range"),
        ("type = 'date', max_length = 1", "attribute_definitions_max_length_range"),
        ("filling = id", "attribute_definitions_filling_filterable"),
        ("version = 0", "attribute_definitions_version_positive"),
    ] {
        check(&pool, &format!("update customers.attribute_definitions set {change}"), constraint).await;
    }
    let twice = "insert into customers.attribute_definitions (tenant_id, id, resource, key, type, display_name) \
                 values ({tenant}, {id}, 'accounts', 'a', 'date', 'x')";
    check(&pool, twice, "attribute_definitions_key_key").await;
    check(&pool, "update customers.attribute_sets set version = 0", "attribute_sets_version_positive").await;
}
