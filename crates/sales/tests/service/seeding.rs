//! Demo data.

use crm_proto::sales as pb;
use crm_resource::seed::Loaded;
use crm_resource::testkit;
use crm_sales::{SERVICE, seed};
use crm_server::token::tenant_id;
use sqlx::{Connection, PgConnection};

use crate::support::Rig;
use crate::totals;

fn rows(loaded: &[Loaded]) -> Vec<(&'static str, u64)> {
    loaded.iter().map(|loaded| (loaded.table, loaded.rows)).collect()
}

#[tokio::test]
async fn seeded_rows_are_like_those_that_are_created_and_a_second_run_makes_none() {
    let own = Rig::start().await;
    let (pool, tenant) = (testkit::pool(&SERVICE, &own.database).await, tenant_id("acme"));
    let first = rows(&seed::demo(&pool, tenant, 2_500, |_| ()).await.unwrap());
    assert_eq!(first[..3], [("products", 12), ("pipelines", 2), ("opportunities", 2_500)]);
    let second = rows(&seed::demo(&pool, tenant, 2_600, |_| ()).await.unwrap());
    assert_eq!(second[..3], [("products", 0), ("pipelines", 0), ("opportunities", 100)]);

    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    totals::check(&mut owner, "seeded").await;
    // Each stay begins where the one before ended, the first one with the opportunity; nobody stands where they were not.
    let (stays, wrong): (i64, i64) = sqlx::query_as(
        "select count(*), count(*) filter (where entered_time <> coalesce(before, create_time)) from ( \
         select stay.entered_time, it.create_time, lag(stay.left_time) over (partition by it.id order by entered_time) as before \
         from sales.stage_history stay join sales.opportunities it on it.id = stay.opportunity_id) as stays",
    )
    .fetch_one(&mut owner)
    .await
    .unwrap();
    assert_eq!((stays, wrong), (i64::try_from(first[3].1 + second[3].1).unwrap(), 0));
    let parts: Vec<(String, i64)> =
        sqlx::query_as("select state, count(*) from sales.opportunities group by 1 order by 1")
            .fetch_all(&mut owner)
            .await
            .unwrap();
    assert!(parts.len() == 3 && parts.iter().all(|(_, count)| *count > 400), "believable: {parts:?}");

    let list = pb::ListOpportunitiesRequest { page_size: 200, ..Default::default() };
    let listed = own.opportunities.clone().list_opportunities(own.manager.request(list)).await.unwrap().into_inner();
    for seeded in listed.opportunities {
        // An update of everything with what is there passes all checks and changes nothing.
        let same = own.update(seeded.clone(), &["*"]).await.unwrap();
        assert_eq!(same, seeded);
    }
}
