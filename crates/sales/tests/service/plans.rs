//! Which index answers which list: at 200,000 rows, as the service's role.

use crm_resource::testkit::{Plans, Variant, database, pool};
use crm_sales::SERVICE;
use crm_server::token::tenant_id;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

/// A third of the rows belong to the tenant that is looked at, the rest to a hundred others.
const PRODUCTS: &str = "
    insert into sales.products (tenant_id, id, name, name_key, sku, sku_key, active, update_time)
    select case when n % 3 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid,
        'Name ' || n, substr(md5('n' || n), 1, 8), 'S' || n, 's' || n, n % 10 <> 0, now() - n * interval '1 minute'
    from generate_series(1, 200000) n;
    analyze sales.products";

#[tokio::test]
async fn every_list_is_answered_by_its_index_at_200_000_rows() {
    let own = database(&SERVICE).await;
    let tenant = tenant_id("acme");
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    owner.execute("set session_replication_role = replica").await.unwrap();
    owner.execute(AssertSqlSafe(PRODUCTS.replace("{tenant}", &tenant.to_string()))).await.unwrap();
    let ids: Vec<Uuid> = sqlx::query_scalar("select id from sales.products where tenant_id = $1 limit 2")
        .bind(tenant)
        .fetch_all(&mut owner)
        .await
        .unwrap();
    let recent = "update_time >= \"2999-01-31T00:00:00Z\"";
    let variants: [Variant<'_>; 11] = [
        ("", "", "products_name_idx", true),
        ("", "name desc", "products_name_idx", true),
        ("", "update_time desc", "products_update_time_idx", true),
        ("active = false", "name", "products_active_name_idx", true),
        // Nine of ten are active, and found by either index; those that are not are found by theirs.
        ("active = false", "update_time desc", "products_active_update_time_idx", true),
        ("sku = \"S3333\"", "name", "products_sku_idx", true),
        ("sku = \"s3333\"", "update_time desc", "products_sku_idx", false),
        ("name = \"7F*\"", "", "products_name_idx", true),
        ("name = \"7*\" AND active = false", "name desc", "products_active_name_idx", true),
        (recent, "update_time", "products_update_time_idx", true),
        (recent, "name", "products_update_time_idx", false),
    ];
    let database = pool(&SERVICE, &own).await;
    let plans = Plans { database: &database, tenant };
    let products = &SERVICE.resources()[0];
    plans.check_lists(products, &variants).await;
    plans.check_standard_statements(products, &ids).await;
}

/// A tenth of the rows belong to the tenant that is looked at, the rest to a hundred others.
const TEAMS: &str = "
    insert into sales.sales_teams (tenant_id, id, name, name_key, manager_key, office_key, update_time)
    select case when n % 10 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid,
        'Name ' || n, substr(md5('n' || n), 1, 8) || n, 'm' || n % 400, 'o' || n % 400,
        now() - n * interval '1 minute'
    from generate_series(1, 20000) n;
    insert into sales.sales_team_members (tenant_id, member_key, team_id)
    select tenant_id, 'user' || n, id from sales.sales_teams, generate_series(1, 5) n;
    analyze sales.sales_teams, sales.sales_team_members";

#[tokio::test]
async fn teams_are_found_by_their_indexes() {
    let own = database(&SERVICE).await;
    let tenant = tenant_id("acme");
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    owner.execute("set session_replication_role = replica").await.unwrap();
    owner.execute(AssertSqlSafe(TEAMS.replace("{tenant}", &tenant.to_string()))).await.unwrap();
    let variants: [Variant<'_>; 7] = [
        ("", "", "sales_teams_name_idx", true),
        ("", "name desc", "sales_teams_name_idx", true),
        ("", "update_time desc", "sales_teams_update_time_idx", true),
        ("name = \"7F*\"", "", "sales_teams_name_idx", true),
        ("manager = \"m30\"", "", "sales_teams_manager_idx", true),
        ("office = \"O30\"", "name desc", "sales_teams_office_idx", true),
        ("update_time >= \"2999-01-31T00:00:00Z\"", "update_time", "sales_teams_update_time_idx", true),
    ];
    let database = pool(&SERVICE, &own).await;
    let plans = Plans { database: &database, tenant };
    let teams = &SERVICE.resources()[1];
    plans.check_lists(teams, &variants).await;
    plans.check_standard_statements(teams, &[Uuid::max(), Uuid::nil()]).await;
    let member = "select team_id from sales.sales_team_members where tenant_id = $1 and member_key = $2";
    plans.check_statement(sqlx::query(member).bind(tenant).bind("user3"), "sales_team_members_pkey").await;
}

/// A tenth of the rows belong to the tenant that is looked at, the rest to a hundred others.
const PIPELINES: &str = "
    insert into sales.pipelines (tenant_id, id, name, name_key, stages, update_time)
    select case when n % 10 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid,
        'Name ' || n, substr(md5('n' || n), 1, 8) || n, '', now() - n * interval '1 minute'
    from generate_series(1, 20000) n;
    analyze sales.pipelines";

#[tokio::test]
async fn pipelines_are_found_by_their_indexes() {
    let own = database(&SERVICE).await;
    let tenant = tenant_id("acme");
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    owner.execute(AssertSqlSafe(PIPELINES.replace("{tenant}", &tenant.to_string()))).await.unwrap();
    let variants: [Variant<'_>; 4] = [
        ("", "", "pipelines_name_idx", true),
        ("", "update_time desc", "pipelines_update_time_idx", true),
        ("name = \"7F*\"", "", "pipelines_name_idx", true),
        ("update_time >= \"2999-01-31T00:00:00Z\"", "update_time", "pipelines_update_time_idx", true),
    ];
    let database = pool(&SERVICE, &own).await;
    let plans = Plans { database: &database, tenant };
    let pipelines = &SERVICE.resources()[2];
    plans.check_lists(pipelines, &variants).await;
    plans.check_standard_statements(pipelines, &[Uuid::max(), Uuid::nil()]).await;
}
