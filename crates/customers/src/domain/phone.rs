//! Phone numbers in the international form of ITU-T E.164.
//!
//! Numbers come in with their country code, as `+…` or `00…`. A national number is refused, not guessed: the country
//! of the account says little about where its people's phones are registered. Numbering plans are not looked into:
//! their tables would weigh more than the rest of the service, and change monthly.

use super::Fault;

const RULE: &str = "must be an international phone number such as \"+14155550123\": + or 00, the country code, 7 to 15 \
                    digits in all; no extension";

/// The number as `+` and digits; spaces and the usual punctuation are dropped.
///
/// `(0)` behind the country code, the national prefix that is not dialled from abroad, is dropped as well.
///
/// # Errors
/// It has no country code, other characters, or not 7 to 15 digits.
pub fn parse_phone(text: &str) -> Result<String, Fault> {
    let bare: String = text.trim().replacen("(0)", "", 1).chars().filter(|c| !is_punctuation(*c)).collect();
    let digits = bare.strip_prefix('+').or_else(|| bare.strip_prefix("00")).ok_or(Fault::malformed(RULE))?;
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    // No country code begins with 0.
    if !is_number || !(7..=15).contains(&digits.len()) || digits.starts_with('0') {
        return Err(Fault::malformed(RULE));
    }
    Ok(format!("+{digits}"))
}

fn is_punctuation(character: char) -> bool {
    matches!(
        character,
        ' ' | '\u{a0}' | '\u{202f}' | '-' | '\u{2010}' | '\u{2011}' | '\u{2013}' | '.' | '/' | '(' | ')'
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_become_e164() {
        for (text, expected) in [
            ("+1 (415) 555-0123", Some("+14155550123")),
            ("0044 20 7946 0018", Some("+442079460018")),
            ("+44 (0)20 7946 0018", Some("+442079460018")),
            ("+49.30/1234567", Some("+49301234567")),
            ("415 555 0123", None),
            ("+0 123 456 789", None),
            ("+1 415 555 0123 ext. 4", None),
            ("+123456", None),
            ("+1234567890123456", None),
            ("++14155550123", None),
            ("+1415\u{0}5550123", None),
            ("+١٢٣٤٥٦٧٨٩", None),
            ("", None),
        ] {
            assert_eq!(parse_phone(text).ok().as_deref(), expected, "{text:?}");
        }
    }
}
