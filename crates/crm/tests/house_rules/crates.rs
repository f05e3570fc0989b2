//! The crate table of `docs/architecture.md` is true: arrows go down, and only where it says so.

use std::collections::{BTreeMap, BTreeSet};

use crate::metadata::{ours, read};

struct Row {
    level: u32,
    may_use: String,
}

/// The table's rows by crate.
fn table() -> BTreeMap<String, Row> {
    let text = read("docs/architecture.md");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = text.lines().filter(|line| line.starts_with("| ")).map(cells);
    rows.filter_map(|cells| {
        let level = cells.get(1)?.parse().ok()?;
        Some((cells.get(2)?.trim_matches('`').to_owned(), Row { level, may_use: cells.get(4)?.clone() }))
    })
    .collect()
}

/// Normal and build dependencies among our crates; what tests need points where it likes.
fn arrows() -> BTreeMap<String, BTreeSet<String>> {
    let short = |name: &str| name.strip_prefix("crm-").unwrap_or(name).to_owned();
    ours()
        .map(|package| {
            let uses = package["dependencies"].as_array().unwrap().iter();
            let uses = uses.filter(|dependency| !dependency["path"].is_null() && dependency["kind"] != "dev");
            let name = short(package["name"].as_str().unwrap());
            (name, uses.map(|dependency| short(dependency["name"].as_str().unwrap())).collect())
        })
        .collect()
}

fn allowed(row: &Row, used: &str, table: &BTreeMap<String, Row>) -> bool {
    match row.may_use.split_once('–') {
        Some((from, to)) => (from.parse().unwrap()..=to.parse().unwrap()).contains(&table[used].level),
        None => row.may_use.split('`').any(|name| name == used),
    }
}

#[test]
fn the_table_lists_every_crate_and_no_other() {
    let (table, crates) = (table().into_keys().collect::<BTreeSet<_>>(), arrows().into_keys().collect());
    assert_eq!(table, crates, "docs/architecture.md and the workspace differ");
}

#[test]
fn arrows_go_only_where_the_table_allows() {
    let table = table();
    for (name, uses) in arrows() {
        for used in uses {
            assert!(allowed(&table[&name], &used, &table), "{name} may not use {used}");
            assert!(table[&name].level > table[&used].level, "{name} → {used} does not go down");
        }
    }
}
