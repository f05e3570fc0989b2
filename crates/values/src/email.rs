//! E-mail addresses (RFC 5321, the dot-atom form of RFC 5322).

use crate::shown::{is_ignorable, trimmed};
use crate::{Flaw, parse_domain_name};

const RULE: &str = "must be an e-mail address such as \"ada@acme.example\", with international domains in their xn-- \
                    form; quoted local parts and comments are not supported";

/// The address trimmed and with its domain in lower case; the local part is kept as written, it belongs to its host.
///
/// # Errors
/// It is no address, or longer than the 254 characters that mail systems carry.
pub fn parse_email(text: &str) -> Result<String, Flaw> {
    let (local, domain) = trimmed(text).rsplit_once('@').ok_or(Flaw::malformed(RULE))?;
    let domain = parse_domain_name(domain).map_err(|_| Flaw::malformed(RULE))?;
    let email = format!("{local}@{domain}");
    if !is_local_part(local) || email.len() > 254 {
        return Err(Flaw::malformed(RULE));
    }
    Ok(email)
}

/// The address as it is searched: wholly in lower case, for mailboxes that differ by case only are one in practice.
pub fn email_key(email: &str) -> String {
    let shown: String = email.chars().filter(|character| !is_ignorable(*character)).collect();
    shown.trim().to_ascii_lowercase()
}

fn is_local_part(local: &str) -> bool {
    local.len() <= 64 && local.split('.').all(|atom| !atom.is_empty() && atom.bytes().all(is_atom_text))
}

/// `atext` of RFC 5322.
fn is_atom_text(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_trimmed_and_their_domain_lowered() {
        for (text, expected) in [
            (" Ada.Love@ACME.Example ", Some("Ada.Love@acme.example")),
            ("o'neil+crm@acme.example", Some("o'neil+crm@acme.example")),
            ("\u{feff}\u{202a}ada@acme.example\u{202c}", Some("ada@acme.example")),
            ("a\u{200b}da@acme.example", None),
            ("ada@bücher.example", None),
            ("ada@acme.123", None),
            ("ada@192.0.2.1", None),
            ("ada@localhost", None),
            ("ada", None),
            ("@acme.example", None),
            ("a..b@acme.example", None),
            ("a b@acme.example", None),
            ("\"a\"@acme.example", None),
            ("a@b@acme.example", None),
            ("a\0@acme.example", None),
        ] {
            assert_eq!(parse_email(text).ok().as_deref(), expected, "{text:?}");
        }
    }

    #[test]
    fn the_refusal_names_the_form_of_international_domains() {
        assert!(parse_email("ada@bücher.example").unwrap_err().description.contains("xn--"));
        assert!(parse_email("ada@xn--bcher-kva.example").is_ok());
    }

    #[test]
    fn keys_pass_over_case_and_what_does_not_show() {
        assert_eq!(email_key("\u{200b} Ada@ACME.\u{2060}example "), "ada@acme.example");
    }

    #[test]
    fn local_parts_have_at_most_64_characters() {
        assert!(parse_email(&format!("{}@acme.example", "a".repeat(64))).is_ok());
        assert!(parse_email(&format!("{}@acme.example", "a".repeat(65))).is_err());
    }
}
