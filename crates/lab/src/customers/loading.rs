//! Loading a large set while the platform could serve, beside plain `copy` of the same rows into the same indexes.

use sqlx::{Connection, Executor, PgConnection};

use super::lab::{Filled, LARGE, SMALL};
use super::plain;
use super::plan::Plan;
use crate::scratch::{LabError, Part, Servers, Stage, clean, ratio};

/// How much longer the seed may take than plain `copy`.
const LIMIT: f64 = 2.0;
/// Contacts that are enough to compare.
const ENOUGH: u32 = 50_000;
const TABLES: [&str; 5] = ["accounts", "contacts", "contact_emails", "search_terms", "activities"];

/// What came into a table, as the command says.
struct Loaded {
    table: String,
    rows: f64,
    seconds: f64,
}

pub(super) async fn measure(stage: &Stage, plan: &Plan, filled: &Filled) -> Result<Part, LabError> {
    let mut part = Part::new(
        "loading",
        format!(
            "crm seed large: {} contacts, and {} into a database beside. The rows of one of them are copied into tables with the \
             same indexes and nothing else, by two connections as the seed has.",
            plan.contacts,
            plan.small()
        ),
    );
    let small = seed(stage, &filled.small, plan.small(), SMALL).await?;
    let large = seed(stage, &stage.servers, plan.contacts, LARGE).await?;
    for (what, loaded) in [("small", &small), ("large", &large)] {
        for Loaded { table, rows, seconds } in loaded {
            part.figure(format!("{what}: {table}"), *rows, "rows");
            part.figure(format!("{what}: {table} a second"), ratio(*rows, *seconds).unwrap_or_default(), "");
        }
    }
    let again = seed(stage, &filled.small, plan.small(), SMALL).await?;
    part.claim("rows that a second run adds", 0.0, Some(again.iter().map(|loaded| loaded.rows).sum()));
    // Of a million, copying a tenth says enough; of less, tenants have too few rows for a chunk each.
    let (what, servers, loaded) =
        if plan.small() >= ENOUGH { ("small", &filled.small, &small) } else { ("large", &stage.servers, &large) };
    let plain = plain::copy(servers, &TABLES.map(|table| (table, "true".to_owned())), 2).await?;
    // Tables of the same statement took their time together.
    let of = |table: &str| loaded.iter().find(|loaded| loaded.table == table).map_or(0.0, |loaded| loaded.seconds);
    let took: f64 = ["accounts", "contacts", "activities"].into_iter().map(of).sum();
    part.figure(format!("{what}: time of the seed"), took, "s");
    part.figure(format!("{what}: time of plain copy"), plain, "s");
    part.claim("time of the seed, times that of plain copy of the same rows", LIMIT, ratio(took, plain));
    Ok(part)
}

async fn seed(stage: &Stage, servers: &Servers, contacts: u32, tenant: &str) -> Result<Vec<Loaded>, LabError> {
    let mut command = clean((stage.programs.seed)(contacts, tenant));
    command.env(stage.programs.url_setting, &servers.service_url);
    let output = tokio::process::Command::from(command).kill_on_drop(true).output().await;
    let output = output.map_err(|error| LabError::Start(format!("cannot seed: {error}")))?;
    if !output.status.success() {
        return Err(LabError::Start(format!("cannot seed: {}", String::from_utf8_lossy(&output.stderr))));
    }
    let mut owner = PgConnection::connect(&servers.owner_url).await?;
    owner.execute("vacuum analyze").await?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().filter_map(loaded).collect())
}

/// A row of the command's table: `contacts  1000 rows in  0.1 s  10000 rows/s`.
fn loaded(line: &str) -> Option<Loaded> {
    match line.split_whitespace().collect::<Vec<_>>().as_slice() {
        [table, rows, "rows", "in", seconds, "s", _, "rows/s"] => {
            Some(Loaded { table: (*table).to_owned(), rows: rows.parse().ok()?, seconds: seconds.parse().ok()? })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_the_commands_table_are_understood_and_nothing_else() {
        let row = loaded("  contacts            1000 rows in     0.5 s      2000 rows/s").unwrap();
        assert_eq!((row.table.as_str(), row.rows, row.seconds), ("contacts", 1_000.0, 0.5));
        assert!(loaded("large: 1000 contacts created in 0.5 s").is_none());
    }
}
