//! The whole text of each statement, to be read.

use crm_resource::testkit::check_statements;
use crm_sales::SERVICE;

#[test]
fn statements_are_those_of_the_snapshot() {
    check_statements(&SERVICE, &[], concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
