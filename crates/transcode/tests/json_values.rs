//! JSON's values: numbers, times, keys.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use http::{HeaderMap, Method};
use serde_json::{Value, json};
use things::{THINGS, accepts, refuses};

#[test]
fn integers_are_what_is_whole_in_bodies_queries_and_keys() {
    let whole = |text: &str, expected: i64| {
        for json in [text.to_owned(), format!("\"{text}\"")] {
            let body = format!("{{\"wide\": {json}, \"maybe\": {json}, \"wrappedWide\": {json}}}");
            let wide = expected.to_string();
            accepts(Method::POST, "/v1/things", &body, json!({"wide": wide, "maybe": expected, "wrappedWide": wide}));
        }
        let uri = format!("/v1/things:find?pageSize={text}&numbers={text}&filter.wrappedWide={text}");
        let wide = expected.to_string();
        accepts(
            Method::GET,
            &uri.replace('+', "%2B"),
            "",
            json!({"pageSize": expected, "numbers": [wide], "filter": {"wrappedWide": wide}}),
        );
        let body = format!("{{\"shelves\": {{\"{text}\": {{}}}}}}");
        accepts(Method::POST, "/v1/things", &body, json!({"shelves": {wide: {}}}));
    };
    whole("1e3", 1000);
    whole("1E+3", 1000);
    whole("100.0", 100);
    whole("-120e-1", -12);
    whole("-0", 0);
    whole("0e999999999", 0);
    let none = |text: &str| {
        let body = json!({"wide": text, "shelves": {text: {}}, "wrappedWide": text}).to_string();
        let fields =
            ["wide", &format!("shelves.{text}"), "wrappedWide"].map(|field| (field.to_owned(), "INVALID_VALUE"));
        let mut fields: Vec<_> = fields.iter().map(|(field, reason)| (field.trim(), *reason)).collect();
        fields.sort_unstable();
        let error = things::read(&THINGS, &Method::POST, "/v1/things", &HeaderMap::new(), &body).unwrap_err();
        let mut found: Vec<_> = error.violations.iter().map(|one| (one.field.trim(), one.reason)).collect();
        found.sort_unstable();
        assert_eq!(found, fields, "{text}");
        let uri = format!("/v1/things:find?pageSize={}", text.replace('+', "%2B"));
        refuses(Method::GET, &uri, "", &[("pageSize", "INVALID_VALUE")]);
    };
    for text in [
        "+7",
        "07",
        "-07",
        "7.",
        "1.5",
        "1e-1",
        "1e",
        "0x7",
        "NaN",
        "Infinity",
        "-Infinity",
        "1e400",
        "1e999999999",
        "true",
        "null",
        "9223372036854775808",
        "1_000",
        "",
    ] {
        none(text);
    }
}

#[test]
fn numbers_keep_their_digits_up_to_their_bounds() {
    let check = |body: &str, expected: Value| accepts(Method::POST, "/v1/things", body, expected);
    check(r#"{"wide": 9007199254740993.0}"#, json!({"wide": "9007199254740993"}));
    check(
        r#"{"wide": -9223372036854775808, "wider": 18446744073709551615}"#,
        json!({
            "wide": "-9223372036854775808", "wider": "18446744073709551615",
        }),
    );
    check(r#"{"wide": 922337203685477580.7e1, "wider": "-0"}"#, json!({"wide": "9223372036854775807", "wider": "0"}));
    check(r#"{"weight": 1e-400, "width": "1.5e1"}"#, json!({"weight": 0.0, "width": 15.0}));
    check(r#"{"color": 1e0, "colors": [2.0]}"#, json!({"color": "COLOR_RED", "colors": ["COLOR_BLUE"]}));
    for (body, field) in [
        (r#"{"wide": 9223372036854775808}"#, "wide"),
        (r#"{"wider": 18446744073709551616}"#, "wider"),
        (r#"{"wider": -1}"#, "wider"),
        (r#"{"maybe": 2147483648.0}"#, "maybe"),
        (r#"{"weight": 1e400}"#, "weight"),
        (r#"{"weight": "1e400"}"#, "weight"),
        (r#"{"weight": "+1"}"#, "weight"),
        (r#"{"weight": "inf"}"#, "weight"),
        (r#"{"width": 1e39}"#, "width"),
        (r#"{"color": "1"}"#, "color"),
        (r#"{"flag": 1}"#, "flag"),
        (r#"{"anyJson": 1e400}"#, "anyJson"),
        (r#"{"anyJson": 9007199254740993}"#, "anyJson"),
        (r#"{"anyJson": [{"a": 0.1000000000000000055511151231257827}]}"#, "anyJson"),
        (r#"{"free": {"a": [9007199254740993]}}"#, "free"),
        (r#"{"values": {"a": 1, "b": 9007199254740993}}"#, "values.b"),
    ] {
        refuses(Method::POST, "/v1/things", body, &[(field, "INVALID_VALUE")]);
    }
}

#[test]
fn any_json_comes_back_as_it_was_written() {
    let check = |json: Value| {
        let body = json!({"anyJson": json, "free": {"it": json}, "values": {"it": json, "none": null}});
        accepts(Method::POST, "/v1/things", &body.to_string(), body);
    };
    for json in [json!(5), json!(-5), json!(0), json!(0.1), json!(9_007_199_254_740_991_i64), json!(1e300)] {
        check(json);
    }
    check(json!({"a": [1, 1.5, "x", true, null, {"b": 2}]}));
    // What is whole is written so, and what no integer is stays as it is.
    accepts(Method::POST, "/v1/things", r#"{"anyJson": 5.0}"#, json!({"anyJson": 5}));
    accepts(
        Method::POST,
        "/v1/things",
        r#"{"anyJson": 9007199254740992}"#,
        json!({"anyJson": 9_007_199_254_740_992.0}),
    );
    accepts(Method::POST, "/v1/things", r#"{"anyJson": -0.0}"#, json!({"anyJson": -0.0}));
}

#[test]
fn times_and_durations_have_bounds() {
    let time = |text: &str| format!(r#"{{"time": "{text}"}}"#);
    accepts(Method::POST, "/v1/things", &time("0001-01-01T00:00:00Z"), json!({"time": "0001-01-01T00:00:00Z"}));
    accepts(
        Method::POST,
        "/v1/things",
        &time("9999-12-31T23:59:59.999999999Z"),
        json!({"time": "9999-12-31T23:59:59.999999999Z"}),
    );
    for text in [
        "0000-12-31T23:59:59Z",
        "10000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+01:00",
        "9999-12-31T23:59:59-01:00",
        "2026-02-30T00:00:00Z",
        "2026-01-01T24:00:00Z",
        "2026-01-01",
        "2026-01-01T00:00:00",
        "",
        "1e3",
    ] {
        refuses(Method::POST, "/v1/things", &time(text), &[("time", "INVALID_VALUE")]);
    }
    let lasting = |text: &str| format!(r#"{{"lasting": "{text}"}}"#);
    accepts(Method::POST, "/v1/things", &lasting("315576000000s"), json!({"lasting": "315576000000s"}));
    for text in
        ["315576000001s", "315576000000.1s", "-315576000001s", "1", "1e3s", "+1s", "1.0000000001s", "NaNs", "s", ""]
    {
        refuses(Method::POST, "/v1/things", &lasting(text), &[("lasting", "INVALID_VALUE")]);
    }
}

#[test]
fn a_key_that_comes_twice_is_refused_wherever_it_stands() {
    for (body, field) in [
        (r#"{"slug": "a", "slug": "a"}"#, "slug"),
        (r#"{"slug": "a", "slug": null}"#, "slug"),
        (r#"{"slug": "", "sl\u0075g": "a"}"#, "slug"),
        (r#"{"madeBy": "", "made_by": "b"}"#, "made_by"),
        (r#"{"madeBy": null, "made_by": "b"}"#, "made_by"),
        (r#"{"shelf": {"number": 0, "number": 1}}"#, "shelf.number"),
        (r#"{"stack": [{}, {"label": "", "label": ""}]}"#, "stack[1].label"),
        (r#"{"counts": {"a": 1, "a": 1}}"#, "counts.a"),
        (r#"{"shelves": {"1": {}, "1.0": {}}}"#, "shelves.1.0"),
        (r#"{"free": {"a": {"b": 1, "b": 2}}}"#, "free.a.b"),
        (r#"{"anyJson": [[{"b": 1, "b": 2}]]}"#, "anyJson[0][0].b"),
        (r#"{"any": {"@type": "x/things.v1.Shelf", "number": 1, "number": 2}}"#, "any.number"),
        (r#"{"any": {"@type": "x/things.v1.Shelf", "@type": "x/things.v1.Shelf"}}"#, "any.@type"),
    ] {
        refuses(Method::POST, "/v1/things", body, &[(field, "CONFLICTING_VALUE")]);
    }
    refuses(Method::PATCH, "/v1/things/7", r#"{"slug": "a", "slug": "a"}"#, &[("slug", "CONFLICTING_VALUE")]);
    refuses(
        Method::POST,
        "/v1/things",
        r#"{"nope": 1, "nope": 2}"#,
        &[("nope", "CONFLICTING_VALUE"), ("nope", "UNKNOWN_FIELD")],
    );
}

#[test]
fn messages_that_name_their_type_are_read_as_every_other() {
    let any = |rest: &str| format!(r#"{{"any": {{"@type": "x/things.v1.Shelf", {rest}}}}}"#);
    accepts(Method::POST, "/v1/things", &any(r#""number": "1e3""#), json!({"any": {"number": 1000}}));
    refuses(Method::POST, "/v1/things", &any(r#""number": "+7""#), &[("any.number", "INVALID_VALUE")]);
    refuses(Method::POST, "/v1/things", &any(r#""nope": 1"#), &[("any.nope", "UNKNOWN_FIELD")]);
    let duration = r#"{"any": {"@type": "x/google.protobuf.Duration", "value": "1.5s"}}"#;
    accepts(Method::POST, "/v1/things", duration, json!({"any": {"value": "1.500s"}}));
    refuses(Method::POST, "/v1/things", &duration.replace("1.5s", "1"), &[("any.value", "INVALID_VALUE")]);
}
