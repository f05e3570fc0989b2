//! Cells that a spreadsheet would take for formulas.
//!
//! Whoever opens a table runs what stands in it: `=HYPERLINK(…)` in the name of a contact sends their other cells away. What
//! could be run has an apostrophe before it, by which spreadsheets know a text, and which is taken away where a table is
//! read. A number is none of these: phones, amounts and lists of them stay what they are for every other program.

use std::borrow::Cow;

const MARK: char = '\'';
/// With those of full width, which some spreadsheets take for the others.
const BEGINNINGS: [char; 10] = ['=', '+', '-', '@', '\t', '\r', '\u{ff1d}', '\u{ff0b}', '\u{ff0d}', '\u{ff20}'];

/// The cell as it is written.
pub fn guarded(cell: &str) -> Cow<'_, str> {
    if needs_mark(cell) { format!("{MARK}{cell}").into() } else { cell.into() }
}

/// The cell as it was before it was guarded; one that never was stays as it is.
pub fn unguarded(cell: &str) -> &str {
    cell.strip_prefix(MARK).filter(|rest| needs_mark(rest)).unwrap_or(cell)
}

/// Marks that stand there already are counted among the text, so that none is taken away that was not put there.
fn needs_mark(cell: &str) -> bool {
    let text = cell.trim_start_matches(MARK);
    let is_marked = text.len() < cell.len();
    text.starts_with(BEGINNINGS) && (is_marked || !is_number(text))
}

/// Nothing that could be called, or point to another cell: a number, or several in a list.
fn is_number(text: &str) -> bool {
    text.starts_with(['+', '-']) && text.chars().all(|c| c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | ';'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_are_marked_and_numbers_are_not() {
        for (cell, written) in [
            ("=1+1", "'=1+1"),
            ("=HYPERLINK(\"http://x.example\")", "'=HYPERLINK(\"http://x.example\")"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("+cmd|' /C calc'!A0", "'+cmd|' /C calc'!A0"),
            ("-2+3+A1", "'-2+3+A1"),
            ("\t=1", "'\t=1"),
            ("\u{ff1d}1", "'\u{ff1d}1"),
            ("+4930123456", "+4930123456"),
            ("+4930123456;+14155550123", "+4930123456;+14155550123"),
            ("-12.50", "-12.50"),
            ("Acme", "Acme"),
            ("a=b", "a=b"),
            ("'t Hoen", "'t Hoen"),
            ("'=1", "''=1"),
            ("'+49", "''+49"),
            ("", ""),
        ] {
            assert_eq!(guarded(cell), written);
            assert_eq!(unguarded(written), cell, "{written}");
        }
    }

    #[test]
    fn what_nobody_guarded_stays() {
        for cell in ["'t Hoen", "'", "''", "'Acme'", "=1", "+49", "'+49 is a prefix of Germany"] {
            let read = unguarded(cell);
            assert!(read == cell || guarded(read) == cell, "{cell}: {read}");
        }
    }
}
