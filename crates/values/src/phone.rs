//! Phone numbers in the international form of ITU-T E.164.
//!
//! Numbers come in with their country code, as `+…` or `00…`. A national number is refused, not guessed: the country
//! of the account says little about where its people's phones are registered. Numbering plans are not looked into:
//! their tables would weigh more than the rest of the service, and change monthly. One thing of them is known here,
//! for `(0)` is written everywhere: where the 0 is dialled within the country only, and where it belongs to the number.

use crate::Flaw;
use crate::shown::is_ignorable;

const RULE: &str = "must be an international phone number such as \"+14155550123\": + or 00, the country code, 7 to 15 \
                    digits in all; one number, no extension";
const TRUNK_RULE: &str = "must be written as it is dialled from abroad: what the 0 behind the country code stands for is \
                          not known here";

const TRUNK_ZERO_RULE: &str = "must be written as it is dialled from abroad: without the 0 behind the country code";

/// Country codes behind which a 0 is dialled within the country and never from abroad.
const TRUNK_ZERO: &str = "20 27 31 32 33 40 41 43 44 46 49 51 55 58 60 61 62 63 64 66 81 82 84 86 90 91 92 93 94 95 98 \
                          211 212 213 218 231 232 233 234 243 249 251 252 254 255 256 260 261 262 263 264 265 291 353 \
                          355 358 359 370 373 374 380 381 382 383 385 386 387 389 421 423 591 593 594 595 596 686 850 \
                          855 856 880 886 961 962 963 964 966 967 970 971 972 977 994 995 996";

/// The number as `+` and digits; blanks and the usual punctuation are dropped.
///
/// # Errors
/// It has no country code, other characters, not 7 to 15 digits, or a 0 that cannot be told from a digit of the number.
pub fn parse_phone(text: &str) -> Result<String, Flaw> {
    let malformed = Flaw::malformed(RULE);
    let is_written = |character: &char| !character.is_whitespace() && !is_ignorable(*character);
    let written: String = text.chars().filter(is_written).map(plain).filter(|c| !matches!(c, '-' | '.')).collect();
    if written.contains(|c: char| !c.is_ascii_digit() && !"+()/".contains(c)) {
        return Err(malformed);
    }
    let marked = written.replace("(0)", "t").replace(['(', ')'], "");
    let international = marked.strip_prefix('+').or_else(|| marked.strip_prefix("00")).ok_or(malformed.clone())?;
    let digits = without_slash(&without_trunk(international)?).ok_or(malformed.clone())?;
    // No country code begins with 0.
    if !(7..=15).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_digit()) || digits.starts_with('0')
    {
        return Err(malformed);
    }
    if codes().any(|code| digits.strip_prefix(code).is_some_and(|rest| rest.starts_with('0'))) {
        return Err(Flaw::malformed(TRUNK_ZERO_RULE));
    }
    Ok(format!("+{digits}"))
}

fn codes() -> impl Iterator<Item = &'static str> {
    TRUNK_ZERO.split_ascii_whitespace()
}

/// The digits of a number in E.164 form behind its country code; all of them, if it has no more.
pub(crate) fn national(e164: &str) -> &str {
    let digits = e164.strip_prefix('+').unwrap_or_default();
    let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
    digits.get(code_length(digits)..).filter(|rest| is_number && !rest.is_empty()).unwrap_or_default()
}

/// How long the country code is that these digits begin with.
fn code_length(digits: &str) -> usize {
    /// Those of two digits, by the first: what the second may be.
    const TWO: [(u8, &[u8]); 7] = [
        (b'2', b"07"),
        (b'3', b"0123469"),
        (b'4', b"013456789"),
        (b'5', b"12345678"),
        (b'6', b"0123456"),
        (b'8', b"1246"),
        (b'9', b"0123458"),
    ];
    match digits.as_bytes() {
        [b'1' | b'7', ..] => 1,
        [first, second, ..] if TWO.iter().any(|(one, others)| one == first && others.contains(second)) => 2,
        _ => 3,
    }
}

/// The beginning or the end of a phone number, as somebody types it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    /// Without `+` or `00`, and without a `(0)`.
    pub(crate) digits: String,
    /// Whether it began with one of the two.
    pub(crate) is_international: bool,
    /// All its digits, unless it began with a `+`: they may be a number's last ones.
    pub(crate) last: Option<String>,
}

impl Typed {
    /// The digits of a text that has nothing else but what phone numbers are written with.
    pub(crate) fn of(text: &str) -> Option<Self> {
        let is_written = |character: &char| !character.is_whitespace() && !is_ignorable(*character);
        let written: String = text.chars().filter(is_written).map(plain).filter(|c| !matches!(c, '-' | '.')).collect();
        let written = written.replace("(0)", "").replace(['(', ')', '/'], "");
        let international = written.strip_prefix('+').or_else(|| written.strip_prefix("00"));
        let digits = international.unwrap_or(&written);
        let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| Self {
            digits: digits.to_owned(),
            is_international: international.is_some(),
            last: (!written.starts_with('+')).then(|| written.clone()),
        })
    }

    /// As it is dialled within its country, without the 0 before it.
    pub(crate) fn at_home(&self) -> &str {
        if self.is_international { &self.digits } else { self.digits.trim_start_matches('0') }
    }

    /// What comes behind the country code, if the digits begin with one.
    pub(crate) fn behind_code(&self) -> Option<&str> {
        self.digits.get(code_length(&self.digits)..).filter(|rest| !rest.is_empty())
    }
}

/// The digits with the `(0)`, here `t`, dropped or taken as a digit, as the country has it.
fn without_trunk(number: &str) -> Result<String, Flaw> {
    let Some((code, rest)) = number.split_once('t') else { return Ok(number.to_owned()) };
    if codes().any(|known| known == code) {
        Ok(format!("{code}{rest}"))
    } else if keeps_zero(code, rest) {
        Ok(format!("{code}0{rest}"))
    } else {
        Err(Flaw::malformed(TRUNK_RULE))
    }
}

/// Whether the 0 before `rest` is dialled from abroad, too.
fn keeps_zero(code: &str, rest: &str) -> bool {
    let length = rest.chars().filter(char::is_ascii_digit).count();
    match code {
        // Italy, for land lines. Mobile numbers have ten digits, begin with 3 and never had a 0.
        "39" => !(rest.starts_with('3') && length >= 10),
        // San Marino has the one area code 0549.
        "378" => rest.starts_with("549"),
        // Ivory Coast and Benin have ten digits, Congo nine.
        "225" | "229" => length == 9,
        "242" => length == 8,
        _ => false,
    }
}

/// A slash stands behind the area code. Elsewhere it joins two numbers, or a number and its extension, to one.
fn without_slash(number: &str) -> Option<String> {
    match number.split_once('/') {
        None => Some(number.to_owned()),
        Some((area, rest)) if area.len() <= 7 && rest.len() >= 4 => Some(format!("{area}{rest}")),
        Some(_) => None,
    }
}

/// The ASCII character that is meant: digits of other scripts, full-width forms, the many dashes.
fn plain(character: char) -> char {
    match character {
        '＋' => '+',
        '（' => '(',
        '）' => ')',
        '／' => '/',
        '\u{2010}'..='\u{2015}' | '\u{2212}' | '\u{fe63}' | '－' => '-',
        '·' | '．' => '.',
        other => digit(other).unwrap_or(other),
    }
}

/// The zeros of scripts whose decimal digits stand behind one another.
const ZEROS: &str = "٠۰߀०০੦૦୦௦౦೦൦๐໐༠၀០᠐０";

fn digit(character: char) -> Option<char> {
    let value = |zero: char| u32::from(character).checked_sub(u32::from(zero)).filter(|value| *value < 10);
    ZEROS.chars().find_map(value).and_then(|value| char::from_digit(value, 10))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: Option<&str>) {
        assert_eq!(parse_phone(text).ok().as_deref(), expected, "{text:?}");
    }

    #[test]
    fn numbers_become_e164() {
        check("+1 (415) 555-0123", Some("+14155550123"));
        check("0044 20 7946 0018", Some("+442079460018"));
        check("(+39) 06 69812345", Some("+390669812345"));
        check("+123456", None);
        check("+1234567", Some("+1234567"));
        check("+123456789012345", Some("+123456789012345"));
        check("+1234567890123456", None);
        for text in [
            "415 555 0123",
            "+0 123 456 789",
            "+1 415 555 0123 ext. 4",
            "+1 415 555 0123 x4",
            "+1 415 555 0123;4",
            "+1 415 555 0123,,4",
            "+1 415 555 0123#4",
            "++14155550123",
            "+1 415 555 0123 +44",
            "+1 800 FLOWERS",
            "+1415\u{0}5550123",
            "+1415555012\u{b2}3",
            "+1415555012\u{2460}",
            "",
        ] {
            check(text, None);
        }
    }

    #[test]
    fn marks_blanks_and_digits_of_other_scripts_are_cleaned() {
        for text in [
            "\u{202a}+1 415 555 0123\u{202c}",
            "\u{200e}+1\u{a0}415\u{202f}555\u{2009}0123\u{200f}",
            "\u{feff}+1\u{200b}415\u{3000}555\t0123",
            "＋１（４１５）５５５－０１２３",
            "+1\u{2011}415\u{2012}555\u{2212}0123",
            "+1.415.555·0123",
            "+١٤١٥٥٥٥٠١٢٣",
            "۰۰۱۴۱۵۵۵۵۰۱۲۳",
            "+१४१५५५५०१२३",
        ] {
            check(text, Some("+14155550123"));
        }
    }

    #[test]
    fn a_zero_in_brackets_is_dropped_kept_or_refused() {
        for (text, expected) in [
            ("+44 (0)20 7946 0018", Some("+442079460018")),
            ("0049 ( 0 ) 30 1234567", Some("+49301234567")),
            ("+353 （０）1 234 5678", Some("+35312345678")),
            ("+39 (0)6 69812345", Some("+390669812345")),
            ("+39 (0)31 123456", Some("+39031123456")),
            ("+39 (0)333 1234567", None),
            ("+378 (0)549 882345", Some("+3780549882345")),
            ("+378 (0)66 123456", None),
            ("+225 (0)7 07 12 34 56", Some("+2250707123456")),
            ("+225 (0)7 12 34 56", None),
            ("+229 (0)1 97 12 34 56", Some("+2290197123456")),
            ("+242 (0)6 123 4567", Some("+242061234567")),
            // Whether the zero is dialled cannot be told (Gabon), or there is none (North America, Spain, Hungary).
            ("+241 (0)6 12 34 56", None),
            ("+1 (0)415 555 0123", None),
            ("+34 (0)91 123 45 67", None),
            ("+36 (0)1 123 4567", None),
            ("+44 20 (0)7946 0018", None),
            ("+44 (0)20 (0)7946 0018", None),
            ("(0)44 20 7946 0018", None),
        ] {
            check(text, expected);
        }
    }

    #[test]
    fn a_zero_that_nobody_dials_from_abroad_is_refused() {
        for text in ["+44 020 7946 0018", "+49 0 30 123456"] {
            assert_eq!(parse_phone(text).unwrap_err().description, TRUNK_ZERO_RULE, "{text}");
        }
        assert_eq!(parse_phone("+36 (0)1 123 4567").unwrap_err().description, TRUNK_RULE);
        check("+49 (030) 1234567", None);
        check("+390669812345", Some("+390669812345"));
        check("+2250707123456", Some("+2250707123456"));
    }

    #[test]
    fn numbers_have_a_part_that_is_dialled_at_home() {
        for (e164, expected) in [
            ("+14155550123", "4155550123"),
            ("+442079460018", "2079460018"),
            ("+35312345678", "12345678"),
            ("+998901234567", "901234567"),
            ("+77012345678", "7012345678"),
            ("call me", ""),
            ("+44 20", ""),
            ("+é", ""),
            ("", ""),
        ] {
            assert_eq!(national(e164), expected, "{e164:?}");
        }
        let typed = |text| Typed::of(text).map(|typed| (typed.digits, typed.is_international));
        assert_eq!(typed("+44 (0)20 79"), Some(("442079".to_owned(), true)));
        assert_eq!(typed("0044-20"), Some(("4420".to_owned(), true)));
        assert_eq!(typed("٠٢٠ 79"), Some(("02079".to_owned(), false)));
        for text in ["", "+", "00", "3m", "ada", "+44 x", "1%"] {
            assert_eq!(typed(text), None, "{text:?}");
        }
    }

    #[test]
    fn a_slash_parts_an_area_code_and_no_two_numbers() {
        check("+49.30/1234567", Some("+49301234567"));
        check("+49 (0)6221/123456", Some("+496221123456"));
        check("+49 30 1234567/68", None);
        check("+49 30 1234567/1234568", None);
        check("+1 212 555/0123", Some("+12125550123"));
        check("+49/30/1234567", None);
    }
}
