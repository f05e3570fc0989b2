//! Plans as the service's role, which row-level security changes.

use crm_database::pattern::after_prefix;
use crm_database::plan::{explain, explain_analyze};
use sqlx::{Connection, Executor, PgConnection};

use crate::support::{Notes, TENANT};

async fn filled() -> Notes {
    let notes = Notes::new().await;
    let mut owner = PgConnection::connect(notes.home.url()).await.unwrap();
    let fill = "insert into notes.notes (tenant_id, text)
        select '00000000-0000-0000-0000-000000000001', 'note ' || n from generate_series(1, 20000) as n";
    owner.execute(fill).await.unwrap();
    owner.execute("analyze notes.notes").await.unwrap();
    notes
}

#[tokio::test]
async fn prefix_as_a_range_is_an_index_condition_and_like_is_not() {
    let notes = filled().await;
    let mut transaction = notes.database.begin_read(TENANT, None).await.unwrap();
    let range = "select id from notes.notes where tenant_id = $1 and text >= $2 and text < $3 order by text limit 50";
    let query = sqlx::query(range).bind(TENANT).bind("note 19").bind(after_prefix("note 19"));
    let plan = explain(&mut transaction, query).await.unwrap();
    plan.assert_uses_index("notes_text_key").assert_no_sequential_scan().assert_no_sort();
    assert!(plan.details("Index Cond").iter().any(|condition| condition.contains("text >=")), "{plan}");
    let like = sqlx::query("select id from notes.notes where tenant_id = $1 and text like 'note 19%'").bind(TENANT);
    let plan = explain_analyze(&mut transaction, like).await.unwrap();
    assert!(!plan.details("Index Cond").iter().any(|condition| condition.contains("text")), "{plan}");
    assert!(plan.rows_removed() > 10_000, "{plan}");
}

#[tokio::test]
#[should_panic(expected = "a whole table is read")]
async fn sequential_scan_fails_the_test_that_forbids_it() {
    let notes = filled().await;
    let mut transaction = notes.database.begin_read(TENANT, None).await.unwrap();
    let plan = explain(&mut transaction, sqlx::query("select count(*) from notes.notes")).await.unwrap();
    plan.assert_no_sequential_scan();
}
