//! Parents before their subsidiaries, whatever the order of the file.

use std::collections::HashSet;

use super::accounts::{AccountRow, FILE};
use super::report::Report;

/// Sorts rows so that each follows its parent; refuses those whose parent is not in the file, or is itself.
pub(super) fn parents_first(rows: Vec<AccountRow>, report: &mut Report) -> Vec<AccountRow> {
    let names: HashSet<String> = rows.iter().map(|row| row.key.clone()).collect();
    let (mut waiting, orphans): (Vec<_>, Vec<_>) =
        rows.into_iter().partition(|row| row.parent.as_ref().is_none_or(|parent| names.contains(parent)));
    for row in orphans {
        report.refuse(FILE, row.line, "subsidiary_of", "no account of this name is in the file");
    }

    let (mut sorted, mut placed) = (Vec::new(), HashSet::new());
    loop {
        let before = sorted.len();
        let ready = |row: &AccountRow| row.parent.as_ref().is_none_or(|parent| placed.contains(parent));
        let (next, rest): (Vec<_>, Vec<_>) = waiting.into_iter().partition(ready);
        placed.extend(next.iter().map(|row| row.key.clone()));
        sorted.extend(next);
        waiting = rest;
        if sorted.len() == before {
            break;
        }
    }
    for row in waiting {
        report.refuse(FILE, row.line, "subsidiary_of", "it is its own ancestor, or its parent was refused");
    }
    sorted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: u64, name: &str, parent: Option<&str>) -> AccountRow {
        AccountRow { line, key: name.into(), parent: parent.map(Into::into), ..AccountRow::default() }
    }

    #[test]
    fn a_subsidiary_may_stand_before_its_parent() {
        let mut report = Report::default();
        let rows = vec![row(2, "c", Some("b")), row(3, "b", Some("a")), row(4, "a", None)];
        let names: Vec<_> = parents_first(rows, &mut report).into_iter().map(|row| row.key).collect();
        assert_eq!(names, ["a", "b", "c"]);
        assert!(report.refused.is_empty());
    }

    #[test]
    fn a_circle_and_an_unknown_parent_are_refused_and_named() {
        let mut report = Report::default();
        let rows = vec![row(2, "x", Some("y")), row(3, "y", Some("x")), row(4, "z", Some("?")), row(5, "w", Some("z"))];
        assert!(parents_first(rows, &mut report).is_empty());
        let mut lines: Vec<_> = report.refused.iter().map(|refused| refused.row).collect();
        lines.sort_unstable();
        assert_eq!(lines, [2, 3, 4, 5]);
    }
}
