//! Tokens as an attacker would send them.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod checklist;
mod services;

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use crm_server::REASONS;
use crm_server::token::{ISSUER, KeyError, Role, Signer, TokenError, TokenRequest, Verifier, tenant_id};
use ring::hmac;
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};

/// The id of no tenant.
const NOBODY: &str = "00000000-0000-0000-0000-000000000000";

struct Keys {
    pair: Ed25519KeyPair,
    signer: Signer,
    verifier: Verifier,
    public: String,
}

fn keys() -> Keys {
    let (private, public) = Signer::generate_pem().unwrap();
    let der = STANDARD.decode(private.lines().nth(1).unwrap()).unwrap();
    Keys {
        pair: Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap(),
        signer: Signer::from_pem(&private).unwrap(),
        verifier: Verifier::from_pem(&public).unwrap(),
        public,
    }
}

fn request(ttl: Duration) -> TokenRequest {
    TokenRequest { subject: "ada".to_owned(), tenant: "acme".to_owned(), role: Role::Manager, ttl }
}

fn good() -> Value {
    let exp = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 60;
    json!({"iss": ISSUER, "aud": "crm", "sub": "ada", "tenant": "acme", "role": "agent", "exp": exp})
}

fn with(key: &str, value: Value) -> Value {
    let mut body = good();
    body[key] = value;
    body
}

fn without(key: &str) -> Value {
    let mut body = good();
    body.as_object_mut().unwrap().remove(key);
    body
}

fn encode(header: &Value, body: &Value, sign: impl Fn(&[u8]) -> Vec<u8>) -> String {
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let message = format!("{}.{}", part(header), part(body));
    format!("{message}.{}", URL_SAFE_NO_PAD.encode(sign(message.as_bytes())))
}

fn signed(keys: &Keys, body: &Value) -> String {
    encode(&json!({"alg": "EdDSA", "typ": "JWT"}), body, |message| keys.pair.sign(message).as_ref().to_vec())
}

#[test]
fn what_the_signer_makes_the_verifier_reads() {
    let keys = keys();
    let token = keys.signer.sign(&request(Duration::from_secs(60))).unwrap();
    let claims = keys.verifier.verify(&token).unwrap();
    assert_eq!((claims.subject.as_str(), claims.tenant_name.as_str(), claims.role), ("ada", "acme", Role::Manager));
    assert_eq!(claims.tenant, tenant_id("acme"));
    assert!(claims.expires_at > SystemTime::now());
}

#[test]
fn every_way_to_be_wrong_has_its_reason() {
    let keys = keys();
    let other = self::keys();
    let body = good();
    let hs256 = encode(&json!({"alg": "HS256"}), &body, |message| {
        // The classic: the public key as an HMAC secret.
        hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, keys.public.as_bytes()), message).as_ref().to_vec()
    });
    let none = encode(&json!({"alg": "none"}), &body, |_| Vec::new());
    let genuine = signed(&keys, &body);
    let (_, signature) = genuine.rsplit_once('.').unwrap();
    let forged = signed(&keys, &with("role", json!("admin")));
    let tampered = format!("{}.{signature}", forged.rsplit_once('.').unwrap().0);
    let cases = [
        (signed(&other, &body), TokenError::Signature),
        (tampered, TokenError::Signature),
        (genuine[..genuine.len() - 2].to_owned(), TokenError::Signature),
        (format!("{genuine}!"), TokenError::Malformed),
        (hs256, TokenError::Algorithm),
        (none, TokenError::Algorithm),
        (signed(&keys, &with("aud", json!("billing"))), TokenError::Audience),
        (signed(&keys, &without("aud")), TokenError::Audience),
        (signed(&keys, &with("iss", json!("somebody"))), TokenError::Issuer),
        (signed(&keys, &without("iss")), TokenError::Issuer),
        (signed(&keys, &with("exp", json!(1))), TokenError::Expired),
        (signed(&keys, &without("exp")), TokenError::Malformed),
        (signed(&keys, &with("exp", json!("soon"))), TokenError::Malformed),
        (signed(&keys, &with("role", json!("root"))), TokenError::Malformed),
        (signed(&keys, &with("tenant", json!(""))), TokenError::Tenant),
        (signed(&keys, &with("tenant", json!(NOBODY))), TokenError::Tenant),
        (signed(&keys, &without("tenant")), TokenError::Tenant),
        (signed(&keys, &with("role", json!("service"))), TokenError::Role),
        (signed(&keys, &with("sub", json!("service:sales"))), TokenError::Role),
        (signed(&keys, &without("sub")), TokenError::Malformed),
        (signed(&keys, &json!(["not", "claims"])), TokenError::Malformed),
        (String::new(), TokenError::Malformed),
        ("a.b".to_owned(), TokenError::Malformed),
        ("é.é.é".to_owned(), TokenError::Malformed),
        (format!("{}.x.y.z", URL_SAFE_NO_PAD.encode(r#"{"alg":"EdDSA"}"#)), TokenError::Malformed),
        ("x".repeat(1_000_000), TokenError::Malformed),
    ];
    for (token, expected) in cases {
        assert_eq!(keys.verifier.verify(&token), Err(expected), "{token:.60}");
        assert!(REASONS.iter().any(|(reason, _)| *reason == expected.reason()), "{expected:?}");
    }
}

#[test]
fn a_token_that_no_clock_reaches_is_no_panic() {
    let keys = keys();
    let far = signed(&keys, &with("exp", json!(u64::MAX)));
    assert_eq!(keys.verifier.verify(&far), Err(TokenError::Malformed));
    assert_eq!(keys.signer.sign(&request(Duration::MAX)), Err(KeyError::Lifetime));
}

#[test]
fn what_nobody_would_accept_is_not_signed() {
    let keys = keys();
    let check = |change: &dyn Fn(&mut TokenRequest), expected: Result<(), KeyError>| {
        let mut request = request(Duration::from_secs(60));
        change(&mut request);
        let signed = keys.signer.sign(&request);
        assert_eq!(signed.as_ref().map(drop).map_err(|error| *error), expected, "{request:?}");
        signed.into_iter().for_each(|token| drop(keys.verifier.verify(&token).unwrap()));
    };
    check(&|_| {}, Ok(()));
    check(&|request| request.tenant = String::new(), Err(KeyError::Tenant));
    check(&|request| request.tenant = NOBODY.to_owned(), Err(KeyError::Tenant));
    check(&|request| request.tenant = "x".repeat(2_000), Ok(()));
    check(&|request| request.tenant = "x".repeat(4_000), Err(KeyError::Length));
    check(&|request| request.subject = String::new(), Err(KeyError::Subject));
    check(&|request| request.subject = "x".repeat(4_000), Err(KeyError::Length));
    check(&|request| request.subject = "service:sales".to_owned(), Err(KeyError::Role));
    check(&|request| request.role = Role::Service, Err(KeyError::Role));
    check(&|request| request.ttl = Duration::from_millis(999), Err(KeyError::Lifetime));
    check(&|request| request.ttl = Duration::from_secs(u64::MAX / 2), Err(KeyError::Lifetime));
}

#[test]
fn a_remembered_token_is_known_again_and_forgotten_when_it_expires() {
    let keys = keys();
    let body = with("exp", json!(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 2));
    let token = signed(&keys, &body);
    let first = keys.verifier.verify(&token).unwrap();
    let again = keys.verifier.verify(&token).unwrap();
    assert!(std::sync::Arc::ptr_eq(&first, &again), "the second look costs one hash");
    let deadline = std::time::Instant::now() + Duration::from_secs(5);
    while keys.verifier.verify(&token).is_ok() {
        assert!(std::time::Instant::now() < deadline, "it must expire");
        std::thread::sleep(Duration::from_millis(50));
    }
    assert_eq!(keys.verifier.verify(&token), Err(TokenError::Expired));
}

#[test]
fn while_keys_are_rotated_both_are_accepted() {
    let (old, new) = (keys(), keys());
    let both = Verifier::from_pem(&format!("{}\n{}", old.public, new.public)).unwrap();
    for keys in [&old, &new] {
        both.verify(&keys.signer.sign(&request(Duration::from_secs(60))).unwrap()).unwrap();
    }
    let stranger = keys().signer.sign(&request(Duration::from_secs(60))).unwrap();
    assert_eq!(both.verify(&stranger), Err(TokenError::Signature));
}

#[test]
fn the_public_key_follows_from_the_private_one() {
    let (one, other) = (keys(), keys());
    assert_eq!(one.signer.public_pem(), one.public);
    let both = Verifier::from_pem(&format!("{}\n{}", other.public, one.public)).unwrap();
    assert!(one.verifier.knows(&one.signer) && both.knows(&one.signer));
    assert!(!other.verifier.knows(&one.signer));
}

#[test]
fn what_is_no_key_is_refused() {
    for text in ["", "garbage", "-----BEGIN PUBLIC KEY-----\n-----END"] {
        assert_eq!(Verifier::from_pem(text).unwrap_err(), KeyError::Empty, "{text}");
    }
    let wrong = "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n";
    assert_eq!(Verifier::from_pem(wrong).unwrap_err(), KeyError::Malformed);
    // Of X25519: as long as ours, and no key to sign with.
    let kind = "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VuAyEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n-----END PUBLIC KEY-----\n";
    assert_eq!(Verifier::from_pem(kind).unwrap_err(), KeyError::Malformed);
    let (private, public) = Signer::generate_pem().unwrap();
    for both in [private.clone(), format!("{private}{public}"), format!("{public}{private}")] {
        assert_eq!(Verifier::from_pem(&both).unwrap_err(), KeyError::Private);
    }
    let certificate = format!("{public}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n");
    assert_eq!(Verifier::from_pem(&certificate).unwrap_err(), KeyError::Malformed);
    for several in [format!("{private}{public}"), format!("{private}{private}")] {
        assert_eq!(Signer::from_pem(&several).unwrap_err(), KeyError::Malformed);
    }
    let cut = "-----BEGIN PRIVATE KEY-----\nMC4CAQAwBQYDK2VwBCIEIA==\n-----END PRIVATE KEY-----\n";
    for text in ["", "garbage", wrong, cut] {
        assert_eq!(Signer::from_pem(text).unwrap_err(), KeyError::Malformed, "{text}");
    }
}

#[test]
fn a_tenant_has_one_id_everywhere() {
    let id = "0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e";
    assert_eq!(tenant_id(id).to_string(), id);
    // Fixed for ever: data are stored under it.
    assert_eq!(tenant_id("demo"), tenant_id("demo"));
    assert_ne!(tenant_id("demo"), tenant_id("crm-sales"));
    assert_eq!(tenant_id("demo").to_string(), "c8879ce0-cd3f-59b1-8927-7c4a5abf52f7");
}
