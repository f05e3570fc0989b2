//! `sales_pipeline.csv`: one row an opportunity, as far as the row itself tells.

use std::collections::HashSet;
use std::path::Path;

use super::report::Report;
use super::table::{Cells, Layout};
use super::values::{cents, date, quarter};
use super::{names, repair};
use crate::failure::Failure;

pub(super) const FILE: &str = "sales_pipeline.csv";
/// The quarters are the dates' once more.
const LAYOUT: Layout<10> = Layout {
    file: FILE,
    columns: [
        "opportunity_id",
        "sales_agent",
        "product",
        "account",
        "deal_stage",
        "engage_date",
        "close_date",
        "close_value",
        "engage_quarter",
        "close_quarter",
    ],
    optional: 2,
};

/// Where a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stage {
    Prospecting,
    Engaging,
    Won,
    Lost,
}

impl Stage {
    pub(super) const ALL: [Self; 4] = [Self::Prospecting, Self::Engaging, Self::Won, Self::Lost];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Prospecting => "Prospecting",
            Self::Engaging => "Engaging",
            Self::Won => "Won",
            Self::Lost => "Lost",
        }
    }

    fn is_decided(self) -> bool {
        matches!(self, Self::Won | Self::Lost)
    }
}

/// One row, repaired. Texts are empty where the file says nothing.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct DealRow {
    pub(super) line: u64,
    /// Its own id, one word.
    pub(super) id: String,
    pub(super) agent: String,
    pub(super) product: String,
    pub(super) account: String,
    pub(super) stage: Stage,
    pub(super) engage_date: String,
    pub(super) close_date: String,
    /// Whole cents.
    pub(super) value_cents: Option<i64>,
}

/// The rows of the file, and the ids of all of them, refused ones included.
#[derive(Debug, Default)]
pub(super) struct Deals {
    pub(super) rows: Vec<DealRow>,
    pub(super) ids: HashSet<String>,
}

/// Reads the file, if it is there.
pub(super) fn read(folder: &Path, report: &mut Report) -> Result<Option<Deals>, Failure> {
    Ok(LAYOUT.read(folder, report)?.map(|cells| deals(cells, report)))
}

fn deals(cells: Vec<Cells<10>>, report: &mut Report) -> Deals {
    let mut deals = Deals::default();
    for cells in cells {
        let (line, id) = (cells.0, cells.1[0].clone());
        if id.is_empty() || id.contains(' ') {
            report.refuse(FILE, line, "opportunity_id", "must be one word");
        } else if !deals.ids.insert(id) {
            report.refuse(FILE, line, "opportunity_id", "an earlier row has the same id");
        } else {
            deals.rows.extend(parse(cells, report));
        }
    }
    deals
}

/// A row, unless something in it is refused: all that is wrong with it is told at once.
fn parse((line, cells): Cells<10>, report: &mut Report) -> Option<DealRow> {
    let [id, agent, product, account, stage, engaged, closed, value, engage_quarter, close_quarter] = cells;
    let refused_before = report.refused.len();
    for (field, value) in [("sales_agent", &agent), ("product", &product)] {
        if value.is_empty() {
            report.refuse(FILE, line, field, "is required");
        }
    }
    let engage_date = read_date(&engaged, &engage_quarter, ("engage_date", line), report);
    let close_date = read_date(&closed, &close_quarter, ("close_date", line), report);
    let value_cents = read_value(&value, line, report);
    let stage = read_stage(&stage, line, report)?;
    if stage.is_decided() && closed.is_empty() {
        report.refuse(FILE, line, "close_date", format!("is required where the stage is {}", stage.name()));
    }
    if stage == Stage::Won && value.is_empty() {
        report.refuse(FILE, line, "close_value", "is required where the stage is Won");
    }
    if !engage_date.is_empty() && !close_date.is_empty() && close_date < engage_date {
        report.refuse(FILE, line, "close_date", format!("{close_date} is before the engage_date, {engage_date}"));
    }
    let row = DealRow { line, id, agent, product, account, stage, engage_date, close_date, value_cents };
    (report.refused.len() == refused_before).then_some(row)
}

fn read_stage(text: &str, line: u64, report: &mut Report) -> Option<Stage> {
    let key = names::loose_key(text);
    let Some(stage) = Stage::ALL.into_iter().find(|stage| names::loose_key(stage.name()) == key) else {
        report.refuse(FILE, line, "deal_stage", format!("{text:?} is none of Prospecting, Engaging, Won, Lost"));
        return None;
    };
    if stage.name() != text {
        report.repaired(repair::STAGE_SPELLING);
    }
    Some(stage)
}

/// The date; empty where there is none. A quarter that contradicts it gives way: it was made from a date once.
fn read_date(text: &str, said: &str, (field, line): (&'static str, u64), report: &mut Report) -> String {
    if text.is_empty() {
        return String::new();
    }
    let Some(date) = date(text, report) else {
        report.refuse(FILE, line, field, format!("{text:?} is not a date such as 31-12-17 or 2017-12-31"));
        return String::new();
    };
    if !said.is_empty() && quarter(&date).as_deref() != Some(said) {
        report.repaired(repair::QUARTER_OF_DATE);
    }
    date
}

fn read_value(text: &str, line: u64, report: &mut Report) -> Option<i64> {
    let value = cents(text, 0);
    if value.is_none() && !text.is_empty() {
        report.refuse(FILE, line, "close_value", format!("{text:?} is not an amount with up to 2 decimals"));
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = "1C1I7A6R,Ada,GTX Pro,Acme,Won,20-10-16,01-03-17,1054,Q4 2016,Q1 2017";

    fn read(rows: &[&str]) -> (Deals, Report) {
        let mut report = Report::default();
        let text = format!("{}\n{}\n", LAYOUT.columns.join(","), rows.join("\n"));
        let deals = deals(LAYOUT.rows(text.as_bytes(), &mut report).unwrap(), &mut report);
        (deals, report)
    }

    #[test]
    fn a_row_says_what_stands_in_it() {
        let (deals, report) = read(&[GOOD, "A,Ada,GTXPro,, prospecting ,,,,,"]);
        let won = &deals.rows[0];
        assert_eq!((won.line, won.id.as_str(), won.stage, won.value_cents), (2, "1C1I7A6R", Stage::Won, Some(105_400)));
        assert_eq!((won.engage_date.as_str(), won.close_date.as_str()), ("2016-10-20", "2017-03-01"));
        let open = &deals.rows[1];
        assert_eq!((open.product.as_str(), open.stage, open.value_cents), ("GTXPro", Stage::Prospecting, None));
        assert!([&open.account, &open.engage_date, &open.close_date].iter().all(|text| text.is_empty()));
        assert_eq!(report.repaired, [("blanks", 1), ("date_form", 2), ("stage_spelling", 1)].into());
        assert!(report.refused.is_empty());
    }

    #[test]
    fn what_cannot_be_meant_is_refused_with_its_field() {
        for (row, fields) in [
            (",Ada,GTX Pro,Acme,Won,20-10-16,01-03-17,1054,,", &["opportunity_id"][..]),
            ("two words,Ada,GTX Pro,Acme,Won,20-10-16,01-03-17,1054,,", &["opportunity_id"]),
            ("A,,GTX Pro,Acme,Won,20-10-16,01-03-17,1054,,", &["sales_agent"]),
            ("A,Ada,,Acme,Won,20-10-16,01-03-17,1054,,", &["product"]),
            ("A,Ada,GTX Pro,Acme,Sold,20-10-16,01-03-17,1054,,", &["deal_stage"]),
            ("A,Ada,GTX Pro,Acme,Won,31-02-17,32-03-17,1054,,", &["engage_date", "close_date"]),
            ("A,Ada,GTX Pro,Acme,Won,20-10-16,,1054,,", &["close_date"]),
            ("A,Ada,GTX Pro,Acme,Lost,20-10-16,,0,,", &["close_date"]),
            ("A,Ada,GTX Pro,Acme,Won,20-10-16,01-03-17,,,", &["close_value"]),
            ("A,Ada,GTX Pro,Acme,Won,20-10-16,01-03-17,$5,,", &["close_value"]),
            ("A,Ada,GTX Pro,Acme,Lost,02-03-17,01-03-17,0,,", &["close_date"]),
            ("1C1I7A6R,Eve,GTX Pro,Acme,Lost,01-03-17,01-03-17,0,,", &["opportunity_id"]),
        ] {
            let (deals, report) = read(&[GOOD, row]);
            let refused: Vec<_> = report.refused.iter().map(|it| it.field).collect();
            assert_eq!((refused.as_slice(), deals.rows.len(), report.refused_rows()), (fields, 1, 1), "{row}");
            assert!(report.refused.iter().all(|it| it.row == 3 && it.file == FILE));
        }
    }

    #[test]
    fn quarters_follow_from_dates_and_need_not_be_there() {
        let (deals, report) = read(&["A,Ada,GTX Pro,Acme,Won,20-10-16,01-03-17,1,Q3 2016,Q1 2017"]);
        assert_eq!((deals.rows[0].engage_date.as_str(), report.repaired["quarter_of_date"]), ("2016-10-20", 1));
        let mut report = Report::default();
        let text = format!("{}\nA,Ada,GTX Pro,Acme,Won,2016-10-20,2017-03-01,1\n", LAYOUT.columns[..8].join(","));
        assert_eq!(deals_of(&text, &mut report).rows.len(), 1);
        assert!(report.repaired.is_empty());
    }

    fn deals_of(text: &str, report: &mut Report) -> Deals {
        deals(LAYOUT.rows(text.as_bytes(), report).unwrap(), report)
    }
}
