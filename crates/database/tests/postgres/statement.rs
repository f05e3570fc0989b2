//! Spans and metrics of statements.

use crm_database::statement::traced;
use crm_telemetry::testing::{attribute, record};
use sqlx::Executor;

use crate::support::{Notes, TENANT};

const INSERT: &str = "insert into notes.notes (text) values ($1)";

#[tokio::test]
async fn span_has_the_text_and_the_rows_but_no_value() {
    let notes = Notes::new().await;
    let (recorder, _guard) = record();
    notes.write(TENANT, "secret").await.unwrap();
    notes.write(TENANT, "secret").await.unwrap_err();
    let spans = recorder.spans_named("insert_note");
    let check = |key: &str, of: usize, expected: Option<&str>| {
        assert_eq!(attribute(&spans[of], key).as_deref(), expected, "{key}");
    };
    check("db.system.name", 0, Some("postgresql"));
    check("db.operation.name", 0, Some("INSERT"));
    check("db.query.text", 0, Some(INSERT));
    check("db.query.summary", 0, Some("insert_note"));
    check("db.response.returned_rows", 0, Some("1"));
    check("error.type", 0, None);
    check("error.type", 1, Some("notes_text_key"));
    assert_eq!(spans[0].span_kind, opentelemetry::trace::SpanKind::Client);
    assert!(!format!("{:?} {:?}", recorder.spans(), recorder.log()).contains("secret"));
}

#[tokio::test]
async fn cancelled_statement_is_seen_as_such() {
    let notes = Notes::new().await;
    let (recorder, _guard) = record();
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let sleep = transaction.execute("sleep", sqlx::query("select 1 from pg_sleep(5)"));
    assert!(tokio::time::timeout(std::time::Duration::from_millis(100), sleep).await.is_err());
    assert_eq!(attribute(&recorder.spans_named("sleep")[0], "error.type").as_deref(), Some("cancelled"));
}

#[tokio::test]
async fn statement_of_another_shape_can_be_traced_too() {
    let notes = Notes::new().await;
    let (recorder, _guard) = record();
    let mut transaction = notes.database.begin(TENANT, None).await.unwrap();
    let rows = traced("all", "select 1", (*transaction).fetch_all("select 1")).await.unwrap();
    assert_eq!(rows.len(), 1);
    assert_eq!(attribute(&recorder.spans_named("all")[0], "db.response.returned_rows").as_deref(), Some("1"));
}

#[tokio::test]
async fn pools_of_one_process_add_up() {
    // More than all pools of the tests beside it together.
    let _first = Notes::with(|settings| settings.max_connections = 5_000).await;
    let _second = Notes::with(|settings| settings.max_connections = 6_000).await;
    let text = crm_telemetry::metrics_text();
    let line = text.lines().find(|line| line.starts_with("db_client_connection_max")).unwrap();
    let max: f64 = line.rsplit(' ').next().unwrap().parse().unwrap();
    assert!(max >= 11_000.0, "{line}");
}

#[tokio::test]
async fn metrics_of_pool_and_statements_are_exposed() {
    let notes = Notes::new().await;
    notes.write(TENANT, "counted").await.unwrap();
    let text = crm_telemetry::metrics_text();
    for name in [
        "db_client_connections",
        "db_client_connection_max",
        "db_client_connection_wait_time_seconds",
        "db_client_operation_duration_seconds",
        "crm_database_transactions_total",
    ] {
        assert!(text.contains(name), "{name} is missing:\n{text}");
    }
}
