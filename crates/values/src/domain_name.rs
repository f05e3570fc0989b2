//! Internet domains (RFC 1035, letters-digits-hyphen as of RFC 5890).

use crate::Flaw;
use crate::shown::trimmed;

const RULE: &str = "must be an internet domain such as \"acme.example\": two or more labels of letters, digits and \
                    hyphens, the last not of digits alone; international names in their xn-- form";

/// The domain in lower case, without a dot at its end.
///
/// # Errors
/// It is no domain name of two or more labels, or its last is a number: then it would be an address.
pub fn parse_domain_name(text: &str) -> Result<String, Flaw> {
    let trimmed = trimmed(text);
    let name = trimmed.strip_suffix('.').unwrap_or(trimmed);
    let is_name = name.len() <= 253 && name.split('.').all(is_label);
    match name.rsplit_once('.') {
        Some((_, last)) if is_name && !is_number(last) => Ok(name.to_ascii_lowercase()),
        _ => Err(Flaw::malformed(RULE)),
    }
}

fn is_label(label: &str) -> bool {
    (1..=63).contains(&label.len())
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && !label.starts_with('-')
        && !label.ends_with('-')
}

fn is_number(label: &str) -> bool {
    label.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn domains_are_lowered_and_checked() {
        for (text, expected) in [
            (" Acme.Example. ", Some("acme.example")),
            ("xn--bcher-kva.example", Some("xn--bcher-kva.example")),
            ("a.b.c.example", Some("a.b.c.example")),
            ("\u{feff}acme.example\u{200b}", Some("acme.example")),
            ("1.example", Some("1.example")),
            ("acme.1a", Some("acme.1a")),
            ("acme.123", None),
            ("192.0.2.1", None),
            ("acme.1.", None),
            ("ac\u{200b}me.example", None),
            ("localhost", None),
            ("bücher.example", None),
            ("-a.example", None),
            ("a..example", None),
            ("https://acme.example", None),
            ("acme.example\0", None),
            ("", None),
        ] {
            assert_eq!(parse_domain_name(text).ok().as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn labels_and_names_have_a_longest_length() {
        let label = "a".repeat(63);
        assert!(parse_domain_name(&format!("{label}.example")).is_ok());
        assert!(parse_domain_name(&format!("{label}a.example")).is_err());
        assert!(parse_domain_name(&format!("{label}.{label}.{label}.{label}.example")).is_err());
    }
}
