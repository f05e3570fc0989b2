//! Conditions of HTTP, as messages of RPCs and as verdicts on answers.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod things;

use crm_proto::customers as pb;
use crm_transcode::{Request, RequestError, Transcoder, Verdict};
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use prost::Message;
use serde_json::Value;

fn ours() -> Transcoder {
    Transcoder::new(crm_proto::DESCRIPTORS).unwrap()
}

fn headers(lines: &[(&'static str, &str)]) -> HeaderMap {
    let parse = |(name, value): &(&'static str, &str)| {
        (HeaderName::from_static(name), HeaderValue::from_bytes(value.as_bytes()).unwrap())
    };
    lines.iter().map(parse).collect()
}

fn ask(
    transcoder: &Transcoder,
    method: &Method,
    uri: &str,
    lines: &[(&'static str, &str)],
    body: &str,
) -> Result<Request, RequestError> {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let found = transcoder.route(method, path).unwrap();
    transcoder.request(&found, query, &headers(lines), body.as_bytes())
}

/// The etags of the messages that a request becomes, found at `pointer` of their JSON.
fn check_states((method, uri, pointer): (&Method, &str, &str), if_match: &[&str], body: &str, expected: &[&str]) {
    let transcoder = ours();
    let lines: Vec<_> = if_match.iter().map(|line| ("if-match", *line)).collect();
    let asked = ask(&transcoder, method, uri, &lines, body).unwrap_or_else(|error| panic!("{if_match:?}: {error}"));
    let rpc = transcoder.route(method, uri.split('?').next().unwrap()).unwrap().rpc.clone();
    let read = |message| {
        let json = transcoder.message_to_json(rpc.request_type(), message).unwrap();
        let json: Value = serde_json::from_slice(&json).unwrap();
        json.pointer(pointer).unwrap().as_str().unwrap().to_owned()
    };
    let etags: Vec<String> = asked.messages.iter().map(|message| read(message)).collect();
    assert_eq!(etags, expected, "{method} {uri} {if_match:?}");
    assert_eq!(asked.is_conditional, expected != [""], "{method} {uri} {if_match:?}");
}

#[test]
fn if_match_becomes_the_etag_of_the_request() {
    let update = (&Method::PATCH, "/v1/accounts/7", "/account/etag");
    let delete = (&Method::DELETE, "/v1/accounts/7", "/etag");
    let undelete = (&Method::POST, "/v1/contacts/7:undelete", "/etag");
    for (route, body) in [(update, "{}"), (update, ""), (delete, ""), (undelete, "{}"), (undelete, "")] {
        check_states(route, &["\"v1\""], body, &["v1"]);
        check_states(route, &["*"], body, &[""]);
        check_states(route, &["\"v1\", \"v2\"", "\"v1\",\"v3\""], body, &["v1", "v2", "v3"]);
        check_states(route, &["W/\"v1\", \"v2\""], body, &["v2"]);
        check_states(route, &["W/\"v1\""], body, &[]);
        check_states(route, &["\"\""], body, &[]);
        check_states(route, &["\"%22a%20b%22\""], body, &["\"a b\""]);
    }
}

#[test]
fn an_etag_that_is_given_already_must_agree() {
    let update = (&Method::PATCH, "/v1/accounts/7", "/account/etag");
    check_states(update, &["\"v1\""], r#"{"etag": "v1"}"#, &["v1"]);
    check_states(update, &["\"v2\", \"v1\""], r#"{"etag": "v1"}"#, &["v1"]);
    check_states(update, &["W/\"v1\""], r#"{"etag": "v1"}"#, &[]);
    check_states((&Method::DELETE, "/v1/accounts/7?etag=v1", "/etag"), &["\"v1\""], "", &["v1"]);
    let asked = ask(&ours(), &Method::DELETE, "/v1/accounts/7?etag=v1", &[("if-match", "*")], "").unwrap();
    assert!(!asked.is_conditional && asked.messages.len() == 1, "the state is the query's");
    let conflict = [("if-match", "\"v2\"")];
    for (method, uri, body, field) in [
        (Method::PATCH, "/v1/accounts/7", r#"{"etag": "v1"}"#, "etag"),
        (Method::DELETE, "/v1/accounts/7?etag=v1", "", "etag"),
        (Method::POST, "/v1/accounts/7:undelete", r#"{"etag": "v1"}"#, "etag"),
    ] {
        let error = ask(&ours(), &method, uri, &conflict, body).unwrap_err();
        let first = &error.violations[0];
        assert_eq!((first.field.as_str(), first.reason), (field, "CONFLICTING_VALUE"), "{method} {uri}");
    }
}

fn refuses(method: &Method, uri: &str, line: (&'static str, &str), reason: &str) {
    let error = ask(&ours(), method, uri, &[line], "").unwrap_err();
    let first = &error.violations[0];
    assert_eq!((first.field.to_lowercase().as_str(), first.reason), (line.0, reason), "{method} {uri}: {error}");
}

#[test]
fn conditions_that_nobody_checks_are_refused() {
    let tag = ("if-match", "\"v1\"");
    for (method, uri) in [
        (Method::POST, "/v1/accounts?requestId=r"),
        (Method::GET, "/v1/accounts"),
        (Method::GET, "/v1/accounts:batchGet?ids=7"),
        (Method::GET, "/v1/accounts:export"),
    ] {
        refuses(&method, uri, tag, "INVALID_REQUEST");
        refuses(&method, uri, ("if-match", "*"), "INVALID_REQUEST");
    }
    for (method, uri) in [
        (Method::POST, "/v1/accounts?requestId=r"),
        (Method::PATCH, "/v1/accounts/7"),
        (Method::DELETE, "/v1/accounts/7"),
    ] {
        refuses(&method, uri, ("if-none-match", "*"), "INVALID_REQUEST");
        refuses(&method, uri, ("if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT"), "INVALID_REQUEST");
    }
    let many: Vec<String> = (0..11).map(|number| format!("\"v{number}\"")).collect();
    refuses(&Method::DELETE, "/v1/accounts/7", ("if-match", &many.join(",")), "INVALID_VALUE");
    let ten = [("if-match", &*many[..10].join(","))];
    assert_eq!(ask(&ours(), &Method::DELETE, "/v1/accounts/7", &ten, "").unwrap().messages.len(), 10);
    for broken in ["v1", "", "\"v1", "*, \"v1\""] {
        refuses(&Method::DELETE, "/v1/accounts/7", ("if-match", broken), "INVALID_VALUE");
        refuses(&Method::GET, "/v1/accounts/7", ("if-none-match", broken), "INVALID_VALUE");
    }
    let both = [("if-match", "\"v1\""), ("if-unmodified-since", "Sat, 29 Oct 1994 19:43:31 GMT")];
    assert!(ask(&ours(), &Method::DELETE, "/v1/accounts/7", &both, "").is_ok(), "the tag goes before the date");
    let dates = [("if-modified-since", "x"), ("if-unmodified-since", "x"), ("if-range", "\"v1\"")];
    assert!(ask(&ours(), &Method::GET, "/v1/accounts/7", &dates, "").is_ok(), "reads have no date to be compared");
}

#[test]
fn the_etag_is_found_beside_what_the_path_names_or_in_the_request() {
    let transcoder = things::transcoder();
    let asked = ask(&transcoder, &Method::PATCH, "/v1/things/7", &[("if-match", "\"v1\"")], "{}").unwrap();
    let json = transcoder.message_to_json("things.v1.ChangeThingRequest", &asked.messages[0]).unwrap();
    assert!(String::from_utf8(json).unwrap().contains(r#""etag":"v1""#));
    let asked = ask(&transcoder, &Method::DELETE, "/v1/shelves/7", &[("if-match", "\"v1\"")], "").unwrap();
    let json = transcoder.message_to_json("things.v1.DropShelfRequest", &asked.messages[0]).unwrap();
    assert!(String::from_utf8(json).unwrap().ends_with(r#""etag":"v1"}"#));
    let error = ask(&transcoder, &Method::POST, "/v1/things", &[("if-match", "\"v1\"")], "{}").unwrap_err();
    assert_eq!(error.reason(), "INVALID_REQUEST", "a creation has no state before it");
}

fn check_read(lines: &[(&'static str, &str)], etag: &str, expected: Verdict) {
    let transcoder = ours();
    let found = transcoder.route(&Method::GET, "/v1/accounts/7").unwrap();
    let asked = transcoder.request(&found, None, &headers(lines), b"").unwrap();
    let account = pb::Account { etag: etag.into(), ..Default::default() }.encode_to_vec();
    let answer = transcoder.answer(found.rpc, &asked.conditions, &account).unwrap();
    assert_eq!(answer.verdict, expected, "{lines:?} {etag}");
    assert_eq!(answer.json.is_empty(), expected != Verdict::Show);
    let tag = (!etag.is_empty()).then(|| format!("\"{etag}\""));
    assert_eq!(answer.etag.map(|tag| tag.to_str().unwrap().to_owned()), tag);
}

#[test]
fn reads_are_judged_by_the_state_that_they_found() {
    use Verdict::{Failed, NotModified, Show};
    check_read(&[], "v1", Show);
    check_read(&[], "", Show);
    for (none_match, expected) in [
        ("\"v1\"", NotModified),
        ("W/\"v1\"", NotModified),
        ("\"v0\" , W/\"v1\"", NotModified),
        ("*", NotModified),
        ("\"v2\"", Show),
        ("\"V1\"", Show),
    ] {
        check_read(&[("if-none-match", none_match)], "v1", expected);
        check_read(&[("if-none-match", none_match)], "", Show);
    }
    for (matching, expected) in [("\"v1\"", Show), ("*", Show), ("W/\"v1\"", Failed), ("\"v2\"", Failed)] {
        check_read(&[("if-match", matching)], "v1", expected);
    }
    check_read(&[("if-match", "\"v1\"")], "", Failed);
    check_read(&[("if-match", "\"v2\""), ("if-none-match", "\"v1\"")], "v1", Failed);
    check_read(&[("if-match", "\"v1\""), ("if-none-match", "\"v1\"")], "v1", NotModified);
}

#[test]
fn only_answers_that_are_one_resource_have_a_tag() {
    let check = |transcoder: &Transcoder, path: &str, message: &[u8], expected: Option<&str>| {
        let rpc = transcoder.methods().find(|rpc| rpc.path.ends_with(path)).unwrap();
        let answer = transcoder.answer(rpc, &Default::default(), message).unwrap();
        assert_eq!(answer.etag.as_ref().map(|tag| tag.to_str().unwrap()), expected, "{path}");
    };
    let account = pb::Account { etag: "v 1".into(), ..Default::default() };
    for path in ["/GetAccount", "/CreateAccount", "/UpdateAccount", "/DeleteAccount", "/UndeleteAccount"] {
        check(&ours(), path, &account.encode_to_vec(), Some("\"v%201\""));
    }
    let list = pb::ListAccountsResponse { accounts: vec![account.clone()], ..Default::default() };
    check(&ours(), "/ListAccounts", &list.encode_to_vec(), None);
    check(&ours(), "/ExportAccounts", &account.encode_to_vec(), None);
    let things = things::transcoder();
    let route = things.route(&Method::PATCH, "/v1/things/7").unwrap();
    let changed =
        things.json_to_message("things.v1.ChangeThingResponse", &serde_json::json!({"thing": {"etag": "v1"}})).unwrap();
    let answer = things.answer(route.rpc, &Default::default(), &changed).unwrap();
    assert_eq!(answer.etag.unwrap(), "\"v1\"", "the part that the route shows has one");
}
