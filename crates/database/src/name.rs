//! Names that become part of a statement's text, because Postgres takes no parameter in their place.

use crate::Error;

/// Postgres cuts longer names off.
const MAX_LENGTH: usize = 63;

/// The name, if it needs no quotes and cannot be mistaken for anything but a name.
pub(crate) fn checked<'a>(what: &str, name: &'a str) -> Result<&'a str, Error> {
    let mut characters = name.chars();
    let starts_well = characters.next().is_some_and(|first| first.is_ascii_lowercase() || first == '_');
    let goes_on_well = characters.all(|other| other.is_ascii_lowercase() || other.is_ascii_digit() || other == '_');
    if starts_well && goes_on_well && name.len() <= MAX_LENGTH {
        return Ok(name);
    }
    Err(Error::Settings(format!(
        "{what} must be 1 to {MAX_LENGTH} lower-case letters, digits and _, not starting with a digit"
    )))
}

/// A text literal.
pub(crate) fn literal(text: &str) -> String {
    // Doubled backslashes only count in an `E''` literal, which holds under either setting of standard_conforming_strings.
    format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_plain_names_pass() {
        let check = |name: &str, fine| assert_eq!(checked("schema", name).is_ok(), fine, "{name}");
        check("customers", true);
        check("_x1", true);
        check("", false);
        check("1x", false);
        check("Customers", false);
        check("a b", false);
        check("a;drop", false);
        check("a\"b", false);
        check("ä", false);
        check(&"a".repeat(63), true);
        check(&"a".repeat(64), false);
    }

    #[test]
    fn literal_cannot_be_quoted_out_of() {
        assert_eq!(literal(r"it's \'"), r"E'it''s \\'''");
    }
}
