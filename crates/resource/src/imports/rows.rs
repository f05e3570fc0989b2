//! Rows of a piece of text, as spreadsheets count them.

use csv_core::{ReadRecordResult, Reader, ReaderBuilder};

/// The longest row, in bytes. A quotation mark that is never closed makes one of all that follows.
pub(super) const LONGEST_ROW: usize = 2 << 20;
/// Most cells of a row.
const MOST_CELLS: usize = 1_000;

/// A row of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Row {
    /// The first is 1.
    pub(super) number: i64,
    pub(super) cells: Vec<Cell>,
}

/// What stands in a cell, if it could be read in the encoding.
pub(super) type Cell = Result<String, Unreadable>;

/// It could not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unreadable;

impl Row {
    /// Whether nothing stands in it.
    pub(super) fn is_blank(&self) -> bool {
        self.cells.iter().all(|cell| cell.as_ref().is_ok_and(|text| crm_values::kept(text).is_empty()))
    }
}

/// Reads row by row. What is cut off at the end of a piece is none, unless the file ends there.
pub(super) struct Rows<'t> {
    text: &'t [u8],
    is_last: bool,
    reader: Reader,
    /// Where the next row begins in the text.
    pub(super) at: usize,
    /// The number of the row before that.
    pub(super) number: i64,
    output: Vec<u8>,
    ends: Vec<usize>,
}

impl<'t> Rows<'t> {
    /// Of a piece that begins behind the row of this number, and with which the file ends or not.
    pub(super) fn new(text: &'t [u8], is_last: bool, separator: u8, number: i64) -> Self {
        let reader = ReaderBuilder::new().delimiter(separator).build();
        Self { text, is_last, reader, at: 0, number, output: vec![0; 16 << 10], ends: vec![0; 256] }
    }

    /// Whether the file has been read.
    pub(super) fn is_at_end(&self) -> bool {
        self.is_last && self.at >= self.text.len()
    }

    /// Lines without anything are rows of a spreadsheet, too.
    fn skip_empty_lines(&mut self) {
        while let Some(length) = line_end(&self.text[self.at..]) {
            // The second half of a line's end may be cut off.
            if self.at + length == self.text.len() && !self.is_last {
                return;
            }
            self.at += length;
            self.number += 1;
        }
    }

    fn row(&self, cells: usize) -> Row {
        let starts = std::iter::once(&0).chain(&self.ends);
        let cells = starts.zip(&self.ends).take(cells).map(|(start, end)| {
            let text = std::str::from_utf8(&self.output[*start..*end]).map_err(|_| Unreadable)?;
            if text.contains(super::encoding::UNREADABLE) { Err(Unreadable) } else { Ok(text.to_owned()) }
        });
        Row { number: self.number, cells: cells.collect() }
    }
}

impl Iterator for Rows<'_> {
    type Item = Row;

    fn next(&mut self) -> Option<Row> {
        let cells = self.advance()?;
        Some(self.row(cells.min(MOST_CELLS)))
    }
}

impl Rows<'_> {
    /// Goes to the end of the next row, if it is whole: so many cells.
    pub(super) fn advance(&mut self) -> Option<usize> {
        self.skip_empty_lines();
        self.reader.reset();
        let (mut input, mut written, mut cells) = (self.at, 0, 0);
        loop {
            let (rest, output) = (&self.text[input..], &mut self.output[written..]);
            let (result, read, wrote, ended) = self.reader.read_record(rest, output, &mut self.ends[cells..]);
            (input, written, cells) = (input + read, written + wrote, cells + ended);
            match result {
                ReadRecordResult::OutputFull => self.output.resize(2 * self.output.len(), 0),
                ReadRecordResult::OutputEndsFull => self.ends.resize(2 * self.ends.len(), 0),
                // At the end of the file once more, without input: that ends the row.
                ReadRecordResult::InputEmpty if self.is_last => {}
                ReadRecordResult::InputEmpty | ReadRecordResult::End => return None,
                ReadRecordResult::Record => break,
            }
        }
        let ended_by_return = self.text.get(input.wrapping_sub(1)) == Some(&b'\r');
        if ended_by_return && input == self.text.len() && !self.is_last {
            return None;
        }
        let line_feed = ended_by_return && self.text.get(input) == Some(&b'\n');
        self.at = input + usize::from(line_feed);
        self.number += 1;
        Some(cells)
    }
}

/// The length of the line's end that a text begins with.
fn line_end(text: &[u8]) -> Option<usize> {
    match text {
        [b'\r', b'\n', ..] => Some(2),
        [b'\r' | b'\n', ..] => Some(1),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str, separator: u8) -> Vec<(i64, Vec<String>)> {
        let rows = Rows::new(text.as_bytes(), true, separator, 0);
        rows.map(|row| (row.number, row.cells.into_iter().map(Result::unwrap).collect())).collect()
    }

    #[test]
    fn rows_are_counted_as_spreadsheets_do() {
        let check = |text: &str, expected: &[(i64, &[&str])]| {
            let expected: Vec<(i64, Vec<String>)> = expected
                .iter()
                .map(|(number, cells)| (*number, cells.iter().map(|cell| (*cell).to_owned()).collect()))
                .collect();
            assert_eq!(read(text, b','), expected, "{text:?}");
        };
        check("a,b\r\nc,d\r\n", &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a,b\nc,d", &[(1, &["a", "b"]), (2, &["c", "d"])]);
        check("a\rb\r\rc\r", &[(1, &["a"]), (2, &["b"]), (4, &["c"])]);
        check("\r\n\r\na\r\n\r\nb", &[(3, &["a"]), (5, &["b"])]);
        check("a,\"1\n2\r\n3\"\nb,\"say \"\"no\"\"\"\n", &[(1, &["a", "1\n2\r\n3"]), (2, &["b", "say \"no\""])]);
        check(",\n\"\"\nx", &[(1, &["", ""]), (2, &[""]), (3, &["x"])]);
        check("5\" pipe,x\n", &[(1, &["5\" pipe", "x"])]);
        check("a,\"open\nb,c\n", &[(1, &["a", "open\nb,c\n"])]);
        check("\u{feff}a\n\u{feff}b", &[(1, &["a"]), (2, &["b"])]);
        check("a\0b,\0\n", &[(1, &["a\0b", "\0"])]);
        check("", &[]);
        check("\n\n", &[]);
    }

    #[test]
    fn a_file_may_be_cut_anywhere() {
        let text = "a;b\r\n\r\n\"c\r\nd\";\"e\"\"f\"\rg;h\n\n\ni;j\r\n";
        let whole = read(text, b';');
        for cut in 0..text.len() {
            let mut one = Rows::new(&text.as_bytes()[..cut], false, b';', 0);
            let mut rows: Vec<Row> = one.by_ref().collect();
            let mut other = Rows::new(&text.as_bytes()[one.at..], true, b';', one.number);
            rows.extend(other.by_ref());
            let rows: Vec<_> = rows
                .into_iter()
                .map(|row| (row.number, row.cells.into_iter().map(Result::unwrap).collect::<Vec<_>>()))
                .collect();
            assert_eq!(rows, whole, "cut at {cut}");
            assert!(other.is_at_end());
        }
    }

    #[test]
    fn long_rows_and_what_is_in_no_encoding_are_rows() {
        let long = format!("{},{}\n", "x".repeat(1 << 20), "y,".repeat(2_000));
        let rows = read(&long, b',');
        assert_eq!((rows[0].1[0].len(), rows[0].1.len()), (1 << 20, MOST_CELLS));
        let mut rows = Rows::new(b"a,M\xfcller\nb,c\xef\xbf\xbd\n", true, b',', 4);
        assert_eq!(rows.next().unwrap(), Row { number: 5, cells: vec![Ok("a".to_owned()), Err(Unreadable)] });
        assert_eq!(rows.next().unwrap().cells[1], Err(Unreadable));
    }
}
