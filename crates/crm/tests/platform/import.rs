//! Somebody else's data, dirt and all.

use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use sqlx::{Connection, PgConnection};

use crate::platform::{Platform, crm};

fn import(platform: &Platform, folder: &Path) -> (Option<i32>, Value) {
    let report = platform.dir.join("import.json");
    let output =
        crm(&platform.dir, &["import", "crm-sales", folder.to_str().unwrap(), "--json", report.to_str().unwrap()]);
    let json = std::fs::read(&report).unwrap_or_else(|_| panic!("no report: {output:?}"));
    (output.status.code(), serde_json::from_slice(&json).unwrap())
}

#[tokio::test]
async fn the_sample_is_repaired_and_a_second_run_creates_nothing() {
    let platform = Platform::start().await;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/crm-sales-sample");
    let (code, report) = import(&platform, &sample);
    let repaired = json!({"blanks": 1, "country_spelling": 1, "industry_spelling": 1});
    assert_eq!(code, Some(0), "{report}");
    assert_eq!(report, json!({"read": 5, "created": 5, "unchanged": 0, "repaired": repaired, "refused": []}));
    let (_, again) = import(&platform, &sample);
    assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(5)));
}

/// Forgets every request id, as a day does.
async fn forget_request_ids(platform: &Platform) {
    let state: Value = serde_json::from_slice(&std::fs::read(platform.dir.join("state.json")).unwrap()).unwrap();
    let superuser = state["database_urls"]["customers"].as_str().unwrap().replace("crm_customers@", "postgres@");
    let mut connection = PgConnection::connect(&superuser).await.unwrap();
    sqlx::query("truncate customers.idempotency_keys").execute(&mut connection).await.unwrap();
}

/// Each row's name beside the one that its parent is called by.
fn folder_with(platform: &Platform, rows: &[(&str, &str)]) -> PathBuf {
    let folder = platform.dir.join("names");
    let rows: String =
        rows.iter().map(|(name, parent)| format!("{name},retail,1990,1.5,7,Norway,{parent}\n")).collect();
    let header = "account,sector,year_established,revenue,employees,office_location,subsidiary_of\n";
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("accounts.csv"), format!("{header}{rows}")).unwrap();
    folder
}

#[tokio::test]
async fn names_that_the_service_keeps_otherwise_are_known_again_a_day_later() {
    let platform = Platform::start().await;
    let folder = folder_with(
        &platform,
        &[
            ("Cafe\u{301} Group", ""),
            ("Daughter", "Caf\u{e9}  Group"),
            (" Two  Words ", ""),
            ("Acme", ""),
            ("ACME", ""),
            ("\u{ff21}\u{ff23}\u{ff2d}\u{ff25}", ""),
            ("Acme.", ""),
            ("Stra\u{df}e", ""),
            ("Strasse", "Cafe\u{301} Group"),
        ],
    );
    let (code, report) = import(&platform, &folder);
    assert_eq!((code, &report["created"]), (Some(0), &json!(9)), "{report}");
    for run in ["at once", "a day later"] {
        let (code, again) = import(&platform, &folder);
        assert_eq!((code, &again["created"], &again["unchanged"]), (Some(0), &json!(0), &json!(9)), "{run}: {again}");
        forget_request_ids(&platform).await;
    }
}

/// The public data set is not ours to ship: this says where it must be named to be tested with.
#[tokio::test]
async fn the_public_data_set_is_brought_in_whole() {
    let Some(folder) = std::env::var_os("CRM_SALES_DATA").map(PathBuf::from) else {
        eprintln!("CRM_SALES_DATA names no folder with the public data set: not tested");
        return;
    };
    let platform = Platform::start().await;
    let (code, report) = import(&platform, &folder);
    assert_eq!((code, &report["read"], &report["created"]), (Some(0), &json!(85), &json!(85)), "{report}");
    assert!(report["repaired"]["industry_spelling"].as_u64().unwrap() > 1, "{report}");
    let (_, again) = import(&platform, &folder);
    assert_eq!((&again["created"], &again["unchanged"]), (&json!(0), &json!(85)));
}
