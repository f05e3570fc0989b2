use proptest::prelude::*;

use super::*;

const FIELDS: &[FieldSpec] = &[
    FieldSpec { name: "owner", kind: Kind::Text, operators: &[Operator::Equal, Operator::NotEqual] },
    FieldSpec { name: "name", kind: Kind::TextPrefix, operators: Operator::ALL },
    FieldSpec { name: "parent_id", kind: Kind::Uuid, operators: &[Operator::Equal] },
    FieldSpec { name: "update_time", kind: Kind::Timestamp, operators: &[Operator::GreaterOrEqual, Operator::Less] },
    FieldSpec { name: "employees", kind: Kind::Integer, operators: Operator::ALL },
    FieldSpec { name: "active", kind: Kind::Boolean, operators: &[Operator::Equal] },
    FieldSpec { name: "tag_ids", kind: Kind::Uuid, operators: &[Operator::Has] },
];

/// Conditions in one line, or the error.
fn written(text: &str) -> String {
    match parse(text, FIELDS) {
        Ok(conditions) => conditions.iter().map(written_condition).collect::<Vec<_>>().join(" & "),
        Err(error) => error.to_string(),
    }
}

fn written_condition(condition: &Condition) -> String {
    let value = match &condition.value {
        Value::Text(text) => format!("{text:?}"),
        Value::Prefix(text) => format!("{text:?}…"),
        Value::Uuid(id) => id.to_string(),
        Value::Timestamp(time) => time.unix_timestamp_nanos().to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Entry { key, text, position } => format!("{text:?} under {key:?} at {position}"),
    };
    format!("{} {} {value}", condition.field, condition.operator.symbol())
}

#[test]
fn comparisons_joined_by_and_are_read() {
    let check = |text: &str, expected: &str| assert_eq!(written(text), expected, "{text:?}");
    check("", "");
    check(" \t\n", "");
    check(r#"owner = "ada""#, r#"owner = "ada""#);
    check("owner=ada", r#"owner = "ada""#);
    check("owner = 'ada'", r#"owner = "ada""#);
    check(r#"owner != "" AND employees >= 10"#, r#"owner != "" & employees >= 10"#);
    check(r#"name = "Acme*""#, r#"name = "Acme"…"#);
    check(r#"name = "Ac\*me""#, r#"name = "Ac*me""#);
    check(r#"name = "say \"hi\" \\ \*""#, r#"name = "say \"hi\" \\ *""#);
    check(r#"name = "OR 1=1; drop table x --""#, r#"name = "OR 1=1; drop table x --""#);
    check("((owner = ada) AND (employees < -5))", r#"owner = "ada" & employees < -5"#);
    check("active = true", "active = true");
    let id = "01900000-0000-7000-8000-000000000001";
    for has in [format!("tag_ids:{id}"), format!("tag_ids : '{id}'"), format!("(tag_ids:\"{id}\")")] {
        check(&has, &format!("tag_ids : {id}"));
    }
    check(&format!("tag_ids:{id} AND owner = urn:a:b"), &format!("tag_ids : {id} & owner = \"urn:a:b\""));
    check("parent_id = 01900000-0000-7000-8000-000000000001", "parent_id = 01900000-0000-7000-8000-000000000001");
    check("update_time >= 1970-01-01T00:00:01.5Z", "update_time >= 1500000000");
    check(r#"update_time < "1970-01-01T02:00:00+02:00""#, "update_time < 0");
    check("name = 株式会社", "name = \"株式会社\"");
}

#[test]
fn faults_are_named_with_their_place() {
    let check = |text: &str, expected: &str| assert_eq!(written(text), expected, "{text:?}");
    check(
        "ada",
        "cannot filter by \"ada\", only by owner, name, parent_id, update_time, employees, active or tag_ids (at character 1)",
    );
    check("owner", "owner is compared by = or != (at character 6)");
    check("owner > ada", "owner is compared by = or != (at character 7)");
    check("owner =", "owner needs a value, in quotes where it has spaces (at character 8)");
    check("owner = AND", "owner = \"AND\"");
    check("owner = ada OR owner = bob", "OR is not supported: ask twice (at character 13)");
    check("owner = ada employees = 1", "expected AND instead of \"employees\" (at character 13)");
    check("NOT owner = ada", "NOT is not supported, use != (at character 1)");
    assert_eq!(parse("NOT parent_id = 7", &FIELDS[2..4]).unwrap_err().message, "NOT is not supported");
    check("-owner = ada", "NOT is not supported, use != (at character 1)");
    check("owner : ada", "owner is compared by = or != (at character 7)");
    check("owner:ada", "owner is compared by = or != (at character 6)");
    check("tag_ids = 7", "tag_ids is compared by : (at character 9)");
    check("tag_ids:seven", "tag_ids needs a UUID (at character 9)");
    check("tag_ids:", "tag_ids needs a value, in quotes where it has spaces (at character 9)");
    check("owner ! ada", "'!' has no place here (at character 7)");
    check("(owner = ada", ") is missing (at character 13)");
    check("owner = ada)", ") was never opened (at character 12)");
    check("owner = \"ada", "the text is not closed (at character 9)");
    check(r#"owner = "a\d""#, "\\ escapes only quotes, * and itself (at character 11)");
    check(r#"owner = "ada*""#, "owner cannot be compared with a prefix; a plain * is written \\* (at character 9)");
    check(r#"name = "*""#, "name needs a character before the * (at character 8)");
    check(r#"name = " *""#, "name needs a character before the * (at character 8)");
    check(r#"name != "A*""#, "name is compared with a prefix by = only (at character 9)");
    check(r#"name = "A*b""#, "* stands only at the end of a text; a plain one is written \\* (at character 10)");
    check("employees = many", "employees needs a whole number (at character 13)");
    check("employees = 99999999999999999999", "employees needs a whole number (at character 13)");
    check("active = yes", "active needs true or false (at character 10)");
    check("parent_id = 7", "parent_id needs a UUID (at character 13)");
    check("update_time >= yesterday", "update_time needs a time such as \"2026-01-31T00:00:00Z\" (at character 16)");
    check("owner = \"a\0\"", "owner needs a text without the character U+0000 (at character 9)");
    check("owner = ada; drop", "';' has no place here (at character 12)");
}

#[test]
fn times_finer_than_a_microsecond_compare_as_they_are_written() {
    let check = |text: &str, expected: &str| assert_eq!(written(text), expected, "{text:?}");
    check("update_time >= 1970-01-01T00:00:00.000001Z", "update_time >= 1000");
    check("update_time >= 1970-01-01T00:00:00.000001001Z", "update_time >= 2000");
    check("update_time < 1970-01-01T00:00:00.000001999Z", "update_time < 2000");
    check("update_time >= 1969-12-31T23:59:59.999998001Z", "update_time >= -1000");
    check("update_time >= 9999-12-31T23:59:59.999999999Z", "update_time >= 253402300799999999000");
    let all = [FieldSpec { name: "at", kind: Kind::Timestamp, operators: Operator::ALL }];
    let read = |text: &str| parse(text, &all).map(|conditions| conditions[0].value.clone());
    let micro = Value::Timestamp(OffsetDateTime::UNIX_EPOCH + time::Duration::MICROSECOND);
    assert_eq!(read("at > 1970-01-01T00:00:00.000001001Z"), Ok(micro.clone()));
    assert_eq!(read("at <= 1970-01-01T00:00:00.000001999Z"), Ok(micro));
    assert!(read("at = 1970-01-01T00:00:00.000001001Z").is_err());
}

#[test]
fn entries_have_their_key_behind_the_name() {
    let fields = [FieldSpec { name: "attributes", kind: Kind::Entries, operators: &[Operator::Equal, Operator::Less] }];
    let check = |text: &str, expected: &str| {
        let read = parse(text, &fields).map(|all| all.iter().map(written_condition).collect::<Vec<_>>().join(" & "));
        assert_eq!(read.unwrap_or_else(|error| error.to_string()), expected, "{text:?}");
    };
    check(r#"attributes.tier = "gold""#, r#"attributes = "gold" under "tier" at 19"#);
    check("attributes.n < -1.5", r#"attributes < "-1.5" under "n" at 16"#);
    check("(attributes.a.b=2026-11-27)", r#"attributes = "2026-11-27" under "a.b" at 17"#);
    let unknown = |word: &str| format!("cannot filter by {word:?}, only by attributes.KEY (at character 1)");
    for word in ["attributes", "attributes.", "attributesx", "attribute.a"] {
        check(&format!("{word} = 1"), &unknown(word));
    }
    check(
        r#"attributes.a = "x*""#,
        "attributes cannot be compared with a prefix; a plain * is written \\* (at character 16)",
    );
    check("attributes.a > 1", "attributes is compared by = or < (at character 14)");
}

#[test]
fn size_and_depth_are_bounded() {
    let many = vec!["employees = 1"; 21].join(" AND ");
    let check = |text: &str, expected: &str| assert!(written(text).starts_with(expected), "{}", written(text));
    check(&many, "more than 20 comparisons");
    check(&"(".repeat(11), "more than 10 brackets inside each other (at character 11)");
    check(&"(".repeat(4_000), "more than 10 brackets inside each other (at character 11)");
    check(&" ".repeat(4_097), "is longer than 4096 characters");
    assert!(parse(&"\u{3000}".repeat(4_096), FIELDS).is_ok());
}

proptest! {
    #[test]
    fn no_text_panics(text in any::<String>()) {
        let _ = parse(&text, FIELDS);
    }

    #[test]
    fn no_text_near_a_filter_panics(text in r#"((owner|name|employees|update_time|tag_ids|AND|OR|=|:|!=|>=|<|"|'|\\|\*|\(|\)|ada|-?[0-9]{1,3}|é)[ ]?){0,30}"#) {
        if let Err(error) = parse(&text, FIELDS) {
            prop_assert!(error.position >= 1 && error.position <= text.chars().count() + 1);
        }
    }

    #[test]
    fn quoted_text_comes_back_as_it_was(text in "[^\0]{0,60}") {
        let escaped: String = text.chars().flat_map(|c| if matches!(c, '"' | '\\' | '*') { vec!['\\', c] } else { vec![c] }).collect();
        let conditions = parse(&format!("name = \"{escaped}\""), FIELDS).unwrap();
        prop_assert_eq!(&conditions[0].value, &Value::Text(text));
    }
}
