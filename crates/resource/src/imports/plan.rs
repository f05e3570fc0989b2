//! How a file is read: as somebody has said, or as it was recognised by its beginning.

use crm_proto::imports::ImportSettings;
use crm_values::search_key;
use serde::{Deserialize, Serialize};

use super::any::AnySheet;
use super::encoding::Charset;
use super::rows::{Row, Rows};
use crate::attributes::Known;

/// What files are recognised by: their first bytes.
pub(super) const HEAD: usize = 256 << 10;
/// Rows that are looked at.
const SAMPLE: usize = 50;
/// Most columns.
const MOST_COLUMNS: usize = 200;
/// Between cells, the likeliest first.
const SEPARATORS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// How a file is read, and where its rows begin. Kept while an operation goes on.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) charset: String,
    pub(super) separator: u8,
    pub(super) has_header: bool,
    /// What each column is; empty for one that is ignored.
    pub(super) fields: Vec<String>,
    /// What each is called in the file.
    pub(super) headers: Vec<String>,
    /// Bytes before the first row, and the number of the row before it.
    pub(super) at: i64,
    pub(super) row: i64,
}

/// The beginning of a file.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) bytes: Vec<u8>,
    /// Whether it is the whole file.
    pub(super) is_whole: bool,
    /// Whether all of the file may be UTF-8.
    pub(super) is_utf8: bool,
}

impl Plan {
    /// And the first rows behind the header.
    pub(super) fn of(
        (sheet, defined): (&dyn AnySheet, &Known),
        head: &Head,
        settings: &ImportSettings,
    ) -> (Self, Vec<Row>) {
        let recognised = || Charset::recognise(&head.bytes, head.is_utf8);
        let charset = Charset::named(&settings.encoding).unwrap_or_else(recognised);
        let mark = charset.mark(&head.bytes);
        let piece = charset.read(head.bytes[mark..].to_vec());
        let said = said_separator(&piece.text);
        let separator =
            settings.separator.bytes().next().or(said).unwrap_or_else(|| separator(&piece.text, head.is_whole));
        let mut rows = Rows::new(&piece.text, head.is_whole, separator, 0);
        if said.is_some() {
            rows.advance();
        }
        let begins = (rows.at, rows.number);
        let mut sample: Vec<Row> = rows.by_ref().filter(|row| !row.is_blank()).take(SAMPLE + 1).collect();
        let has_header = settings.has_header.unwrap_or_else(|| is_header((sheet, defined), &sample));
        let (mut headers, mut begins) = (Vec::new(), begins);
        if has_header && !sample.is_empty() {
            let header = sample.remove(0);
            let mut rows = Rows::new(&piece.text, head.is_whole, separator, 0);
            while rows.number < header.number && rows.advance().is_some() {}
            begins = (rows.at, rows.number);
            headers = texts(&header).take(MOST_COLUMNS).map(str::to_owned).collect();
        }
        sample.truncate(SAMPLE);
        let columns =
            if has_header { headers.len() } else { sample.iter().map(|row| row.cells.len()).max().unwrap_or(0) };
        let fields = if settings.fields.is_empty() {
            guess((sheet, defined), &headers, &sample, columns.min(MOST_COLUMNS))
        } else {
            let mut fields = settings.fields.clone();
            fields.resize(columns.max(fields.len()), String::new());
            fields
        };
        let at = i64::try_from(mark + piece.bytes(begins.0)).unwrap_or_default();
        let plan = Self { charset: charset.name(), separator, has_header, fields, headers, at, row: begins.1 };
        (plan, sample)
    }

    pub(super) fn charset(&self) -> Option<Charset> {
        Charset::named(&self.charset)
    }

    /// As callers see it.
    pub(super) fn settings(&self) -> ImportSettings {
        ImportSettings {
            encoding: self.charset.clone(),
            separator: char::from(self.separator).to_string(),
            has_header: Some(self.has_header),
            fields: self.fields.clone(),
        }
    }

    /// What the file calls the column of a field; of `account_id`, which may be found by `account_name`, that one.
    pub(super) fn header(&self, field: &str) -> &str {
        let told = |known: &String| field.strip_suffix("id").is_some_and(|owner| known.starts_with(owner));
        let column = self.fields.iter().position(|known| known == field);
        let column = column.or_else(|| self.fields.iter().position(told));
        column.and_then(|column| self.headers.get(column)).map(String::as_str).unwrap_or_default()
    }
}

fn texts(row: &Row) -> impl Iterator<Item = &str> {
    row.cells.iter().map(|cell| cell.as_deref().unwrap_or_default().trim())
}

/// What a first line says that Excel understands: `sep=;`.
fn said_separator(text: &[u8]) -> Option<u8> {
    match text {
        [b's' | b'S', b'e' | b'E', b'p' | b'P', b'=', separator, b'\r' | b'\n', ..] => {
            SEPARATORS.contains(separator).then_some(*separator)
        }
        _ => None,
    }
}

/// The one by which most rows have as many cells as the first one, and more than one.
fn separator(text: &[u8], is_whole: bool) -> u8 {
    let fit = |separator: &u8| {
        let rows: Vec<usize> = Rows::new(text, is_whole, *separator, 0)
            .filter(|row| !row.is_blank())
            .take(SAMPLE)
            .map(|row| row.cells.len())
            .collect();
        let cells = rows.first().copied().unwrap_or_default();
        let alike = rows.iter().filter(|count| **count == cells).count();
        if cells < 2 { (0, 0) } else { (alike * 10 / rows.len().max(1), cells) }
    };
    let best = SEPARATORS.iter().rev().max_by_key(|separator| fit(separator));
    best.filter(|separator| fit(separator).1 > 1).copied().unwrap_or(SEPARATORS[0])
}

/// Whether the first row says what the columns are: it names one, or nothing in it is a value and something below is.
fn is_header((sheet, defined): (&dyn AnySheet, &Known), sample: &[Row]) -> bool {
    let Some(first) = sample.first() else { return false };
    let is_named = texts(first).any(|text| called(sheet, defined, text).is_some());
    let is_value = |text: &str| !text.is_empty() && sheet.field_that_looks_like(&[text]).is_some();
    is_named || (!texts(first).any(is_value) && sample[1..].iter().any(|row| texts(row).any(is_value)))
}

/// A header as it is compared: its key without blanks.
pub(super) fn squeezed(header: &str) -> String {
    search_key(&header.replace('_', " ")).replace(' ', "")
}

/// The same without the number behind it.
fn key(header: &str) -> String {
    squeezed(header).trim_end_matches(|last: char| last.is_ascii_digit()).to_owned()
}

/// The field whose columns are called so, with a number behind it or without.
fn called(sheet: &dyn AnySheet, defined: &Known, header: &str) -> Option<String> {
    let field = sheet.field_called(&squeezed(header), defined);
    field.or_else(|| sheet.field_called(&key(header), defined))
}

/// What each column may be: by its header, otherwise by what stands in it. Of a field that is no list, the first.
fn guess((sheet, defined): (&dyn AnySheet, &Known), headers: &[String], sample: &[Row], columns: usize) -> Vec<String> {
    let mut fields: Vec<String> = vec![String::new(); columns];
    let take = |column: usize, found: Option<String>, fields: &mut Vec<String>| {
        let Some(field) = found else { return };
        if fields[column].is_empty() && (sheet.is_list(&field) || !fields.contains(&field)) {
            fields[column] = field;
        }
    };
    for (column, header) in headers.iter().enumerate().take(columns) {
        take(column, called(sheet, defined, header), &mut fields);
    }
    for column in 0..columns {
        let values: Vec<&str> =
            sample.iter().filter_map(|row| texts(row).nth(column)).filter(|text| !text.is_empty()).collect();
        // What the header says is another thing is not taken for it.
        if !values.is_empty() {
            take(column, sheet.field_that_looks_like(&values).map(str::to_owned), &mut fields);
        }
    }
    fields
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn separators_are_those_by_which_rows_are_alike() {
        for (text, expected) in [
            ("a,b,c\n1,2,3\n", b','),
            ("name;revenue\nx;1,5\ny;2,5\n", b';'),
            ("a\tb, c\td\n1\t2\t3\n", b'\t'),
            ("a|b\n\"c;d\"|e\n", b'|'),
            ("\"a,b,c\";x\n\"d,e\";y\n", b';'),
            ("a\nb\n", b','),
            ("", b','),
        ] {
            assert_eq!(char::from(separator(text.as_bytes(), true)), char::from(expected), "{text:?}");
        }
        assert_eq!(said_separator(b"sep=;\r\na,b"), Some(b';'));
        assert_eq!(said_separator(b"sep=x\n"), None);
    }

    #[test]
    fn headers_are_compared_without_case_accents_and_numbers() {
        for (header, expected) in [
            ("E-Mail 2", "email"),
            ("family_name", "familyname"),
            (" Straße ", "strasse"),
            ("Téléphone", "telephone"),
            ("", ""),
        ] {
            assert_eq!(key(header), expected);
        }
    }
}
