//! `accounts.csv`: its columns, its values, and what an account is made of.

use std::collections::HashSet;
use std::path::Path;

use crm_proto::customers as pb;
use crm_values::text_key;

use super::repair;
use super::report::Report;
use super::table::{Cells, Layout};
use super::values::{cents, dollars};
use crate::failure::Failure;

pub(super) const FILE: &str = "accounts.csv";
const LAYOUT: Layout<7> = Layout {
    file: FILE,
    columns: ["account", "sector", "year_established", "revenue", "employees", "office_location", "subsidiary_of"],
    optional: 0,
};

/// One row, repaired. Names are compared by their keys: the same name may be written composed and decomposed.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct AccountRow {
    pub(super) line: u64,
    /// As it is written.
    pub(super) name: String,
    /// The key of its name.
    pub(super) key: String,
    pub(super) industry: String,
    pub(super) country: String,
    pub(super) founded_year: Option<i32>,
    pub(super) employees: Option<i32>,
    /// Whole cents.
    pub(super) revenue_cents: Option<i64>,
    /// The key of its parent's name.
    pub(super) parent: Option<String>,
}

impl AccountRow {
    pub(super) fn to_account(&self, parent_id: String) -> pb::Account {
        pb::Account {
            name: self.name.clone(),
            industry: self.industry.clone(),
            country: self.country.clone(),
            founded_year: self.founded_year,
            employees: self.employees,
            annual_revenue: self.revenue_cents.map(dollars),
            parent_id,
            ..Default::default()
        }
    }
}

/// Reads the file. Rows that cannot be understood are refused in the report; a folder without it is an error.
pub(super) fn read(folder: &Path, report: &mut Report) -> Result<Vec<AccountRow>, Failure> {
    let missing = || Failure::Usage(format!("{} is not there", folder.join(FILE).display()));
    Ok(rows(LAYOUT.read(folder, report)?.ok_or_else(missing)?, report))
}

fn rows(cells: Vec<Cells<7>>, report: &mut Report) -> Vec<AccountRow> {
    let (mut rows, mut names) = (Vec::new(), HashSet::new());
    for cells in cells {
        match parse(cells, report) {
            Some(row) if !names.insert(row.key.clone()) => {
                report.refuse(FILE, row.line, "account", "an earlier row has the same name");
            }
            Some(row) => rows.push(row),
            None => {}
        }
    }
    rows
}

fn parse((line, cells): Cells<7>, report: &mut Report) -> Option<AccountRow> {
    let [name, sector, year, revenue, employees, country, parent] = cells;
    if name.is_empty() {
        report.refuse(FILE, line, "account", "a name is required");
        return None;
    }
    let refused_before = report.refused.len();
    let row = AccountRow {
        line,
        key: text_key(&name),
        name,
        industry: repair::spelling("industry_spelling", sector.to_lowercase(), report),
        country: repair::spelling("country_spelling", country, report),
        founded_year: whole(&year, "year_established", line, report),
        employees: whole(&employees, "employees", line, report),
        revenue_cents: millions(&revenue, line, report),
        parent: (!parent.is_empty()).then(|| text_key(&parent)),
    };
    (report.refused.len() == refused_before).then_some(row)
}

fn whole(text: &str, field: &'static str, line: u64, report: &mut Report) -> Option<i32> {
    if text.is_empty() {
        return None;
    }
    let parsed = text.parse().ok();
    if parsed.is_none() {
        report.refuse(FILE, line, field, format!("{text:?} is not a whole number"));
    }
    parsed
}

/// Millions of dollars with up to eight decimals, in cents; exact, without floating point.
fn millions(text: &str, line: u64, report: &mut Report) -> Option<i64> {
    if text.is_empty() {
        return None;
    }
    let parsed = cents(text, 6);
    if parsed.is_none() {
        report.refuse(FILE, line, "revenue", format!("{text:?} is not a number of millions with up to 8 decimals"));
    }
    parsed
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows_of(text: &str, report: &mut Report) -> Vec<AccountRow> {
        let text = format!("{}\r\n{text}", LAYOUT.columns.join(","));
        rows(LAYOUT.rows(text.as_bytes(), report).unwrap(), report)
    }

    fn report(text: &str) -> Report {
        let mut report = Report::default();
        rows_of(text, &mut report);
        report
    }

    #[test]
    fn a_row_with_two_faults_is_one_row() {
        let report = report("Acme,retail,old,1.5,many,Norway,\r\nBest,retail,1990,1.5,x,Norway,\r\n");
        assert_eq!((report.read, report.refused.len(), report.refused_rows()), (2, 3, 2));
    }

    fn refused(text: &str) -> Vec<(u64, String)> {
        report(text).refused.into_iter().map(|refused| (refused.row, refused.reason)).collect()
    }

    #[test]
    fn a_row_with_cells_too_few_or_too_many_is_refused_instead_of_cut() {
        assert_eq!(refused("Acme,retail,1990,1.5,7,Norway,\r\n"), []);
        let text = "Acme,retail\r\nBest,retail,1990,1.5,7,Norway,,more\r\n";
        assert_eq!(refused(text), [(2, "has 2 cells, not 7".to_owned()), (3, "has 8 cells, not 7".to_owned())]);
        assert_eq!(refused("\"Unclosed,retail\r\nnext,row\r\n"), [(2, "has 1 cells, not 7".to_owned())]);
    }

    #[test]
    fn lines_are_counted_as_an_editor_counts_them() {
        let text = "Acme,retail,1990,1.5,7,Norway,\r\nBest,\"two\r\nlines\",x,1.5,7,Norway,\r\n,,,,,,\r\n";
        let lines: Vec<u64> = refused(text).into_iter().map(|(line, _)| line).collect();
        assert_eq!(lines, [3, 5]);
    }

    #[test]
    fn names_are_compared_by_what_shows_and_sent_as_they_are_written() {
        let twins = "Re\u{301}ne,retail,1990,1.5,7,Norway,\n R\u{e9}ne ,retail,1990,1.5,7,Norway,\n\
            Two  Words,retail,1990,1.5,7,Norway,\nTwo\u{a0}Words,retail,1990,1.5,7,Norway,\n\
            Acme,retail,1990,1.5,7,Norway,\n\u{feff}Ac\u{200b}me,retail,1990,1.5,7,Norway,\n";
        let same = |line| (line, "an earlier row has the same name".to_owned());
        assert_eq!(refused(twins), [same(3), same(5), same(7)]);
        let rows = rows_of("Re\u{301}ne,retail,1990,1.5,7,Norway,R\u{e9}ne\n", &mut Report::default());
        assert_eq!((rows[0].name.as_str(), rows[0].parent.as_ref()), ("Re\u{301}ne", Some(&rows[0].key)));
        let others = ["Acme", "ACME", "\u{ff21}\u{ff23}\u{ff2d}\u{ff25}", "Acme.", "Stra\u{df}e", "Strasse"];
        let rows: Vec<String> = others.map(|name| format!("{name},retail,1990,1.5,7,Norway,")).into();
        assert_eq!(refused(&rows.join("\n")), []);
    }
}
