//! `accounts.csv`: its columns, its values, and what an account is made of.

use std::collections::HashSet;
use std::path::Path;

use crm_proto::{customers as pb, google::r#type::Money};
use crm_values::text_key;
use csv::StringRecord;

use super::repair;
use super::report::Report;
use crate::failure::Failure;

pub(super) const FILE: &str = "accounts.csv";
const COLUMNS: [&str; 7] =
    ["account", "sector", "year_established", "revenue", "employees", "office_location", "subsidiary_of"];

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

fn dollars(cents: i64) -> Money {
    let nanos = i32::try_from(cents % 100 * 10_000_000).unwrap_or_default();
    Money { currency_code: "USD".into(), units: cents / 100, nanos }
}

/// Reads the file. Rows that cannot be understood are refused in the report; a file without its columns is an error.
pub(super) fn read(path: &Path, report: &mut Report) -> Result<Vec<AccountRow>, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
    let bytes = std::fs::read(path).map_err(|error| usage(&error))?;
    rows(&unix_lines(&bytes), report).map_err(|error| usage(&error))
}

/// Without the carriage returns at line ends, behind which the reader counts lines one too low.
fn unix_lines(bytes: &[u8]) -> Vec<u8> {
    let is_kept = |at: usize| bytes[at] != b'\r' || bytes.get(at + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|at| is_kept(*at)).map(|at| bytes[at]).collect()
}

fn rows(bytes: &[u8], report: &mut Report) -> Result<Vec<AccountRow>, String> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|error| error.to_string())?;
    let (positions, cells) = (columns(header)?, header.len());

    let (mut rows, mut names) = (Vec::new(), HashSet::new());
    for record in reader.records() {
        report.read += 1;
        match record {
            Ok(record) if record.len() != cells => {
                report.refuse(FILE, line_of(record.position()), "", format!("has {} cells, not {cells}", record.len()));
            }
            Ok(record) => match parse(&record, &positions, report) {
                Some(row) if !names.insert(row.key.clone()) => {
                    report.refuse(FILE, row.line, "account", "an earlier row has the same name");
                }
                Some(row) => rows.push(row),
                None => {}
            },
            Err(error) => report.refuse(FILE, line_of(error.position()), "", error.to_string()),
        }
    }
    Ok(rows)
}

fn line_of(position: Option<&csv::Position>) -> u64 {
    position.map_or(0, csv::Position::line)
}

/// Where each column stands; a byte-order mark before the first name is passed over.
fn columns(header: &StringRecord) -> Result<[usize; 7], String> {
    let mut positions = [0; 7];
    for (position, column) in positions.iter_mut().zip(COLUMNS) {
        *position = header
            .iter()
            .position(|name| name.trim_start_matches('\u{feff}').trim() == column)
            .ok_or_else(|| format!("column {column} is missing"))?;
    }
    Ok(positions)
}

fn parse(record: &StringRecord, positions: &[usize; 7], report: &mut Report) -> Option<AccountRow> {
    let line = line_of(record.position());
    let [name, sector, year, revenue, employees, country, parent] =
        positions.map(|position| repair::blanks(record.get(position).unwrap_or_default(), report));
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
    let parsed = cents_of_millions(text);
    if parsed.is_none() {
        report.refuse(FILE, line, "revenue", format!("{text:?} is not a number of millions with up to 8 decimals"));
    }
    parsed
}

fn cents_of_millions(text: &str) -> Option<i64> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !digits(whole) || !digits(decimals) || decimals.len() > 8 {
        return None;
    }
    let decimals: i64 = format!("{decimals:0<8}").parse().ok()?;
    whole.parse::<i64>().ok()?.checked_mul(100_000_000)?.checked_add(decimals)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn millions_become_exact_cents() {
        for (text, cents) in [
            ("1100.04", Some(110_004_000_000)),
            ("4.54", Some(454_000_000)),
            ("4618", Some(461_800_000_000)),
            ("0.00000001", Some(1)),
            ("0.000000001", None),
            ("-1", None),
            ("1e3", None),
            ("", None),
            (".", None),
            ("99999999999999", None),
        ] {
            assert_eq!(cents_of_millions(text), cents, "{text}");
        }
    }

    fn report(text: &str) -> Report {
        let mut report = Report::default();
        let header = COLUMNS.join(",");
        rows(&unix_lines(format!("{header}\r\n{text}").as_bytes()), &mut report).unwrap();
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
        let text = format!("{}\nRe\u{301}ne,retail,1990,1.5,7,Norway,R\u{e9}ne\n", COLUMNS.join(","));
        let rows = rows(text.as_bytes(), &mut Report::default()).unwrap();
        assert_eq!((rows[0].name.as_str(), rows[0].parent.as_ref()), ("Re\u{301}ne", Some(&rows[0].key)));
        let others = ["Acme", "ACME", "\u{ff21}\u{ff23}\u{ff2d}\u{ff25}", "Acme.", "Stra\u{df}e", "Strasse"];
        let rows: Vec<String> = others.map(|name| format!("{name},retail,1990,1.5,7,Norway,")).into();
        assert_eq!(refused(&rows.join("\n")), []);
    }

    #[test]
    fn cents_become_units_and_nanos() {
        let money = dollars(454_000_012);
        assert_eq!((money.units, money.nanos), (4_540_000, 120_000_000));
    }
}
