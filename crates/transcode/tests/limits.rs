//! The document's patterns beside the rules of the service: what a pattern takes, the service takes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::BTreeSet;

use crm_transcode::Transcoder;
use crm_values::{Currency, Money, parse_domain_name, parse_email, parse_phone, required, within};
use proptest::{
    prelude::*,
    string::string_regex,
    test_runner::{Config, TestRunner},
};
use regress::{Flags, Regex};
use serde_json::Value;

/// The schema of a field of a body.
fn schema(of: &str, field: &str) -> Value {
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    document["components"]["schemas"][format!("{of}.Input")]["properties"][field].clone()
}

/// As JSON Schema reads patterns: ECMA-262, by characters.
fn regex(schema: &Value) -> Regex {
    Regex::with_flags(schema["pattern"].as_str().unwrap(), Flags { unicode: true, ..Flags::default() }).unwrap()
}

fn matches(regex: &Regex, text: &str) -> bool {
    regex.find(text).is_some()
}

/// Taken one by one, and all together: a pattern that takes a text takes each of its characters.
fn check(regex: &Regex, taken: &[char], refused: &[char], around: &str) {
    for some in taken.chunks(10_000) {
        let text = some.iter().collect::<String>();
        assert!(matches(regex, &format!("{around}{text}{around}")), "one of {:?}", (some.first(), some.last()));
    }
    for one in refused {
        assert!(!matches(regex, &format!("{around}{one}{around}")), "{one:?}");
    }
}

#[test]
fn a_text_may_hold_what_the_service_takes_and_nothing_else() {
    let is_taken = |one: &char| within(3).parse(&format!("x{one}x")).is_ok();
    let (taken, refused): (Vec<_>, Vec<_>) = ('\0'..=char::MAX).partition(is_taken);
    assert!(refused.len() > 100, "{}", refused.len());
    check(&regex(&schema("Account", "industry")), &taken, &refused, "x");
    check(&regex(&schema("Account", "name")), &taken, &refused, "x");
}

#[test]
fn a_name_shows_what_the_service_sees() {
    let name = regex(&schema("Account", "name"));
    let is_seen = |one: &char| required(1).parse(&one.to_string()).is_ok();
    let (seen, unseen): (Vec<_>, Vec<_>) = ('\0'..=char::MAX).partition(is_seen);
    check(&name, &[], &unseen, "");
    assert!(!matches(
        &name,
        &unseen.iter().filter(|one| within(3).parse(&format!("x{one}x")).is_ok()).collect::<String>()
    ));
    // Of those that are seen, the first and the last beside what is not: a class has no other ends.
    let unseen: BTreeSet<_> = unseen.into_iter().map(u32::from).collect();
    let is_end =
        |one: &&char| [u32::from(**one).wrapping_sub(1), u32::from(**one) + 1].iter().any(|it| unseen.contains(it));
    let ends: Vec<_> = seen.iter().filter(is_end).collect();
    assert!(ends.len() > 40, "{}", ends.len());
    for one in ends {
        assert!(matches(&name, &one.to_string()), "{one:?}");
    }
}

#[test]
fn currencies_are_those_of_the_service_and_no_number_of_units_is_too_large() {
    let (codes, units) = (regex(&schema("Money", "currencyCode")), regex(&schema("Money", "units")));
    let letters = || 'A'..='Z';
    let all = letters().flat_map(|a| letters().flat_map(move |b| letters().map(move |c| format!("{a}{b}{c}"))));
    let currencies: Vec<_> = all
        .filter_map(|code| {
            let known = Currency::parse(&code).ok();
            assert_eq!(matches(&codes, &code), known.is_some(), "{code}");
            known
        })
        .collect();
    assert!(currencies.len() > 100);
    let mut most = 0;
    for text in (1..=30).flat_map(|length| ["9", "0", "1"].map(|digit| digit.repeat(length))) {
        if !matches(&units, &text) {
            continue;
        }
        most = most.max(text.len());
        for currency in &currencies {
            let part = 1_000_000_000 - 1_000_000_000 / i32::try_from(currency.minor_units()).unwrap();
            let money = Money::from_parts(text.parse().unwrap(), part, *currency);
            assert!(money.is_ok(), "{text} {}", currency.code());
        }
    }
    assert_eq!(most, 14);
    for text in ["-1", "", "1.0", " 1", "1e3"] {
        assert!(!matches(&units, text), "{text}");
    }
}

/// A country's code in every way to write it, and what stands behind.
#[test]
fn phone_numbers_are_those_that_can_be_dialled_from_abroad() {
    let phones = regex(&schema("Contact", "phones")["items"]);
    let mut taken = 0;
    for digits in (1..=999).flat_map(|code| ["0", "1", "00", "01", "10", "11"].map(|rest| format!("{code}{rest}23456")))
    {
        let plain = format!("+{digits}");
        let is_right = parse_phone(&plain).is_ok();
        assert_eq!(matches(&phones, &plain), is_right, "{plain}");
        let parted = |at: usize| format!("+{} {}", &digits[..at], &digits[at..]);
        let spaced = digits.chars().map(String::from).collect::<Vec<_>>().join(" ");
        for text in (1..digits.len()).map(parted).chain([format!("+{spaced}")]).filter(|text| matches(&phones, text)) {
            assert!(is_right, "{text}");
            taken += 1;
        }
    }
    assert!(taken > 10_000, "{taken}");
    for text in ["+49 30 1234567", "+1-415.555 0123", "+353 1 2345678", "+39 06 69812345", "+7 495 1234567"] {
        assert!(matches(&phones, text) && parse_phone(text).is_ok(), "{text}");
    }
    for length in 1..=18 {
        for code in ["1", "39", "240"] {
            let text = format!("+{code}{}", "5".repeat(length));
            assert_eq!(matches(&phones, &text), parse_phone(&text).is_ok(), "{text}");
        }
    }
}

/// Texts that a pattern makes, the service takes.
fn check_made(schema: &Value, parse: impl Fn(&str) -> bool) {
    let whole = regex(schema);
    let most = usize::try_from(schema["maxLength"].as_u64().unwrap()).unwrap();
    let pattern = schema["pattern"].as_str().unwrap();
    // What looks ahead is tried below, and the ends are those of what is made.
    let made = pattern.trim_start_matches('^').trim_end_matches('$').trim_start_matches("(?=[^@]{1,64}@)");
    let fits = |text: &String| text.len() <= most && matches(&whole, text);
    TestRunner::new(Config::with_cases(48))
        .run(&string_regex(made).unwrap().prop_filter("fits", fits), |text| {
            prop_assert!(parse(&text), "{}", text);
            Ok(())
        })
        .unwrap();
}

#[test]
fn addresses_and_domains_are_those_of_the_service() {
    check_made(&schema("Account", "domain"), |text| text.is_empty() || parse_domain_name(text).is_ok());
    check_made(&schema("Contact", "emails")["items"], |text| parse_email(text).is_ok());
}
