//! Reads `proto/rights.md`, and holds it against the RPCs that there are.

use std::collections::{BTreeMap, BTreeSet};

/// The roles that may call each RPC, by its full name.
pub(crate) type Rights = BTreeMap<String, Vec<String>>;

/// The table in `text`; `rpcs` are all that need a row.
///
/// # Errors
/// In words: a row that cannot be read, stands twice or has no RPC; an RPC without a row.
pub(crate) fn read(text: &str, rpcs: &BTreeSet<String>) -> Result<Rights, String> {
    let mut rows = text.lines().filter_map(cells);
    let roles = rows.next().ok_or("the table is missing")?.split_off(1);
    let mut rights = Rights::new();
    for row in rows.skip(1) {
        let name = row[0].trim_matches('`').to_owned();
        if row.len() != roles.len() + 1 || row[1..].iter().any(|cell| !["yes", "no"].contains(cell)) {
            return Err(format!("{name}: a row has `yes` or `no` for each of {}", roles.join(", ")));
        }
        let may = roles.iter().zip(&row[1..]).filter(|(_, cell)| **cell == "yes");
        let may = may.map(|(role, _)| (*role).to_owned()).collect();
        if rights.insert(name.clone(), may).is_some() {
            return Err(format!("{name} stands twice"));
        }
    }
    let rowed: BTreeSet<String> = rights.keys().cloned().collect();
    if let Some(missing) = rpcs.difference(&rowed).next() {
        return Err(format!("{missing} has no row: say who may call it"));
    }
    match rowed.difference(rpcs).next() {
        Some(unknown) => Err(format!("{unknown} has a row, and there is no such RPC")),
        None => Ok(rights),
    }
}

/// The cells of a line that is one of a table.
fn cells(line: &str) -> Option<Vec<&str>> {
    let inner = line.trim().strip_prefix('|')?.strip_suffix('|')?;
    Some(inner.split('|').map(str::trim).collect())
}

/// The table as Rust.
pub(crate) fn write(rights: &Rights) -> String {
    let rows: String = rights.iter().map(|(name, roles)| format!("    (\"/{name}\", &{roles:?}),\n")).collect();
    format!("&[\n{rows}]\n")
}
