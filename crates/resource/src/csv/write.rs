//! Tables as they are written: CSV as RFC 4180 has it, in UTF-8.

use super::Column;
use super::cells::guarded;

/// The first line: what the columns are called.
pub(super) fn head<M>(columns: &[Column<M>], beside: &[String]) -> String {
    let mut text = String::new();
    end_line(&mut text, columns.iter().map(|column| column.name).chain(beside.iter().map(String::as_str)));
    text
}

/// Adds the row of a message, with what stands beside its columns.
pub(super) fn row<M>(text: &mut String, columns: &[Column<M>], message: &mut M, beside: Vec<String>) {
    let cells: Vec<String> = columns.iter().map(|column| column.show(message)).chain(beside).collect();
    end_line(text, cells.iter().map(|cell| guarded(cell)));
}

fn end_line(text: &mut String, cells: impl Iterator<Item = impl AsRef<str>>) {
    for (number, cell) in cells.enumerate() {
        if number > 0 {
            text.push(',');
        }
        push(text, cell.as_ref());
    }
    text.push_str("\r\n");
}

/// In quotes where it would be read as something else, or be trimmed.
fn push(text: &mut String, cell: &str) {
    let is_plain = !cell.contains(['"', ',', ';', '\r', '\n']) && cell.trim() == cell;
    if is_plain {
        return text.push_str(cell);
    }
    text.push('"');
    text.push_str(&cell.replace('"', "\"\""));
    text.push('"');
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_are_quoted_where_they_would_be_read_as_something_else() {
        const COLUMNS: &[Column<String>] =
            &[Column::text("one", |it| it), Column::told("two", |_| "a;b".to_owned()), Column::text("three", |it| it)];
        assert_eq!(head(COLUMNS, &["=x".to_owned()]), "one,two,three,=x\r\n");
        for (cell, written) in [
            ("plain", "plain"),
            ("", ""),
            ("a,b", "\"a,b\""),
            ("say \"hi\"", "\"say \"\"hi\"\"\""),
            ("two\nlines", "\"two\nlines\""),
            (" spaced", "\" spaced\""),
            ("=1", "'=1"),
            ("=a,b", "\"'=a,b\""),
        ] {
            let (mut text, mut message) = (String::new(), cell.to_owned());
            row(&mut text, COLUMNS, &mut message, vec![cell.to_owned()]);
            assert_eq!(text, format!("{written},\"a;b\",{written},{written}\r\n"));
            assert_eq!(message, cell);
        }
    }
}
