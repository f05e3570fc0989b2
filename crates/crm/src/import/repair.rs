//! The named rules that repair known faults of the data set. Each use is counted in the report.

use super::report::Report;

/// Misspelt words and what was meant, per rule.
const SPELLING: &[(&str, &str, &str)] =
    &[("industry_spelling", "technolgy", "technology"), ("country_spelling", "Philipines", "Philippines")];

/// A date whose parts stand in another order than in ISO 8601.
pub(super) const DATE_FORM: &str = "date_form";
/// A quarter that contradicts the date beside it.
pub(super) const QUARTER_OF_DATE: &str = "quarter_of_date";
/// A stage in other letters.
pub(super) const STAGE_SPELLING: &str = "stage_spelling";
/// A product, an account, an agent that is spelt with other letters or blanks than where it is listed.
pub(super) const PRODUCT_SPELLING: &str = "product_spelling";
pub(super) const ACCOUNT_SPELLING: &str = "account_spelling";
pub(super) const AGENT_SPELLING: &str = "agent_spelling";
/// No account: the opportunity is kept at one that stands for that.
pub(super) const ACCOUNT_MISSING: &str = "account_missing";
/// Lost, for no reason that the file has a column for.
pub(super) const LOST_REASON_MISSING: &str = "lost_reason_missing";
/// No value: it is worth the list price of its product.
pub(super) const VALUE_MISSING: &str = "value_missing";

/// Blanks around a value, and runs of blanks within it.
pub(super) fn blanks(value: &str, report: &mut Report) -> String {
    let clean = value.split_whitespace().collect::<Vec<_>>().join(" ");
    if clean != value {
        report.repaired("blanks");
    }
    clean
}

/// The spelling that the rule knows to be meant, or the value as it is.
pub(super) fn spelling(rule: &'static str, value: String, report: &mut Report) -> String {
    match SPELLING.iter().find(|(name, wrong, _)| *name == rule && *wrong == value) {
        Some((_, _, right)) => {
            report.repaired(rule);
            (*right).to_owned()
        }
        None => value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_repair_is_counted_under_its_rule() {
        let mut report = Report::default();
        assert_eq!(spelling("industry_spelling", "technolgy".into(), &mut report), "technology");
        assert_eq!(spelling("industry_spelling", "retail".into(), &mut report), "retail");
        assert_eq!(spelling("country_spelling", "Philipines".into(), &mut report), "Philippines");
        assert_eq!(blanks(" Acme  Ltd ", &mut report), "Acme Ltd");
        assert_eq!(blanks("Acme Ltd", &mut report), "Acme Ltd");
        assert_eq!(report.repaired, [("blanks", 1), ("country_spelling", 1), ("industry_spelling", 1)].into());
    }
}
