//! The table of who may call what fails the build where it does not fit the RPCs.
#![allow(missing_docs, clippy::unwrap_used)]

use std::collections::BTreeSet;

#[path = "../build/rights.rs"]
#[allow(dead_code, reason = "half of it is for the build alone")]
mod rights;

const HEAD: &str = "# Title\n\nText | with a bar.\n\n| RPC | admin | viewer |\n|---|---|---|\n";

fn read(rows: &str) -> Result<rights::Rights, String> {
    let rpcs = ["a.v1.A/Get", "a.v1.A/Set"].map(str::to_owned);
    rights::read(&format!("{HEAD}{rows}"), &BTreeSet::from(rpcs))
}

#[test]
fn a_row_says_which_roles_may() {
    let rights = read("| `a.v1.A/Set` | yes | no |\n| `a.v1.A/Get` | yes | yes |\n").unwrap();
    assert_eq!(rights["a.v1.A/Get"], ["admin", "viewer"]);
    assert_eq!(rights["a.v1.A/Set"], ["admin"]);
    let rust = "&[\n    (\"/a.v1.A/Get\", &[\"admin\", \"viewer\"]),\n    (\"/a.v1.A/Set\", &[\"admin\"]),\n]\n";
    assert_eq!(rights::write(&rights), rust);
}

#[test]
fn what_does_not_fit_the_rpcs_is_told() {
    let (get, set) = ("| `a.v1.A/Get` | yes | yes |\n", "| `a.v1.A/Set` | yes | no |\n");
    let check = |rows: &[&str], told: &str| {
        let error = read(&rows.concat()).unwrap_err();
        assert!(error.contains(told), "{error}");
    };
    check(&[get], "a.v1.A/Set has no row");
    check(&[get, set, "| `a.v1.A/Old` | no | no |\n"], "a.v1.A/Old has a row, and there is no such RPC");
    check(&[get, set, get], "a.v1.A/Get stands twice");
    check(&[get, "| `a.v1.A/Set` | yes |\n"], "a.v1.A/Set: a row has `yes` or `no` for each of admin, viewer");
    check(&[get, "| `a.v1.A/Set` | yes | perhaps |\n"], "a.v1.A/Set: a row has");
    check(&[get, "| `a.v1.A/Set` | yes | no | yes |\n"], "a.v1.A/Set: a row has");
    assert!(rights::read("no table", &BTreeSet::new()).unwrap_err().contains("missing"));
}
