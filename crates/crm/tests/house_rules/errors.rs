//! `docs/errors.md` lists every reason that a caller can be given, and no other.

use std::collections::BTreeSet;

use crate::metadata::read;
use crate::services::table::ALL;

/// Reasons that the crates declare.
fn declared() -> BTreeSet<&'static str> {
    [
        crm_server::REASONS,
        crm_server::FIELD_REASONS,
        crm_transcode::REASONS,
        crm_balance::REASONS,
        crm_database::REASONS,
        crm_gateway::REASONS,
    ]
    .into_iter()
    .chain(ALL.iter().flat_map(|service| service.reasons))
    .flatten()
    .map(|(reason, _)| *reason)
    .collect()
}

#[test]
fn the_list_of_reasons_is_complete_and_true() {
    let text = read("docs/errors.md");
    let rows = text.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    let listed: BTreeSet<_> = rows.collect();
    assert_eq!(listed, declared(), "docs/errors.md and the code differ");
}
