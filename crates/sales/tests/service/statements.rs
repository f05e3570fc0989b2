//! The whole text of each statement, to be read.

use crm_resource::Resource;
use crm_resource::activities;
use crm_resource::foreign;
use crm_resource::testkit::check_statements;
use crm_resource::views;
use crm_sales::SERVICE;
use crm_sales::figures::{DECIDED, OWNERS};
use crm_sales::opportunities::{
    ACCOUNT, IDLE, LOCK_DECIDED, LOCK_IN_STAGE, LOCK_MONTHS, LOCK_TOTALS, MAKE_TOTALS, OVERDUE, Opportunity, STAYS,
};
use crm_sales::pipelines::{CARDS, FORGET_TOTALS, HOLD, LOCK, OPPORTUNITY_IN, TOTALS, USED_STAGE};
use crm_sales::{activities::OfSales, exchange_rates, forecast, saved_views, settings};

/// What runs between the standard statements: see src/pipelines and src/opportunities.
const OWN: &[(&str, &str)] = &[
    ("hold_pipeline", HOLD),
    ("lock_pipeline", LOCK),
    ("find_used_stage", USED_STAGE),
    ("find_opportunity_in_pipeline", OPPORTUNITY_IN),
    ("list_stays", STAYS),
    ("list_overdue_opportunities", OVERDUE),
    ("list_idle_opportunities", IDLE),
    ("count_decided_by_owner", DECIDED),
    ("find_owner_names", OWNERS),
    ("lock_decided_totals", LOCK_DECIDED),
    ("board_totals", TOTALS),
    ("board_cards", CARDS),
    ("lock_opportunities_in_stage", LOCK_IN_STAGE),
    ("lock_totals, of the stage that is left", LOCK_TOTALS),
    ("lock_totals, of the stage that is entered", MAKE_TOTALS),
    ("forget_totals", FORGET_TOTALS),
    ("lock_months", LOCK_MONTHS),
    ("forecast_figures", forecast::FIGURES),
    ("forecast_targets", forecast::TARGETS),
    ("forecast_teams", forecast::TEAMS),
    ("make_sales_settings", settings::MAKE),
    ("find_exchange_rates", exchange_rates::RATES),
];

#[test]
fn statements_are_those_of_the_snapshot() {
    let of_activities: Vec<_> = activities::statements::<OfSales>().into();
    let of_views = views::statements::<saved_views::OfSales>();
    let of_accounts = foreign::statements(Opportunity::KIND, &ACCOUNT);
    let of_house = of_activities.iter().chain(&of_views).map(|(name, sql)| (*name, sql.as_str()));
    let of_accounts = of_accounts.iter().map(|(name, sql)| (name.as_str(), sql.as_str()));
    let own: Vec<_> = OWN.iter().copied().chain(of_house).chain(of_accounts).collect();
    check_statements(&SERVICE, &own, concat!(env!("CARGO_MANIFEST_DIR"), "/tests/service/statements.sql"));
}
