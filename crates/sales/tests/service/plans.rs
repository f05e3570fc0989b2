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
    let [products] = SERVICE.resources() else { panic!("a resource without plans") };
    plans.check_lists(products, &variants).await;
    plans.check_standard_statements(products, &ids).await;
}
