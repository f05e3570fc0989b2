//! Which index answers which list: at 200,000 rows, as the service's role.

use crm_database::plan;
use crm_resource::Resource;
use crm_resource::testkit::{Plans, Variant, database, pool};
use crm_sales::SERVICE;
use crm_sales::figures::{DECIDED, OWNERS};
use crm_sales::forecast::{FIGURES, TARGETS};
use crm_sales::opportunities::{
    ACCOUNT, IDLE, LOCK_DECIDED, LOCK_IN_STAGE, LOCK_TOTALS, MAKE_TOTALS, OVERDUE, Opportunity, STAYS,
};
use crm_sales::pipelines::{CARDS, FORGET_TOTALS, OPPORTUNITY_IN, TOTALS, USED_STAGE};
use crm_server::token::tenant_id;
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use time::OffsetDateTime;
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

/// A third of the rows belong to the tenant that is looked at, the rest to a hundred others.
const OPPORTUNITIES: &str = "
    insert into sales.opportunities (tenant_id, id, name, account_id, pipeline_id, stage_id, state, close_date, owner_key,
        next_step_date, stage_time, create_time, update_time, lost_reason, close_time)
    select case when n % 3 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid, 'Name ' || n,
        md5('account' || n % 5000)::uuid, md5('pipeline' || n % 5)::uuid, md5('stage' || n % 50)::uuid,
        (array['open', 'won', 'lost'])[1 + n % 10 / 8 + n % 10 / 9],
        to_char(date '2024-01-01' + n % 1500, 'YYYY-MM-DD'), 'owner' || n % 70,
        case when n % 4 = 0 then to_char(date '2024-01-01' + n % 1500, 'YYYY-MM-DD') else '' end,
        now() - n * interval '1 minute', now() - n * interval '2 minutes', now() - n * interval '1 minute',
        case when n % 10 / 8 + n % 10 / 9 = 2 then 'x' else '' end, case when n % 10 / 8 > 0 then now() end
    from generate_series(1, 100000) n;
    insert into sales.stage_history (tenant_id, opportunity_id, entered_time, pipeline_id, stage_id, stage_name)
    select tenant_id, id, stage_time, pipeline_id, stage_id, 'x' from sales.opportunities;
    insert into sales.activities (tenant_id, id, kind, parent_resource, parent_id, body, creator)
    select tenant_id, id, 'note', 'opportunities', id, 'x', 'x' from sales.opportunities where tenant_id = '{tenant}';
    insert into sales.stage_totals
    select tenant_id, pipeline_id, stage_id, 'EUR', slot, 1, 1, 0, 1
    from (select distinct tenant_id, pipeline_id, stage_id from sales.opportunities) it, generate_series(0, 15) slot;
    insert into sales.foreign_records (tenant_id, resource, id, version, name, deleted)
    select distinct tenant_id, 'accounts', account_id, 1, 'x', false from sales.opportunities;
    insert into sales.foreign_moves (tenant_id, resource, merge_id, kind, record_id, version)
    select tenant_id, 'accounts', md5('merge' || account_id::text)::uuid, 'opportunities', id, 1 from sales.opportunities;
    insert into sales.decided_totals
    select tenant_id, facet, span, left(to_char(date '2024-01-01' + n * 60, 'YYYY-MM-DD'), length), 'owner' || n % 70, 'won',
        'EUR', slot, 1, 1, 1, 1
    from (select distinct tenant_id from sales.opportunities) it, generate_series(1, 25) n, generate_series(0, 3) slot,
        (values ('owner'), ('reason')) as facets (facet), (values ('month', 7), ('year', 4)) as spans (span, length)
    on conflict do nothing;
    analyze sales.decided_totals, sales.opportunities, sales.stage_history, sales.stage_totals, sales.activities, sales.foreign_records, sales.foreign_moves";

#[tokio::test]
async fn opportunities_are_listed_by_their_indexes_at_100_000_rows() {
    let own = database(&SERVICE).await;
    let tenant = tenant_id("acme");
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    owner.execute(AssertSqlSafe(OPPORTUNITIES.replace("{tenant}", &tenant.to_string()))).await.unwrap();
    let (id, pipeline, stage): (Uuid, Uuid, Uuid) =
        sqlx::query_as("select id, pipeline_id, stage_id from sales.opportunities where tenant_id = $1 limit 1")
            .bind(tenant)
            .fetch_one(&mut owner)
            .await
            .unwrap();
    let of_stage = format!("stage_id = \"{stage}\"");
    let of_owner_and_stage = format!("owner = \"owner3\" AND {of_stage}");
    let of_pipeline = format!("pipeline_id = \"{pipeline}\"");
    let of_account = format!("account_id = \"{id}\"");
    let this_month = "close_date >= \"2026-01-01\" AND close_date < \"2026-02-01\"";
    let (owners_month, open_month) =
        (format!("owner = \"owner3\" AND {this_month}"), format!("state = STATE_WON AND {this_month}"));
    let variants: [Variant<'_>; 15] = [
        ("", "create_time desc", "opportunities_create_time_idx", true),
        ("", "update_time desc", "opportunities_update_time_idx", true),
        ("", "close_date", "opportunities_close_date_idx", true),
        (&of_owner_and_stage, "create_time desc", "opportunities_owner_stage_idx", true),
        (&of_owner_and_stage, "", "opportunities_owner_stage_idx", true),
        ("owner = \"owner3\"", "create_time desc", "opportunities_owner_create_time_idx", true),
        ("owner = \"owner3\"", "close_date", "opportunities_owner_close_date_idx", true),
        (&owners_month, "close_date", "opportunities_owner_close_date_idx", true),
        (&of_stage, "create_time desc", "opportunities_stage_create_time_idx", true),
        (&of_stage, "close_date", "opportunities_stage_close_date_idx", true),
        (&of_pipeline, "create_time desc", "opportunities_pipeline_create_time_idx", true),
        (&of_account, "create_time desc", "opportunities_account_create_time_idx", true),
        ("state = STATE_WON", "create_time desc", "opportunities_state_create_time_idx", true),
        (&open_month, "close_date", "opportunities_state_close_date_idx", true),
        (this_month, "close_date", "opportunities_close_date_idx", true),
    ];
    let database = pool(&SERVICE, &own).await;
    let plans = Plans { database: &database, tenant };
    let opportunities = &SERVICE.resources()[3];
    plans.check_lists(opportunities, &variants).await;
    plans.check_standard_statements(opportunities, &[id, Uuid::max()]).await;
    let bound = |sql: &'static str| sqlx::query(sql).bind(tenant);
    plans.check_statement(bound(STAYS).bind(id), "stage_history_pkey").await;
    let stages = vec![stage, Uuid::max()];
    let board = bound(CARDS).bind(pipeline).bind(stages.clone()).bind(10_i64);
    plans.check_statement(board, "opportunities_stage_create_time_idx").await;
    let board = bound(CARDS).bind(pipeline).bind(stages.clone()).bind(10_i64);
    plans.check_statement(board, "opportunities_stage_time_idx").await;
    let overdue = bound(OVERDUE).bind("2025-01-01").bind("").bind("2024-06-01").bind(id).bind(51_i64);
    plans.check_statement(overdue, "opportunities_next_step_date_idx").await;
    let month = OffsetDateTime::now_utc() - time::Duration::days(30);
    let year = month - time::Duration::days(365);
    let idle = || bound(IDLE).bind(month).bind("2025-01-01").bind("").bind(year).bind(id).bind(1_000_i64);
    plans.check_statement(idle(), "opportunities_open_stage_time_idx").await;
    plans.check_statement(idle(), "activities_parent_timeline_idx").await;
    let parts = [vec!["month", "year"], vec!["2025-03", "2026"], vec!["2025-12", "2027"]];
    let figures = parts.into_iter().fold(bound(DECIDED).bind("owner"), |query, part| query.bind(part));
    plans.check_statement(figures, "decided_totals_pkey").await;
    let names = bound(OWNERS).bind(vec!["owner1", "owner3"]);
    plans.check_statement(names, "opportunities_owner_create_time_idx").await;
    let locked = bound(LOCK_DECIDED).bind(vec![id, Uuid::max()]).bind("owner3");
    plans.check_statement(locked, "opportunities_pkey").await;
    let totals = "stage_totals_pkey";
    plans.check_statement(bound(TOTALS).bind(pipeline), totals).await;
    plans.check_statement(bound(LOCK_TOTALS).bind(pipeline).bind(stage), totals).await;
    plans.check_statement(bound(MAKE_TOTALS).bind(pipeline).bind(stage).bind(id), totals).await;
    plans.check_statement(bound(FORGET_TOTALS).bind(pipeline).bind(stage), totals).await;
    let batch = bound(LOCK_IN_STAGE).bind(stage).bind(pipeline).bind(100_i64);
    plans.check_statement(batch, "opportunities_stage_create_time_idx").await;
    let used = bound(USED_STAGE).bind(pipeline).bind(stages);
    plans.check_statement(used, "opportunities_stage_").await;
    plans.check_foreign(Opportunity::KIND, &ACCOUNT, "opportunities_account_create_time_idx", id).await;
    plans.check_statement(bound(OPPORTUNITY_IN).bind(pipeline), "opportunities_pipeline_create_time_idx").await;
}

/// A tenth of the rows belong to the tenant that is looked at, the rest to a hundred others: five years of forty currencies.
const RATES: &str = "
    insert into sales.exchange_rates (tenant_id, id, base_currency, quote_currency, start_date, rate_trillionths, update_time)
    select case when n % 10 = 0 then '{tenant}'::uuid else md5('t' || n % 100)::uuid end, md5('a' || n)::uuid,
        'A' || chr(65 + n / 10 % 20) || chr(65 + n / 200 % 2), case when n % 3 = 0 then 'EUR' else 'USD' end,
        (date '2020-01-01' + n / 400)::text, n, now() - n * interval '1 minute'
    from generate_series(1, 200000) n on conflict do nothing;
    insert into sales.sales_settings (tenant_id, id, reporting_currency) values ('{tenant}', '{tenant}', 'EUR');
    analyze sales.exchange_rates, sales.sales_settings";

#[tokio::test]
async fn rates_are_found_by_their_indexes() {
    let own = database(&SERVICE).await;
    let tenant = tenant_id("acme");
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    owner.execute("set session_replication_role = replica").await.unwrap();
    owner.execute(AssertSqlSafe(RATES.replace("{tenant}", &tenant.to_string()))).await.unwrap();
    let variants: [Variant<'_>; 6] = [
        ("", "", "exchange_rates_start_date_idx", true),
        ("", "start_date desc", "exchange_rates_start_date_idx", true),
        ("", "update_time desc", "exchange_rates_update_time_idx", true),
        ("base_currency = \"ABB\"", "", "exchange_rates_base_currency_idx", true),
        ("base_currency = \"ABB\"", "start_date desc", "exchange_rates_base_currency_idx", true),
        ("update_time >= \"2999-01-31T00:00:00Z\"", "update_time", "exchange_rates_update_time_idx", true),
    ];
    let database = pool(&SERVICE, &own).await;
    let plans = Plans { database: &database, tenant };
    let named = |name: &str| SERVICE.resources().iter().find(|resource| resource.name == name).unwrap();
    plans.check_lists(named("exchange_rate"), &variants).await;
    plans.check_standard_statements(named("exchange_rate"), &[Uuid::max(), Uuid::nil()]).await;
    // The rate of a day is the end of a range, whatever came before it.
    let needed = (vec!["ABB", "ACB"], vec!["2021-01-01", "2020-06-01"]);
    let query = sqlx::query(crm_sales::exchange_rates::RATES).bind(tenant).bind(needed.0).bind(needed.1);
    let mut transaction = database.begin_read(tenant, None).await.unwrap();
    let plan = plan::explain(&mut transaction, query).await.unwrap();
    plan.assert_uses_index("exchange_rates_start_date_key").assert_no_sort();
    let conditions = plan.details("Index Cond").join(" ");
    for part in ["tenant_id", "quote_currency =", "base_currency =", "start_date <="] {
        assert!(conditions.contains(part), "{part} is not an index condition:\n{plan}");
    }
}

/// A tenant with a hundred owners, five years and two currencies, beside ten others.
const MONTHS: &str = "
    insert into sales.forecast_totals
    select case when tenant = 0 then '{tenant}'::uuid else md5('t' || tenant)::uuid end,
        to_char(date '2022-01-01' + n * interval '1 month', 'YYYY-MM'), 'user' || owner, state,
        case when state = 'open' then '{tenant}'::uuid else uuid_nil.uuid_nil end,
        case when state = 'open' then '{tenant}'::uuid else uuid_nil.uuid_nil end,
        currency, slot, 'user' || owner, 1, 100, 0, 100, 0
    from generate_series(0, 10) tenant, generate_series(0, 59) n, generate_series(1, 100) owner,
        (values ('open'), ('won')) as states (state), (values ('EUR'), ('USD')) as currencies (currency),
        (select '00000000-0000-0000-0000-000000000000'::uuid as uuid_nil) as uuid_nil, generate_series(0, 3) slot
        where tenant = 0 or owner < 10;
    insert into sales.targets (tenant_id, id, owner, owner_key, month, amount_minor, amount_currency)
    select '{tenant}', md5('a' || n || ' ' || owner)::uuid, 'user' || owner, 'user' || owner,
        to_char(date '2022-01-01' + n * interval '1 month', 'YYYY-MM'), 1, 'EUR'
    from generate_series(0, 59) n, generate_series(1, 100) owner;
    analyze sales.forecast_totals, sales.targets";

#[tokio::test]
async fn a_forecast_reads_its_months_and_no_others() {
    let own = database(&SERVICE).await;
    let tenant = tenant_id("acme");
    let mut owner = PgConnection::connect(own.url()).await.unwrap();
    owner.execute("set session_replication_role = replica").await.unwrap();
    owner.execute(AssertSqlSafe(MONTHS.replace("{tenant}", &tenant.to_string()))).await.unwrap();
    let database = pool(&SERVICE, &own).await;
    let months = vec!["2026-10".to_owned(), "2026-11".to_owned(), "2026-12".to_owned(), String::new()];
    let figures = sqlx::query(FIGURES).bind(tenant).bind(months.clone()).bind(None::<String>).bind(80);
    let targets = sqlx::query(TARGETS).bind(tenant).bind(months).bind(false).bind(None::<String>);
    for (query, index) in [(figures, "forecast_totals_pkey"), (targets, "targets_month_idx")] {
        let mut transaction = database.begin_read(tenant, None).await.unwrap();
        let plan = plan::explain(&mut transaction, query).await.unwrap();
        plan.assert_uses_index(index);
        let conditions = plan.details("Index Cond").join(" ");
        assert!(conditions.contains("tenant_id") && conditions.contains("month = ANY"), "{plan}");
    }
    let plans = Plans { database: &database, tenant };
    let named = |name: &str| SERVICE.resources().iter().find(|resource| resource.name == name).unwrap();
    let variants: [Variant<'_>; 4] = [
        ("", "", "targets_month_idx", true),
        ("owner = \"user7\"", "", "targets_owner_idx", true),
        ("month = \"2026-11\"", "", "targets_month_idx", true),
        ("update_time >= \"2999-01-31T00:00:00Z\"", "update_time", "targets_update_time_idx", true),
    ];
    plans.check_lists(named("target"), &variants).await;
    plans.check_standard_statements(named("target"), &[Uuid::max(), Uuid::nil()]).await;
}
