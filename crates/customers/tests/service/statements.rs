//! The whole text of each statement that is made from a resource's columns, to be read.

use crm_customers::SERVICE;

#[test]
fn statements_are_those_of_the_snapshot() {
    let snapshot = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql");
    let written: String = SERVICE.resources().iter().map(crm_resource::AnyResource::statement_texts).collect();
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        std::fs::write(snapshot, &written).unwrap();
    }
    let kept = std::fs::read_to_string(snapshot).unwrap_or_default();
    for (written, kept) in written.lines().zip(kept.lines()) {
        assert_eq!(written, kept, "with UPDATE_GOLDEN=1 this test writes the file");
    }
    assert_eq!(written.lines().count(), kept.lines().count(), "with UPDATE_GOLDEN=1 this test writes the file");
}
