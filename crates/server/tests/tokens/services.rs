//! Tokens of services, and those who would like to be one.

use crm_server::token::{ServiceSigner, says_service};
use http::HeaderMap;
use uuid::Uuid;

use super::*;

const TENANT: Uuid = Uuid::from_u128(7);

/// Keys of users and of services, and who believes both.
struct Both {
    users: Keys,
    services: Keys,
    services_private: String,
    verifier: Verifier,
}

fn both() -> Both {
    let (private, public) = Signer::generate_pem().unwrap();
    let der = STANDARD.decode(private.lines().nth(1).unwrap()).unwrap();
    let pair = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der).unwrap();
    let (signer, own) = (Signer::from_pem(&private).unwrap(), Verifier::from_pem(&public).unwrap());
    let users = keys();
    let verifier = users.verifier.clone().and_services(&public).unwrap();
    let services = Keys { pair, signer, verifier: own, public };
    Both { users, services, services_private: private, verifier }
}

/// What a service's token says.
fn service() -> Value {
    let mut body = with("role", json!("service"));
    body["sub"] = json!("service:sales");
    body["iat"] = json!(now());
    body
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

/// The service's, made and expiring so many seconds from now.
fn lasting(iat: Option<i64>, exp: i64) -> Value {
    let mut body = service_with("exp", json!(now().strict_add_signed(exp)));
    match iat {
        Some(iat) => body["iat"] = json!(now().strict_add_signed(iat)),
        None => drop(body.as_object_mut().unwrap().remove("iat")),
    }
    body
}

/// However it is signed, nobody carries it about: what is found somewhere later is worthless.
#[test]
fn a_service_s_token_lasts_for_minutes() {
    let both = both();
    let check = |iat, exp, expected: Result<(), TokenError>| {
        let token = signed(&both.services, &lasting(iat, exp));
        for _ in 0..2 {
            assert_eq!(both.verifier.verify(&token).map(drop), expected, "{iat:?} {exp}");
        }
    };
    check(Some(0), 120, Ok(()));
    check(Some(0), 900, Ok(()));
    check(Some(-800), 100, Ok(()));
    check(Some(5), 120, Ok(()));
    check(Some(0), 1_000, Err(TokenError::Lifetime));
    check(Some(-86_000), 400, Err(TokenError::Lifetime));
    check(Some(86_000), 86_400, Err(TokenError::Lifetime));
    check(Some(86_000), 120, Ok(()));
    check(None, 120, Err(TokenError::Lifetime));
    check(Some(0), -1, Err(TokenError::Expired));
    // Users' are as long as whoever signs them likes.
    let user = with("exp", json!(now() + 86_400));
    assert!(both.verifier.verify(&signed(&both.users, &user)).is_ok());
}

fn service_with(key: &str, value: Value) -> Value {
    let mut body = service();
    body[key] = value;
    body
}

fn service_without(key: &str) -> Value {
    let mut body = service();
    body.as_object_mut().unwrap().remove(key);
    body
}

#[test]
fn a_service_is_known_by_its_name_for_one_tenant_at_a_time() {
    let both = both();
    let signer = ServiceSigner::from_pem(&both.services_private, "sales").unwrap();
    let value = signer.authorization(TENANT).unwrap();
    let token = value.to_str().unwrap().strip_prefix("Bearer ").unwrap();
    let claims = both.verifier.verify(token).unwrap();
    assert_eq!((claims.subject.as_str(), claims.role, claims.tenant), ("service:sales", Role::Service, TENANT));
    let left = claims.expires_at.duration_since(SystemTime::now()).unwrap();
    assert!(left > Duration::from_secs(60) && left <= Duration::from_secs(120), "{left:?}");

    assert_eq!(signer.authorization(TENANT).unwrap(), value, "made once for a while");
    assert!(value.is_sensitive());
    assert_ne!(signer.authorization(Uuid::from_u128(8)).unwrap(), value);
    assert_eq!(signer.authorization(Uuid::nil()), Err(KeyError::Tenant));
    assert!(!format!("{signer:?}").contains(token));
}

#[test]
fn no_key_of_one_kind_gives_what_the_other_gives() {
    let both = both();
    let (Both { users, services, verifier, .. }, stranger) = (&both, keys());
    let named = |name: &str| service_with("sub", json!(name));
    let cases = [
        ("a service", signed(services, &service()), None),
        ("a user", signed(users, &good()), None),
        ("a user's key says service", signed(users, &service()), Some(TokenError::Role)),
        ("and by a user's name", signed(users, &with("role", json!("service"))), Some(TokenError::Role)),
        ("a user by a service's name", signed(users, &with("sub", json!("service:sales"))), Some(TokenError::Role)),
        (
            "the services' key says admin",
            signed(services, &service_with("role", json!("admin"))),
            Some(TokenError::Role),
        ),
        ("and by a user's name", signed(services, &good()), Some(TokenError::Role)),
        ("a service by a user's name", signed(services, &with("role", json!("service"))), Some(TokenError::Role)),
        ("by no name", signed(services, &named("service:")), Some(TokenError::Role)),
        ("by two", signed(services, &named("service:sales service:support")), Some(TokenError::Role)),
        ("in capitals", signed(services, &named("service:Sales")), Some(TokenError::Role)),
        ("a role in capitals", signed(services, &service_with("role", json!("Service"))), Some(TokenError::Malformed)),
        ("a stranger", signed(&stranger, &service()), Some(TokenError::Signature)),
        ("no tenant", signed(services, &service_without("tenant")), Some(TokenError::Tenant)),
        ("an empty one", signed(services, &service_with("tenant", json!(""))), Some(TokenError::Tenant)),
        ("the id of none", signed(services, &service_with("tenant", json!(NOBODY))), Some(TokenError::Tenant)),
        (
            "all of them",
            signed(services, &service_with("tenant", json!(["acme", "globex"]))),
            Some(TokenError::Malformed),
        ),
        ("expired", signed(services, &service_with("exp", json!(1))), Some(TokenError::Expired)),
        ("for ever", signed(services, &service_without("exp")), Some(TokenError::Malformed)),
        ("for others", signed(services, &service_with("aud", json!("billing"))), Some(TokenError::Audience)),
        ("by another issuer", signed(services, &service_with("iss", json!("somebody"))), Some(TokenError::Issuer)),
    ];
    for (line, token, expected) in cases {
        // Twice: what is remembered is what was verified.
        for _ in 0..2 {
            assert_eq!(verifier.verify(&token).err(), expected, "{line}");
        }
    }
    for token in [signed(services, &service()), signed(services, &good())] {
        assert_eq!(users.verifier.verify(&token), Err(TokenError::Signature), "who knows users alone");
    }
}

/// The header names no key and no algorithm but one.
#[test]
fn a_token_does_not_choose_what_it_is_judged_by() {
    let both = both();
    let Both { users, services, verifier, .. } = &both;
    let secret = hmac::Key::new(hmac::HMAC_SHA256, services.public.as_bytes());
    let hs256 = encode(&json!({"alg": "HS256"}), &service(), |message| hmac::sign(&secret, message).as_ref().to_vec());
    let none = encode(&json!({"alg": "none"}), &service(), |_| Vec::new());
    for token in [hs256, none] {
        assert_eq!(verifier.verify(&token), Err(TokenError::Algorithm));
    }
    for kid in ["service", "1", "../keys/service-public.pem", "services' key", ""] {
        let header = json!({"alg": "EdDSA", "kid": kid, "jku": "http://127.0.0.1:9/"});
        let by = |keys: &Keys| encode(&header, &service(), |message| keys.pair.sign(message).as_ref().to_vec());
        assert_eq!(verifier.verify(&by(users)), Err(TokenError::Role), "{kid}");
        assert_eq!(verifier.verify(&by(services)).unwrap().role, Role::Service, "{kid}");
    }
    // The signature of the one under the claims of the other.
    let (user, service) = (signed(users, &good()), signed(services, &service()));
    let body = |token: &str| token.rsplit_once('.').unwrap().0.to_owned();
    let signature = |token: &str| token.rsplit_once('.').unwrap().1.to_owned();
    for swapped in
        [format!("{}.{}", body(&user), signature(&service)), format!("{}.{}", body(&service), signature(&user))]
    {
        assert_eq!(verifier.verify(&swapped), Err(TokenError::Signature));
    }
}

#[test]
fn while_the_services_keys_are_rotated_both_are_accepted() {
    let (users, old, new) = (keys(), keys(), keys());
    let verifier = users.verifier.and_services(&format!("{}\n{}", old.public, new.public)).unwrap();
    for keys in [&old, &new] {
        assert_eq!(verifier.verify(&signed(keys, &service())).unwrap().role, Role::Service);
        assert_eq!(verifier.verify(&signed(keys, &good())), Err(TokenError::Role));
    }
    assert!(verifier.knows(&new.signer));
}

#[test]
fn one_key_is_not_taken_for_both() {
    let (one, other) = (keys(), keys());
    for shared in [one.public.clone(), format!("{}\n{}", other.public, one.public)] {
        assert_eq!(one.verifier.clone().and_services(&shared).unwrap_err(), KeyError::Shared);
    }
    assert_eq!(one.verifier.and_services("").unwrap_err(), KeyError::Empty);
}

#[test]
fn signers_keep_to_their_kind() {
    let keys = keys();
    for (subject, role) in [("ada", Role::Service), ("service:sales", Role::Agent), ("service:sales", Role::Service)] {
        let request = TokenRequest { subject: subject.to_owned(), role, ..request(Duration::from_secs(60)) };
        assert_eq!(keys.signer.sign(&request), Err(KeyError::Role), "{subject} {role}");
    }
    let (private, _) = Signer::generate_pem().unwrap();
    for name in ["", "Sales", "sales ", "a:b", "7", "-"] {
        assert_eq!(ServiceSigner::from_pem(&private, name).unwrap_err(), KeyError::Name, "{name}");
    }
    assert_eq!(ServiceSigner::from_pem("garbage", "sales").unwrap_err(), KeyError::Malformed);
}

/// Where nothing is verified, what a token says of itself is enough to refuse it, and for nothing else.
#[test]
fn who_says_to_be_a_service_is_heard() {
    let keys = keys();
    let check = |authorization: Option<String>, expected: bool| {
        let headers: HeaderMap =
            authorization.iter().map(|value| (http::header::AUTHORIZATION, value.parse().unwrap())).collect();
        assert_eq!(says_service(&headers), expected, "{authorization:?}");
    };
    let bearer = |body: &Value| Some(format!("bEARER  {} ", signed(&keys, body)));
    check(bearer(&service()), true);
    check(bearer(&with("role", json!("service"))), true);
    check(bearer(&good()), false);
    check(bearer(&service_with("iss", json!("https://login.example"))), false);
    check(bearer(&service_without("iss")), false);
    check(bearer(&json!(["service"])), false);
    check(Some("Bearer garbage".to_owned()), false);
    check(Some("Basic c2VydmljZQ==".to_owned()), false);
    check(None, false);
}
