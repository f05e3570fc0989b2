//! What an HTTP request becomes, over an API that uses everything.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::needless_pass_by_value, missing_docs)]

mod things;

use crm_transcode::{Limits, Transcoder, Violation};
use http::{HeaderMap, Method};
use serde_json::{Value, json};
use things::{THINGS, accepts, refuses};

#[test]
fn path_variables_are_decoded_and_typed() {
    accepts(Method::GET, "/v1/shelves/1/things/a%20b/c%2Fd", "", json!({"name": "shelves/1/things/a b/c%2Fd"}));
    accepts(Method::GET, "/v1/plain/a%2Fb/of/7", "", json!({"name": "a/b", "shelf": {"number": 7}}));
    accepts(
        Method::GET,
        "/v1/plain/%C3%A9/of/-7?full=true&shelf.label=x",
        "",
        json!({"name": "é", "full": true, "shelf": {"number": -7, "label": "x"}}),
    );
    refuses(Method::GET, "/v1/plain/a/of/seven", "", &[("shelf.number", "INVALID_VALUE")]);
    refuses(Method::GET, "/v1/plain/%ff/of/%zz", "", &[("name", "INVALID_VALUE"), ("shelf.number", "INVALID_VALUE")]);
}

#[test]
fn query_parameters_reach_every_kind_of_field() {
    let check = |query: &str, expected: Value| accepts(Method::GET, &format!("/v1/things:find?{query}"), "", expected);
    check("filter.owner=ada&page_size=5", json!({"filter": {"owner": "ada"}, "pageSize": 5}));
    check("pageSize=5&&", json!({"pageSize": 5}));
    check("filter.owner=a%26b+c", json!({"filter": {"owner": "a&b c"}}));
    check("filter.color=COLOR_RED", json!({"filter": {"color": "COLOR_RED"}}));
    check("filter.color=2", json!({"filter": {"color": "COLOR_BLUE"}}));
    check("filter.colors=1&filter.colors=COLOR_BLUE", json!({"filter": {"colors": ["COLOR_RED", "COLOR_BLUE"]}}));
    check("numbers=1&numbers=-9007199254740993", json!({"numbers": ["1", "-9007199254740993"]}));
    check("filter.since=2026-01-31T09:30:00%2B01:00", json!({"filter": {"since": "2026-01-31T08:30:00Z"}}));
    check("filter.lasting=1.5s", json!({"filter": {"lasting": "1.500s"}}));
    check(
        "filter.wrappedFlag=false&filter.wrapped_wide=12",
        json!({"filter": {"wrappedFlag": false, "wrappedWide": "12"}}),
    );
    check("filter.shelf.below.below.number=3", json!({"filter": {"shelf": {"below": {"below": {"number": 3}}}}}));
    check("readMask=madeBy,shelf.number", json!({"readMask": "madeBy,shelf.number"}));
    check("read_mask=made_by", json!({"readMask": "madeBy"}));
    check("data=_-8", json!({"data": "/+8="}));
    check("flag=true", json!({"flag": true}));
}

#[test]
fn all_faulty_query_parameters_are_named_at_once() {
    refuses(
        Method::GET,
        concat!(
            "/v1/things:find?nope=1&pageSize=x&flag=yes&filter.since=now",
            "&filter.color=GREEN&filter.counts.a=1&filter.shelf=x"
        ),
        "",
        &[
            ("nope", "UNKNOWN_FIELD"),
            ("pageSize", "INVALID_VALUE"),
            ("flag", "INVALID_VALUE"),
            ("filter.since", "INVALID_VALUE"),
            ("filter.color", "INVALID_VALUE"),
            ("filter.counts.a", "UNKNOWN_FIELD"),
            ("filter.shelf", "INVALID_VALUE"),
        ],
    );
    for nameless in ["=3", "=%ff", "&=&"] {
        refuses(Method::GET, &format!("/v1/things:find?{nameless}"), "", &[("query", "UNKNOWN_FIELD")]);
    }
    refuses(Method::POST, "/v1/things", r#"{"": 1}"#, &[("body", "UNKNOWN_FIELD")]);
    refuses(Method::GET, "/v1/things:find?pageSize=1&page_size=2", "", &[("page_size", "CONFLICTING_VALUE")]);
    refuses(
        Method::GET,
        "/v1/things:find?filter.text=a&filter.number=2",
        "",
        &[("filter.number", "CONFLICTING_VALUE")],
    );
    refuses(Method::GET, "/v1/things:find?flag=%f&%zz=1", "", &[("flag", "INVALID_VALUE"), ("query", "INVALID_VALUE")]);
    refuses(
        Method::GET,
        "/v1/plain/a/of/7?name=b&shelf.number=7",
        "",
        &[("name", "CONFLICTING_VALUE"), ("shelf.number", "CONFLICTING_VALUE")],
    );
    refuses(Method::POST, "/v1/things?id=7", "{}", &[("id", "CONFLICTING_VALUE")]);
    refuses(Method::PATCH, "/v1/things/7?thing.color=1", "{}", &[("thing.color", "CONFLICTING_VALUE")]);
}

#[test]
fn bodies_are_proto3_json() {
    let check = |body: Value, expected: Value| accepts(Method::POST, "/v1/things", &body.to_string(), expected);
    check(
        json!({"wide": "9007199254740993", "wider": 7, "maybe": 0}),
        json!({"wide": "9007199254740993", "wider": "7", "maybe": 0}),
    );
    check(json!({"wide": 1.0, "maybe": "12"}), json!({"wide": "1", "maybe": 12}));
    check(json!({"weight": "NaN", "width": "-Infinity"}), json!({"weight": "NaN", "width": "-Infinity"}));
    check(
        json!({"color": 1, "colors": ["COLOR_BLUE", 77]}),
        json!({"color": "COLOR_RED", "colors": ["COLOR_BLUE", 77]}),
    );
    check(
        json!({"counts": {"b": 2, "a": 1}, "shelves": {"-5": {"label": "x"}}}),
        json!({"counts": {"a": 1, "b": 2}, "shelves": {"-5": {"label": "x"}}}),
    );
    check(json!({"text": ""}), json!({"text": ""}));
    check(json!({"shelf": {"number": 1}, "text": null}), json!({"shelf": {"number": 1}}));
    check(
        json!({"time": "2026-01-31T09:30:00.25Z", "lasting": "-3s"}),
        json!({"time": "2026-01-31T09:30:00.250Z", "lasting": "-3s"}),
    );
    check(
        json!({"wrapped": "", "wrapped_wide": "5", "wrappedFlag": false}),
        json!({"wrapped": "", "wrappedWide": "5", "wrappedFlag": false}),
    );
    check(
        json!({"free": {"a": [1.5, null, {"b": "c"}]}, "anyJson": null}),
        json!({"free": {"a": [1.5, null, {"b": "c"}]}, "anyJson": null}),
    );
    check(
        json!({"any": {"@type": "type.googleapis.com/things.v1.Shelf", "number": 4}}),
        json!({"any": {"@type": "type.googleapis.com/things.v1.Shelf", "number": 4}}),
    );
    check(json!({"mask": "made_by,anyJson"}), json!({"mask": "madeBy,anyJson"}));
    check(
        json!({"made_by": "me", "stack": [{"number": 1}, {}]}),
        json!({"madeBy": "me", "stack": [{"number": 1, "label": ""}, {"number": 0, "label": ""}]}),
    );
    accepts(Method::POST, "/v1/things", " \n", json!({"id": ""}));
}

#[test]
fn all_faults_of_a_body_are_named_with_their_path() {
    let body = json!({
        "wide": "x", "maybe": 2_147_483_648_u64, "flag": "true", "tags": ["a", 1],
        "counts": {"a": "b"}, "shelves": {"x": {}},
        "stack": [{"number": 1.5}, null], "color": "GREEN", "time": 5, "nope": 1, "data": "*",
        "any": {"@type": "x/unknown.Type"},
        "mask": "a b", "free": 3, "width": 1e300,
    });
    let error = things::read(&THINGS, &Method::POST, "/v1/things", &HeaderMap::new(), &body.to_string()).unwrap_err();
    let mut found: Vec<_> = error.violations.iter().map(|one| one.field.as_str()).collect();
    found.sort_unstable();
    let expected = [
        "any",
        "color",
        "counts.a",
        "data",
        "flag",
        "free",
        "mask",
        "maybe",
        "nope",
        "shelves.x",
        "stack[0].number",
        "stack[1]",
        "tags[1]",
        "time",
        "wide",
        "width",
    ];
    assert_eq!(found, expected);
    refuses(Method::POST, "/v1/things", r#"{"shelf": {}, "text": "a"}"#, &[("text", "CONFLICTING_VALUE")]);
    refuses(Method::POST, "/v1/things", r#"{"madeBy": "a", "made_by": "b"}"#, &[("made_by", "CONFLICTING_VALUE")]);
    refuses(Method::POST, "/v1/things", "[]", &[("body", "INVALID_VALUE")]);
    refuses(Method::POST, "/v1/things", "{", &[("body", "MALFORMED_JSON")]);
    refuses(
        Method::GET,
        "/v1/things:find?pageSize=x",
        "{}",
        &[("body", "INVALID_REQUEST"), ("pageSize", "INVALID_VALUE")],
    );
}

#[test]
fn violations_never_repeat_values() {
    let secret = "secret-value";
    let body = json!({"wide": secret, "time": secret, "color": secret, "any": {"@type": secret}});
    let error = things::read(&THINGS, &Method::POST, "/v1/things", &HeaderMap::new(), &body.to_string()).unwrap_err();
    assert!(!format!("{error} {error:?}").contains("secret-value"));
}

#[test]
fn the_path_has_the_final_word_on_its_fields() {
    accepts(Method::PUT, "/v1/things/7", r#"{"id": "7", "text": "a"}"#, json!({"thing": {"id": "7", "text": "a"}}));
    accepts(Method::PUT, "/v1/things/7", "", json!({"thing": {"id": "7"}}));
    refuses(Method::PUT, "/v1/things/7", r#"{"id": "8"}"#, &[("id", "CONFLICTING_VALUE")]);
    let (lower, upper) = ("0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e", "0198C7A2-6D3E-7C51-9C0E-3A4F5B6C7D8E");
    let body = json!({"id": lower}).to_string();
    accepts(Method::PUT, &format!("/v1/things/{upper}"), &body, json!({"thing": {"id": upper}}));
    let other = upper.replace("0198", "0199");
    refuses(Method::PUT, &format!("/v1/things/{other}"), &body, &[("id", "CONFLICTING_VALUE")]);
}

#[test]
fn fields_are_named_as_the_body_has_them() {
    refuses(Method::PUT, "/v1/things/7", r#"{"wide": "x"}"#, &[("wide", "INVALID_VALUE")]);
    refuses(Method::PUT, "/v1/things/7", r#"{"shelf": {"number": 1.5}}"#, &[("shelf.number", "INVALID_VALUE")]);
    refuses(Method::PUT, "/v1/things/7", r#"{"nope": 1}"#, &[("nope", "UNKNOWN_FIELD")]);
    refuses(Method::PUT, "/v1/things/7", "[]", &[("body", "INVALID_VALUE")]);
}

#[test]
fn a_patch_without_a_mask_changes_what_its_body_has() {
    let check = |uri: &str, body: Value, mask: &str| {
        accepts(Method::PATCH, uri, &body.to_string(), json!({"updateMask": mask}));
    };
    check("/v1/things/7", json!({"anyJson": null, "text": null}), "anyJson,text");
    check("/v1/things/7", json!({"shelf": {"label": "x", "below": {"number": 1}}}), "shelf");
    check("/v1/things/7", json!({"shelf": null, "stack": null, "counts": {}}), "counts,shelf,stack");
    check("/v1/things/7", json!({"shelf": {}, "tags": [], "counts": {"a": 1}, "time": null}), "counts,shelf,tags,time");
    check("/v1/things/7", json!({"id": "7", "etag": "x", "madeBy": "y", "slug": "z", "any_json": 1}), "anyJson");
    check("/v1/things/7", json!({"id": "7"}), "");
    // Of a map of any values each key is named, and null takes one away.
    check("/v1/things/7", json!({"values": {"b": null, "a": 1}, "text": ""}), "text,values.a,values.b");
    check("/v1/things/7", json!({"values": {}}), "values");
    check("/v1/things/7", json!({"values": null}), "values");
    check("/v1/things/7?updateMask=", json!({"anyJson": 1, "text": ""}), "anyJson,text");
    check("/v1/things/7?updateMask=text", json!({"anyJson": 1, "text": "a"}), "text");
    check("/v1/things/7?updateMask=*", json!({"text": "a"}), "*");
    for broken in [",", "text,", ",text", "text,,data", "%20", "text,%20,data"] {
        let uri = format!("/v1/things/7?updateMask={broken}");
        refuses(Method::PATCH, &uri, r#"{"text": "a"}"#, &[("updateMask", "INVALID_VALUE")]);
    }
    accepts(Method::PATCH, "/v1/things/7?updateMask=text,%20data", "{}", json!({"updateMask": "text,data"}));
    let put = things::read(&THINGS, &Method::PUT, "/v1/things/7", &HeaderMap::new(), r#"{"text": "a"}"#).unwrap();
    assert_eq!(put.get("updateMask"), None, "only PATCH derives a mask");
}

#[test]
fn the_idempotency_key_fills_an_empty_request_id_and_never_differs_from_it() {
    const LOWER: &str = "0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e";
    const UPPER: &str = "0198C7A2-6D3E-7C51-9C0E-3A4F5B6C7D8E";
    let check = |query: &str, keys: &[&[u8]], expected: Result<&str, &str>| {
        let name = http::header::HeaderName::from_static("idempotency-key");
        let lines = keys.iter().map(|key| (name.clone(), http::HeaderValue::from_bytes(key).unwrap()));
        let uri = format!("/v1/things/7{query}");
        let read = things::read(&THINGS, &Method::PUT, &uri, &lines.collect(), "{}");
        let found = read.as_ref().map(|read| read["requestId"].as_str().unwrap());
        assert_eq!(found.map_err(|error| error.violations[0].reason), expected, "{uri}");
    };
    check("", &[b"k-1"], Ok("k-1"));
    check("", &[b"\"k-1\""], Ok("k-1"));
    check("", &[b"\xff"], Err("INVALID_VALUE"));
    check("?requestId=mine", &[b"k-1"], Err("CONFLICTING_VALUE"));
    check("?requestId=k-1", &[b"\"k-1\""], Ok("k-1"));
    check(&format!("?requestId={UPPER}"), &[LOWER.as_bytes()], Ok(UPPER));
    check("", &[b"k-1", b"k-2"], Err("CONFLICTING_VALUE"));
    check("", &[b"k-1", b"\"k-1\"", b"k-1"], Ok("k-1"));
    check("", &[LOWER.as_bytes(), UPPER.as_bytes()], Ok(LOWER));
}

#[test]
fn limits_hold() {
    let limits = Limits { body_bytes: 40, json_depth: 3, violations: 2 };
    let transcoder = things::transcoder().with_limits(limits);
    let check = |body: &str, expected: &str| {
        let error = things::read(&transcoder, &Method::POST, "/v1/things", &HeaderMap::new(), body).unwrap_err();
        assert_eq!(error.reason(), expected, "{body}");
    };
    check(&format!("\"{}\"", "x".repeat(40)), "BODY_TOO_LARGE");
    check(r#"{"anyJson": [[[1]]]}"#, "MALFORMED_JSON");
    let many = r#"{"a":1,"b":1,"c":1,"d":1}"#;
    let error = things::read(&transcoder, &Method::POST, "/v1/things", &HeaderMap::new(), many).unwrap_err();
    assert_eq!(error.violations.len(), 3);
    let last =
        Violation { field: String::new(), description: "2 more faults are left out".into(), reason: "INVALID_REQUEST" };
    assert_eq!(error.violations.last(), Some(&last));
}

#[test]
fn unusable_rules_are_refused_at_construction() {
    let check = |options: &str, expected: &str| {
        let text = format!(
            r#"syntax = "proto3"; package t; import "google/api/annotations.proto";
               message M {{ string a = 1; repeated string b = 2; M m = 3; }}
               service S {{ rpc One(M) returns (M) {{ option (google.api.http) = {{get: "/v1/{{a}}"}}; }} {options} }}"#
        );
        let folder = std::env::temp_dir().join(format!("crm-transcode-{}-{:p}", std::process::id(), &text));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("t.proto"), text).unwrap();
        let built = Transcoder::new(&things::compile(&folder, "t.proto"));
        std::fs::remove_dir_all(&folder).unwrap();
        let error = built.unwrap_err().to_string();
        assert!(error.contains(expected), "{options}: {error}");
    };
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {get: "/v1/{m.a}"}; }"#, "taken by /t.S/One");
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {get: "/v2/{x}"}; }"#, "not a field of t.M");
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {get: "/v2/{b}"}; }"#, "not a single scalar");
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {get: "/v2/{m}"}; }"#, "not a single scalar");
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {post: "/v2" body: "x"}; }"#, "not a field of t.M");
    check(
        r#"rpc Two(M) returns (M) { option (google.api.http) = {get: "/v2" response_body: "x"}; }"#,
        "not a field of t.M",
    );
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {get: "/v2/"}; }"#, "not a segment");
    check(r#"rpc Two(M) returns (M) { option (google.api.http) = {body: "*"}; }"#, "no method and path");
    check(r#"rpc Two(stream M) returns (M) { option (google.api.http) = {post: "/v2"}; }"#, "client stream");
    assert!(Transcoder::new(b"\xff\xff").is_err());
}
