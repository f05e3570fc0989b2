//! A file of the data set: its columns by their names, its rows by their lines.

use std::io::ErrorKind;
use std::path::Path;

use csv::StringRecord;

use super::repair;
use super::report::Report;
use crate::failure::Failure;

/// Which columns a file has, and how many of them, the last ones, may be missing.
#[derive(Debug)]
pub(super) struct Layout<const N: usize> {
    pub(super) file: &'static str,
    pub(super) columns: [&'static str; N],
    pub(super) optional: usize,
}

/// A row's line and its cells in the order of the layout, blanks repaired; a column that is missing is empty.
pub(super) type Cells<const N: usize> = (u64, [String; N]);

impl<const N: usize> Layout<N> {
    /// Reads the file of a folder; nothing, if it has none. Rows that have not as many cells as the header are refused in the
    /// report; a file without its columns is an error.
    pub(super) fn read(&self, folder: &Path, report: &mut Report) -> Result<Option<Vec<Cells<N>>>, Failure> {
        let path = folder.join(self.file);
        let usage = |error: &dyn std::fmt::Display| Failure::Usage(format!("{}: {error}", path.display()));
        match std::fs::read(&path) {
            Ok(bytes) => self.rows(&bytes, report).map(Some).map_err(|error| usage(&error)),
            Err(error) if error.kind() == ErrorKind::NotFound && folder.is_dir() => Ok(None),
            Err(error) => Err(usage(&error)),
        }
    }

    pub(super) fn rows(&self, bytes: &[u8], report: &mut Report) -> Result<Vec<Cells<N>>, String> {
        let bytes = unix_lines(bytes);
        let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(bytes.as_slice());
        let header = reader.headers().map_err(|error| error.to_string())?;
        let (positions, cells) = (self.positions(header)?, header.len());
        let mut rows = Vec::new();
        for record in reader.records() {
            report.read += 1;
            match record {
                Ok(record) if record.len() != cells => {
                    let reason = format!("has {} cells, not {cells}", record.len());
                    report.refuse(self.file, line_of(record.position()), "", reason);
                }
                Ok(record) => rows.push((line_of(record.position()), cells_of(&record, &positions, report))),
                Err(error) => report.refuse(self.file, line_of(error.position()), "", error.to_string()),
            }
        }
        Ok(rows)
    }

    /// Where each column stands; a byte-order mark before the first name is passed over.
    fn positions(&self, header: &StringRecord) -> Result<[Option<usize>; N], String> {
        let mut positions = [None; N];
        for (index, (position, column)) in positions.iter_mut().zip(self.columns).enumerate() {
            *position = header.iter().position(|name| name.trim_start_matches('\u{feff}').trim() == column);
            if position.is_none() && index + self.optional < N {
                return Err(format!("column {column} is missing"));
            }
        }
        Ok(positions)
    }
}

fn cells_of<const N: usize>(record: &StringRecord, positions: &[Option<usize>; N], report: &mut Report) -> [String; N] {
    let cell = |position: Option<usize>| position.and_then(|position| record.get(position)).unwrap_or_default();
    positions.map(|position| repair::blanks(cell(position), report))
}

/// Without the carriage returns at line ends, behind which the reader counts lines one too low.
fn unix_lines(bytes: &[u8]) -> Vec<u8> {
    let is_kept = |at: usize| bytes[at] != b'\r' || bytes.get(at + 1) != Some(&b'\n');
    (0..bytes.len()).filter(|at| is_kept(*at)).map(|at| bytes[at]).collect()
}

fn line_of(position: Option<&csv::Position>) -> u64 {
    position.map_or(0, csv::Position::line)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAYOUT: Layout<3> = Layout { file: "some.csv", columns: ["a", "b", "c"], optional: 1 };

    #[test]
    fn columns_are_found_by_name_and_the_last_may_be_missing() {
        let read = |text: &str| LAYOUT.rows(text.as_bytes(), &mut Report::default());
        let cells = |[a, b, c]: [&str; 3]| Ok(vec![(2, [a.to_owned(), b.to_owned(), c.to_owned()])]);
        assert_eq!(read("c,a,x,b\n3,1,?,2\n"), cells(["1", "2", "3"]));
        assert_eq!(read("\u{feff}a, b\r\n1,2\r\n"), cells(["1", "2", ""]));
        assert_eq!(read("a,c\n1,3\n"), Err("column b is missing".to_owned()));
    }

    #[test]
    fn a_file_that_is_not_there_is_nothing_and_a_folder_that_is_not_there_is_an_error() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("data");
        assert!(LAYOUT.read(&folder, &mut Report::default()).unwrap().is_none());
        assert!(LAYOUT.read(&folder.join("none"), &mut Report::default()).is_err());
    }
}
