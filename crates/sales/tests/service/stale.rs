//! Opportunities that nobody works on.

use crm_proto::sales as pb;
use crm_resource::testkit::violations;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::Status;

use crate::support::{Rig, opportunity, usual};

/// Changes what only time changes.
async fn age(owner: &mut PgConnection, id: &str, sets: &str) {
    let update = format!("update sales.opportunities set {sets} where id = '{id}'");
    sqlx::query(AssertSqlSafe(update)).execute(owner).await.unwrap();
}

/// A note so many days ago, which may be deleted.
async fn note(owner: &mut PgConnection, which: &str, days: i32, is_deleted: bool) {
    let insert = format!(
        "insert into sales.activities (tenant_id, id, kind, parent_resource, parent_id, body, creator, create_time, delete_time) \
         select tenant_id, gen_random_uuid(), 'note', 'opportunities', id, 'x', 'ada', now() - interval '{days} days', \
         case when {is_deleted} then now() end from sales.opportunities where {which}"
    );
    sqlx::query(AssertSqlSafe(insert)).execute(owner).await.unwrap();
}

async fn page(
    own: &Rig,
    asked: pb::ListStaleOpportunitiesRequest,
) -> Result<pb::ListStaleOpportunitiesResponse, Status> {
    Ok(own.opportunities.clone().list_stale_opportunities(own.manager.request(asked)).await?.into_inner())
}

/// All pages: names, whether the next step is overdue, and whether nothing has happened.
async fn stale(own: &Rig, asked: pb::ListStaleOpportunitiesRequest) -> Vec<(String, bool, bool)> {
    let (mut all, mut page_token) = (Vec::new(), String::new());
    loop {
        let next = page(own, pb::ListStaleOpportunitiesRequest { page_token, ..asked.clone() }).await.unwrap();
        let told = |it: pb::StaleOpportunity| (it.opportunity.unwrap().name, it.step_overdue, it.idle);
        all.extend(next.opportunities.into_iter().map(told));
        page_token = next.next_page_token;
        if page_token.is_empty() {
            return all;
        }
    }
}

#[tokio::test]
async fn what_is_overdue_or_idle_is_told_once_and_what_is_oldest_first() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let days = |days: i32| format!("stage_time = now() - interval '{days} days'");
    for (name, step, sets) in [
        ("fresh", "", "state = state".to_owned()),
        ("planned", "2999-01-31", "state = state".to_owned()),
        ("overdue", "2001-02-01", "state = state".to_owned()),
        ("long overdue, and idle", "2001-01-01", days(60)),
        ("idle", "", days(40)),
        ("idle, with a plan", "2999-01-31", days(50)),
        ("noted", "", days(50)),
        ("noted, but no more", "", days(46)),
        ("noted too early", "", days(44)),
        ("eve's", "", days(43) + ", owner = 'eve', owner_key = 'eve'"),
        ("won", "2001-01-01", days(50) + ", state = 'won', close_time = now()"),
        ("deleted", "2001-01-01", days(50) + ", delete_time = now()"),
    ] {
        let made = pb::Opportunity { name: name.to_owned(), ..opportunity(&account, &pipeline) };
        let made = own.create(pb::Opportunity { next_step_date: step.to_owned(), ..made }).await.unwrap();
        age(&mut owner, &made.id, &sets).await;
    }
    note(&mut owner, "name = 'noted'", 29, false).await;
    note(&mut owner, "name = 'noted, but no more'", 29, true).await;
    note(&mut owner, "name = 'noted too early'", 31, false).await;
    let expected = [
        ("long overdue, and idle", true, true),
        ("overdue", true, false),
        ("idle, with a plan", false, true),
        ("noted, but no more", false, true),
        ("noted too early", false, true),
        ("eve's", false, true),
        ("idle", false, true),
    ];
    let expected = expected.map(|(name, overdue, idle)| (name.to_owned(), overdue, idle));
    let asked = |page_size| pb::ListStaleOpportunitiesRequest { page_size, ..Default::default() };
    for page_size in [1, 2, 3, 50] {
        assert_eq!(stale(&own, asked(page_size)).await, expected, "{page_size} a page");
    }
    let whose = pb::ListStaleOpportunitiesRequest { owner: "eve".to_owned(), ..asked(0) };
    assert_eq!(stale(&own, whose.clone()).await, expected[5..6]);
    let longer = pb::ListStaleOpportunitiesRequest { idle_days: 45, ..asked(0) };
    let longer: Vec<_> = stale(&own, longer).await.into_iter().map(|(name, ..)| name).collect();
    assert_eq!(longer, ["long overdue, and idle", "overdue", "idle, with a plan", "noted, but no more"]);

    let first = page(&own, asked(1)).await.unwrap();
    let stage_time = first.opportunities[0].opportunity.as_ref().unwrap().stage_time;
    assert_eq!(first.opportunities[0].active_time, stage_time);
    let foreign = pb::ListStaleOpportunitiesRequest { page_token: first.next_page_token, ..whose };
    assert_eq!(violations(page(&own, foreign).await), ["page_token"]);
    let wrong =
        pb::ListStaleOpportunitiesRequest { page_size: -1, idle_days: 3_651, owner: "x".repeat(101), ..asked(0) };
    assert_eq!(violations(page(&own, wrong).await), ["page_size", "idle_days", "owner"]);
}

/// However many were called yesterday: who asks for what is idle waits for a thousand of them at most.
#[tokio::test]
async fn a_page_looks_at_a_thousand_and_goes_on_behind_them() {
    let own = Rig::start().await;
    let (account, pipeline) = (own.account().await, own.pipeline(usual()).await);
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let made = own.create(opportunity(&account, &pipeline)).await.unwrap();
    age(&mut owner, &made.id, "stage_time = now() - interval '50 days'").await;
    let more = "insert into sales.opportunities (tenant_id, id, name, account_id, pipeline_id, stage_id, state, stage_time) \
         select tenant_id, gen_random_uuid(), 'called', account_id, pipeline_id, stage_id, 'open', now() - interval '60 days' \
         from sales.opportunities, generate_series(1, 1000)";
    sqlx::query(more).execute(&mut owner).await.unwrap();
    note(&mut owner, "name = 'called'", 1, false).await;
    let first = page(&own, pb::ListStaleOpportunitiesRequest::default()).await.unwrap();
    assert_eq!(first.opportunities.len(), 0);
    assert_ne!(first.next_page_token, "");
    let asked = pb::ListStaleOpportunitiesRequest { page_token: first.next_page_token, ..Default::default() };
    let next = page(&own, asked).await.unwrap();
    assert_eq!(next.opportunities[0].opportunity.as_ref().unwrap().id, made.id);
    assert_eq!((next.opportunities.len(), next.next_page_token.as_str()), (1, ""));
}
