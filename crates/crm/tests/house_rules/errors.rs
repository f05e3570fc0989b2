//! `docs/errors.md` lists every reason that a caller can be given, and no other.

use std::collections::{BTreeMap, BTreeSet};

use crm_resource::Refusal;
use crm_telemetry::rpc::status_text;

use crate::files::tracked;
use crate::metadata::read;
use crate::services::table::ALL;

/// Reasons that the crates declare.
fn declared() -> BTreeSet<&'static str> {
    let reasons = [
        crm_server::REASONS,
        crm_server::FIELD_REASONS,
        crm_transcode::REASONS,
        crm_balance::REASONS,
        crm_database::REASONS,
        crm_gateway::REASONS,
        crm_values::FIELD_REASONS,
        crm_resource::imports::ROW_REASONS,
    ];
    let reasons = reasons.into_iter().flatten().map(|(reason, _)| *reason);
    reasons.chain(refusals().map(|refusal| refusal.reason)).collect()
}

/// What services refuse by their rules.
fn refusals() -> impl Iterator<Item = &'static Refusal> {
    crm_resource::REFUSALS.iter().copied().chain(ALL.iter().flat_map(|service| service.refusals()))
}

/// The rows of the document: reason, and the code that it comes with.
fn listed() -> BTreeMap<String, String> {
    let text = read("docs/errors.md");
    let cells = |line: &str| line.split('|').map(|cell| cell.trim().trim_matches('`').to_owned()).collect::<Vec<_>>();
    let rows = text.lines().filter(|line| line.starts_with("| `")).map(cells);
    rows.map(|cells| (cells[1].clone(), cells[2].clone())).collect()
}

#[test]
fn the_list_of_reasons_is_complete_and_true() {
    let listed = listed();
    let listed: BTreeSet<_> = listed.keys().map(String::as_str).collect();
    assert_eq!(listed, declared(), "docs/errors.md and the code differ");
}

#[test]
fn refusals_come_with_the_code_that_the_list_tells() {
    let listed = listed();
    for refusal in refusals() {
        let code = listed[refusal.reason].split(' ').next();
        assert_eq!(code, Some(status_text(refusal.code)), "{}", refusal.reason);
    }
}

#[test]
fn every_refusal_of_a_service_is_among_its_list() {
    let declared = declared();
    for file in tracked(".rs").into_iter().filter(|file| file.contains("/src/")) {
        for call in read(&file).split("= Refusal::").skip(1) {
            let reason = call.split('"').nth(1).unwrap_or_default();
            assert!(declared.contains(reason), "{file} has {reason}, which its service does not list");
        }
    }
}
