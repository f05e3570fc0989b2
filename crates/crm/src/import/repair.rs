//! The named rules that repair known faults of the data set. Each use is counted in the report.

use super::report::Report;

/// Misspelt words and what was meant, per rule.
const SPELLING: &[(&str, &str, &str)] =
    &[("industry_spelling", "technolgy", "technology"), ("country_spelling", "Philipines", "Philippines")];

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
