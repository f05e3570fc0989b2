//! The whole text of each statement, to be read.

use crm_resource::testkit::check_statements;
use crm_resource::views;
use crm_sales::SERVICE;
use crm_sales::saved_views::OfSales;

#[test]
fn statements_are_those_of_the_snapshot() {
    let of_views = views::statements::<OfSales>();
    let own: Vec<_> = of_views.iter().map(|(name, sql)| (*name, sql.as_str())).collect();
    check_statements(&SERVICE, &own, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
