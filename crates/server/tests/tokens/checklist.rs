//! RFC 7515, 7519 and 8725 read as a checklist, a line a case.

use std::time::{SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::{TokenError, URL_SAFE_NO_PAD, good, keys, with};
use crate::{Engine, Keys};

const LATER: i64 = 4_000_000_000;

fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}

/// Signed as it stands: header and claims need not be JSON.
fn sealed(keys: &Keys, header: &[u8], body: &[u8]) -> String {
    let message = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(body));
    let signature = keys.pair.sign(message.as_bytes());
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
}

fn with_header(keys: &Keys, header: &str) -> String {
    sealed(keys, header.as_bytes(), good().to_string().as_bytes())
}

fn with_body(keys: &Keys, body: &str) -> String {
    sealed(keys, br#"{"alg":"EdDSA"}"#, body.as_bytes())
}

fn check(keys: &Keys, line: &str, token: &str, expected: Option<TokenError>) {
    assert_eq!(keys.verifier.verify(token).err(), expected, "{line}");
}

#[test]
fn headers_are_read_as_the_standards_want() {
    use TokenError::{Algorithm, Critical, Malformed};
    let keys = keys();
    let stranger = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let own_key = format!(r#"{{"alg":"EdDSA","jwk":{stranger}}}"#);
    for (line, header, expected) in [
        ("7515 4.1.1: alg is required", "{}", Some(Malformed)),
        ("7515 4.1.1: alg is a text", r#"{"alg":5}"#, Some(Malformed)),
        ("7515 4.1.1: alg is case-sensitive", r#"{"alg":"eddsa"}"#, Some(Algorithm)),
        ("8725 2.1: none", r#"{"alg":"none"}"#, Some(Algorithm)),
        ("8725 2.1: none in any case", r#"{"alg":"nOnE"}"#, Some(Algorithm)),
        ("8725 3.1: another algorithm", r#"{"alg":"RS256"}"#, Some(Algorithm)),
        ("7515 4.1.11: an extension that is not known", r#"{"alg":"EdDSA","crit":["exp"],"exp":1}"#, Some(Critical)),
        ("7797 6: b64 is such an extension", r#"{"alg":"EdDSA","crit":["b64"],"b64":false}"#, Some(Critical)),
        ("7515 4.1.11: of a registered name", r#"{"alg":"EdDSA","crit":["alg"]}"#, Some(Critical)),
        ("7515 4.1.11: absent from the header", r#"{"alg":"EdDSA","crit":["x"]}"#, Some(Critical)),
        ("7515 4.1.11: an empty list", r#"{"alg":"EdDSA","crit":[]}"#, Some(Critical)),
        ("7515 4.1.11: no list", r#"{"alg":"EdDSA","crit":"exp"}"#, Some(Critical)),
        ("7515 4.1.11: null", r#"{"alg":"EdDSA","crit":null}"#, Some(Critical)),
        ("7797 7: no token is without base64", r#"{"alg":"EdDSA","b64":false}"#, Some(Malformed)),
        ("7797 3: true is the default", r#"{"alg":"EdDSA","b64":true}"#, None),
        ("7515 4: a name twice", r#"{"alg":"none","alg":"EdDSA"}"#, Some(Malformed)),
        ("7515 4: a name twice, the other way", r#"{"alg":"EdDSA","alg":"none"}"#, Some(Malformed)),
        ("7515 4: unknown parameters are ignored", r#"{"alg":"EdDSA","x":{"y":[1]}}"#, None),
        ("7515 4.1.2: jku is not fetched", r#"{"alg":"EdDSA","jku":"http://127.0.0.1:9/"}"#, None),
        ("7515 4.1.3: jwk is not believed", &own_key, None),
        ("7515 4.1.4: kid is a hint", r#"{"alg":"EdDSA","kid":"../../etc/passwd"}"#, None),
        ("7515 4.1.4: kid is a text", r#"{"alg":"EdDSA","kid":7}"#, Some(Malformed)),
        ("7515 4.1.5: x5u is not fetched", r#"{"alg":"EdDSA","x5u":"http://127.0.0.1:9/"}"#, None),
        ("7515 4.1.9: typ in any case", r#"{"alg":"EdDSA","typ":"jwt"}"#, None),
        ("7515 4.1.9: typ as a media type", r#"{"alg":"EdDSA","typ":"application/JWT"}"#, None),
        ("9068 4: an access token", r#"{"alg":"EdDSA","typ":"at+jwt"}"#, None),
        ("8725 3.11: made for something else", r#"{"alg":"EdDSA","typ":"secevent+jwt"}"#, Some(Malformed)),
        ("7515 4.1.9: typ is a text", r#"{"alg":"EdDSA","typ":null}"#, Some(Malformed)),
        ("7515 4: the header is an object", r#"["EdDSA"]"#, Some(Malformed)),
        ("7515 4: and nothing else", r#"{"alg":"EdDSA"} x"#, Some(Malformed)),
        ("8259 7.2: blanks between tokens are fine", " { \"alg\" : \"EdDSA\" } \n", None),
    ] {
        check(&keys, line, &with_header(&keys, header), expected);
    }
    let utf8 = sealed(&keys, b"{\"alg\":\"EdDSA\",\"x\":\"\xff\"}", good().to_string().as_bytes());
    check(&keys, "8725 3.7: a header is UTF-8", &utf8, Some(Malformed));
}

#[test]
fn a_key_that_a_token_brings_along_signs_nothing() {
    let (keys, stranger) = (keys(), keys());
    let public = URL_SAFE_NO_PAD.encode(ring::signature::KeyPair::public_key(&stranger.pair));
    let header = json!({"alg": "EdDSA", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": public}}).to_string();
    check(&keys, "8725 3.10", &with_header(&stranger, &header), Some(TokenError::Signature));
}

#[test]
fn claims_are_read_as_the_standards_want() {
    use TokenError::{Audience, Expired, Issuer, Malformed, NotYetValid};
    let keys = keys();
    let cases: [(&str, &str, Value, Option<TokenError>); 35] = [
        ("7519 2: a date with a fraction", "exp", json!(now() + 30.25), None),
        ("7519 4.1.4: a fraction ago", "exp", json!(now() - 0.25), Some(Expired)),
        ("7519 4.1.4: before 1970", "exp", json!(-1.5), Some(Expired)),
        ("7519 4.1.4: long before", "exp", json!(f64::MIN), Some(Expired)),
        ("7519 4.1.4: the year 10000", "exp", json!(253_402_300_800_i64), None),
        ("7519 2: a number that is no date", "exp", json!(1e300), Some(Malformed)),
        ("7519 2: a text is no date", "exp", json!("4000000000"), Some(Malformed)),
        ("7519 2: null is no date", "exp", Value::Null, Some(Malformed)),
        ("7519 2: a list is no date", "exp", json!([LATER]), Some(Malformed)),
        ("7519 4.1.5: to come", "nbf", json!(LATER - 1), Some(NotYetValid)),
        ("7519 4.1.5: to come by a fraction", "nbf", json!(now() + 30.5), Some(NotYetValid)),
        ("7519 4.1.5: past", "nbf", json!(now() - 0.5), None),
        ("7519 4.1.5: before 1970", "nbf", json!(-1), None),
        ("7519 4.1.5: no date", "nbf", json!("soon"), Some(Malformed)),
        ("7519 4.1.5: null is no date", "nbf", Value::Null, Some(Malformed)),
        ("7519 4.1.5: beyond the calendar", "nbf", json!(1e300), Some(Malformed)),
        ("7519 4.1.6: says when, not whether", "iat", json!(LATER), None),
        ("7519 4.1.6: is a date", "iat", json!("now"), Some(Malformed)),
        ("7519 4.1.1: one issuer", "iss", json!(["bellwether"]), Some(Malformed)),
        ("7519 4.1.1: case-sensitive", "iss", json!("Bellwether"), Some(Issuer)),
        ("7519 4.1.1: null", "iss", Value::Null, Some(Malformed)),
        ("7519 4.1.3: one of several", "aud", json!(["billing", "crm"]), None),
        ("7519 4.1.3: none of several", "aud", json!(["billing", "CRM"]), Some(Audience)),
        ("7519 4.1.3: nobody", "aud", json!([]), Some(Audience)),
        ("7519 4.1.3: not all texts", "aud", json!(["crm", 1]), Some(Malformed)),
        ("7519 4.1.3: an object", "aud", json!({"crm": true}), Some(Malformed)),
        ("7519 4.1.2: a number", "sub", json!(7), Some(Malformed)),
        ("7519 4.1.2: nobody", "sub", json!(""), Some(Malformed)),
        ("7519 4.1.2: any characters", "sub", json!("ädä \u{1f600}"), None),
        ("a tenant's name is a text", "tenant", json!(["acme"]), Some(Malformed)),
        ("a role's name is a text", "role", json!({"admin": null}), Some(Malformed)),
        ("a role's name is case-sensitive", "role", json!("Admin"), Some(Malformed)),
        ("7519 4: unknown claims are ignored", "x", json!({"exp": 1, "crit": ["y"]}), None),
        ("7519 4.1.7: an id is nothing to us", "jti", json!("1"), None),
        ("8725 3.2: crit is no claim", "crit", json!(["exp"]), None),
    ];
    for (line, key, value, expected) in cases {
        let mut body = with("exp", json!(LATER));
        body[key] = value;
        check(&keys, line, &with_body(&keys, &body.to_string()), expected);
    }
}

#[test]
fn what_is_no_set_of_claims_is_malformed() {
    let keys = keys();
    let object = with("exp", json!(LATER)).to_string();
    let twice = |claim: &str| object.replacen('{', &format!("{{{claim},"), 1);
    let list = json!([super::ISSUER, "crm", "ada", "acme", "agent", LATER]).to_string();
    let packed = [0x78, 0x9c, 0xab, 0x56, 0x2a, 0x01, 0x00];
    let nested = with_body(&keys, &object);
    for (line, body) in [
        ("7519 4: a name twice", twice(r#""exp":1"#).into_bytes()),
        ("7519 4: a name twice, of a text", twice(r#""role":"admin""#).into_bytes()),
        ("7519 4: a name twice, of what may be left out", twice(r#""nbf":1,"nbf":1"#).into_bytes()),
        ("7519 7.2: an object, not a list in the right order", list.into_bytes()),
        ("7519 7.2: nothing", Vec::new()),
        ("7519 7.2: null", b"null".to_vec()),
        ("7519 7.2: more than an object", format!("{object}{object}").into_bytes()),
        ("8725 3.7: not UTF-8, where nobody looks", [br#"{"x":""#, &b"\xff\","[..], &object.as_bytes()[1..]].concat()),
        ("8725 3.7: UTF-16", object.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        ("8725 3.7: a byte order mark", format!("\u{feff}{object}").into_bytes()),
        ("8259 8.2: half a surrogate pair", object.replace("ada", r"\ud800").into_bytes()),
        ("7519 3: compressed", packed.to_vec()),
        ("7519 5.2: a token in a token", nested.clone().into_bytes()),
        ("7519 4.1.4: more digits than a number has", object.replace("4000000000", "1e400").into_bytes()),
    ] {
        check(&keys, line, &sealed(&keys, br#"{"alg":"EdDSA"}"#, &body), Some(TokenError::Malformed));
    }
    let nested = sealed(&keys, br#"{"alg":"EdDSA","cty":"JWT"}"#, nested.as_bytes());
    check(&keys, "7519 5.2: even if it says so", &nested, Some(TokenError::Malformed));
}

/// The same bits in another spelling: a token has one form, so that what is refused or revoked by its text stays so.
#[test]
fn only_the_shortest_spelling_of_a_token_is_taken() {
    use TokenError::{Malformed, Signature};
    let keys = keys();
    let token = with_body(&keys, &with("exp", json!(LATER)).to_string());
    let (message, signature) = token.rsplit_once('.').unwrap();
    let (header, body) = message.split_once('.').unwrap();
    // 64 bytes leave four bits of the last letter unused.
    let last = signature.chars().last().unwrap();
    let next = char::from_u32(u32::from(last) + 1).unwrap();
    let other_bits = format!("{message}.{}{next}", &signature[..signature.len() - 1]);
    for (line, token, expected) in [
        ("7515 2: bits that say nothing", other_bits, Malformed),
        ("7515 2: padding", format!("{message}.{signature}=="), Malformed),
        ("7515 2: padding of a part", format!("{header}=.{body}.{signature}"), Malformed),
        ("7515 2: a line break", format!("{header}.{body}\n.{signature}"), Malformed),
        ("7515 2: a blank", format!("{header}. {body}.{signature}"), Malformed),
        ("7515 2: the other alphabet", format!("{message}.{}", "+/".repeat(43)), Malformed),
        ("7515 5.2: one part too many", format!("{token}."), Malformed),
        ("7515 5.2: two too many, as of an encrypted token", format!("{token}.x.y"), Malformed),
        ("7515 5.2: one too few", message.to_owned(), Malformed),
        ("7515 5.2: no signature", format!("{message}."), Signature),
        ("7515 5.2: no claims", format!("{header}..{signature}"), Malformed),
        ("7515 5.2: no header", format!(".{body}.{signature}"), Malformed),
        ("7515 7.2: the JSON form", json!({"payload": body, "signature": signature}).to_string(), Malformed),
        ("a token that nobody would make", format!("{header}.{}.{signature}", body.repeat(30)), Malformed),
    ] {
        check(&keys, line, &token, Some(expected));
    }
    check(&keys, "and the token itself", &token, None);
}
