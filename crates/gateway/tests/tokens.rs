//! Who gets in, and what the others are told.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::{sync::atomic::Ordering, time::Duration};

use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use crm_gateway::PublicKeys;
use crm_proto::customers::{self as pb, account_service_client::AccountServiceClient};
use crm_server::token::{Role, ServiceSigner, Signer, tenant_id};
use http::{Method, StatusCode};
use ring::signature::Ed25519KeyPair;
use serde_json::{Value, json};
use support::{Rig, token_by, web, wire, with_token};
use tonic::Code;

const HOUR: Duration = Duration::from_secs(3600);

/// A token that our own signer would refuse to make.
fn forge(private_pem: &str, header: &Value, claims: &Value) -> String {
    let der: String = private_pem.lines().filter(|line| !line.starts_with('-')).collect();
    let key = Ed25519KeyPair::from_pkcs8_maybe_unchecked(&STANDARD.decode(der).unwrap()).unwrap();
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(header), part(claims));
    let signature = URL_SAFE_NO_PAD.encode(key.sign(signed.as_bytes()));
    format!("{signed}.{signature}")
}

fn claims(audience: &str, expires: u64) -> Value {
    json!({"iss": "bellwether", "aud": audience, "sub": "ada", "tenant": "acme", "role": "agent", "exp": expires})
}

async fn rig_with_key() -> (Rig, String) {
    let (private, public) = Signer::generate_pem().unwrap();
    let mut rig = Rig::start_with(1, |config| config.token_keys = Some(PublicKeys(public))).await;
    rig.signer = Signer::from_pem(&private).unwrap();
    (rig, private)
}

async fn check_refused(rig: &Rig, authorization: Option<&str>, reason: &str) {
    let headers: Vec<(&str, &str)> = authorization.map(|value| ("authorization", value)).into_iter().collect();
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &headers, "").await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{reason}");
    let error = if reason == "TOKEN_MISSING" { "" } else { r#", error="invalid_token""# };
    assert_eq!(answer.header("www-authenticate"), format!(r#"Bearer realm="bellwether"{error}"#), "{reason}");
    assert_eq!(answer.json()["code"], 16, "{reason}");
    assert_eq!(answer.reason(), reason);
    let grpc = wire::Grpc::connect(rig.public).await;
    let path = "/crm.customers.v1.AccountService/GetAccount";
    let answer = grpc.raw(path, &headers, bytes::Bytes::from_static(&[0; 5])).await;
    assert_eq!(answer.headers()["grpc-status"], "16", "{reason}");
}

#[tokio::test]
async fn bad_tokens_are_refused_before_anything_is_forwarded() {
    let (rig, private) = rig_with_key().await;
    let (other, _) = Signer::generate_pem().unwrap();
    let stranger = token_by(&Signer::from_pem(&other).unwrap(), Role::Admin, HOUR);
    let eddsa = json!({"alg": "EdDSA", "typ": "JWT"});
    let far = 4_000_000_000;
    let extended = json!({"alg": "EdDSA", "crit": ["exp"], "exp": far});
    let mut early = claims("crm", far);
    early["nbf"] = json!(far - 1);
    let cases = [
        (None, "TOKEN_MISSING"),
        (Some("Basic YTpi".to_owned()), "TOKEN_MISSING"),
        (Some("Bearer garbage".to_owned()), "TOKEN_MALFORMED"),
        (Some(format!("Bearer {stranger}")), "TOKEN_SIGNATURE"),
        (Some(format!("Bearer {}", forge(&private, &json!({"alg": "none"}), &claims("crm", far)))), "TOKEN_ALGORITHM"),
        (Some(format!("Bearer {}", forge(&private, &json!({"alg": "HS256"}), &claims("crm", far)))), "TOKEN_ALGORITHM"),
        (Some(format!("Bearer {}", forge(&private, &eddsa, &claims("other", far)))), "TOKEN_AUDIENCE"),
        (Some(format!("Bearer {}", forge(&private, &eddsa, &claims("crm", 1_000_000)))), "TOKEN_EXPIRED"),
        (Some(format!("Bearer {}", forge(&private, &extended, &claims("crm", far)))), "TOKEN_CRITICAL"),
        (Some(format!("Bearer {}", forge(&private, &eddsa, &early))), "TOKEN_NOT_YET_VALID"),
    ];
    for (authorization, reason) in cases {
        check_refused(&rig, authorization.as_deref(), reason).await;
    }
    assert_eq!(rig.seen().calls.load(Ordering::SeqCst), 0);
    assert_eq!(rig.get("/v1/accounts/7").await.status, StatusCode::OK);
}

#[tokio::test]
async fn viewers_read_and_do_not_write() {
    let rig = Rig::start().await;
    let token = rig.token_of(Role::Viewer, HOUR);
    let bearer = format!("Bearer {token}");
    let headers = [("authorization", bearer.as_str())];
    let read = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &headers, "").await;
    assert_eq!(read.status, StatusCode::OK);
    for (method, path) in [(Method::POST, "/v1/accounts"), (Method::DELETE, "/v1/accounts/7")] {
        let write = wire::rest(rig.public, method, path, &headers, "").await;
        assert_eq!((write.status, write.reason().as_str()), (StatusCode::FORBIDDEN, "ROLE_READ_ONLY"));
        let challenge = r#"Bearer realm="bellwether", error="insufficient_scope""#;
        assert_eq!(write.header("www-authenticate"), challenge);
    }
    let mut client = AccountServiceClient::new(wire::Grpc::connect(rig.public).await);
    let create = pb::CreateAccountRequest::default();
    let status = client.create_account(with_token(create, &token)).await.unwrap_err();
    assert_eq!(status.code(), Code::PermissionDenied);
}

#[tokio::test]
async fn each_role_may_call_what_the_table_says_and_nothing_else() {
    let rig = Rig::start().await;
    let client = wire::Grpc::connect(rig.public).await;
    // What this gateway routes: of the rest it knows nothing, and each service holds its callers to the same table.
    for (path, roles) in crm_proto::RIGHTS.iter().filter(|(path, _)| path.starts_with("/crm.customers.v1.")) {
        // Nobody from outside is a service, as is tried below.
        for role in Role::ALL.into_iter().filter(|role| *role != Role::Service) {
            let bearer = format!("Bearer {}", rig.token_of(role, HOUR));
            let answer = client.raw(path, &[("authorization", &bearer)], bytes::Bytes::from_static(&[0; 5])).await;
            let refused = answer.headers().get("grpc-status").is_some_and(|code| code == "7");
            assert_eq!(!refused, roles.contains(&role.as_str()), "{role} calls {path}");
        }
    }
}

/// Every way in, with the same token.
async fn check_no_service(rig: &Rig, token: &str, reason: &str, case: &str) {
    let bearer = format!("Bearer {token}");
    let with = |kind: &'static str| [("authorization", bearer.as_str()), ("content-type", kind)];
    let batch = "/crm.customers.v1.AccountService/BatchGetAccounts";
    let message = web::body(&pb::BatchGetAccountsRequest { ids: vec!["7".into()] });
    let rest =
        wire::rest(rig.public, Method::GET, "/v1/accounts:batchGet?ids=7", &with("application/json")[..1], "").await;
    assert_eq!((rest.status, rest.reason().as_str()), (StatusCode::UNAUTHORIZED, reason), "{case} over REST");
    let connect = wire::rest(rig.public, Method::POST, batch, &with("application/json"), r#"{"ids":["7"]}"#).await;
    assert_eq!(connect.status, StatusCode::UNAUTHORIZED, "{case} over Connect");
    assert_eq!(connect.json()["code"], "unauthenticated", "{case} over Connect");
    let grpc = wire::Grpc::connect(rig.public).await;
    for path in [batch, "/crm.customers.v1.AccountService/GetAccount"] {
        let answer = grpc.raw(path, &with("application/grpc")[..1], message.clone()).await;
        assert_eq!(answer.headers()["grpc-status"], "16", "{case} over gRPC");
    }
    let web = wire::rest(rig.public, Method::POST, batch, &with("application/grpc-web+proto"), message).await;
    assert_eq!(web::refusal(&web), ("16".to_owned(), reason.to_owned()), "{case} over gRPC-Web");
}

#[tokio::test]
async fn nobody_from_outside_is_a_service() {
    let (services, services_public) = Signer::generate_pem().unwrap();
    let (users, users_public) = Signer::generate_pem().unwrap();
    let genuine = ServiceSigner::from_pem(&services, "sales").unwrap().authorization(tenant_id("acme")).unwrap();
    let genuine = genuine.to_str().unwrap().trim_start_matches("Bearer ").to_owned();
    let mut service = claims("crm", 4_000_000_000);
    (service["role"], service["sub"]) = (json!("service"), json!("service:sales"));
    let by_user = forge(&users, &json!({"alg": "EdDSA"}), &service);
    let unsigned = forge(&users, &json!({"alg": "none"}), &service);

    let keys = users_public.clone();
    let closed = Rig::start_with(1, move |config| config.token_keys = Some(PublicKeys(keys))).await;
    check_no_service(&closed, &genuine, "TOKEN_SIGNATURE", "its own token").await;
    check_no_service(&closed, &by_user, "TOKEN_ROLE", "one by a user's key").await;
    check_no_service(&closed, &unsigned, "TOKEN_ALGORITHM", "one by nobody").await;
    // The wrong file at the gateway opens nothing.
    let keys = format!("{users_public}{services_public}");
    let misled = Rig::start_with(1, move |config| config.token_keys = Some(PublicKeys(keys))).await;
    check_no_service(&misled, &genuine, "TOKEN_ROLE", "its own token, with its key at the gateway").await;
    // Nor does a route that asks for no token: the service behind does.
    let open = Rig::start_with(1, |config| config.routes.0[0].auth = false).await;
    for token in [&genuine, &by_user, &unsigned] {
        check_no_service(&open, token, "TOKEN_ROLE", "an open route").await;
    }
    for rig in [closed, misled, open] {
        assert_eq!(rig.seen().calls.load(Ordering::SeqCst), 0);
    }
}

#[tokio::test]
async fn routes_with_auth_off_ask_for_nothing() {
    let rig = Rig::start_with(1, |config| {
        config.routes.0[0].auth = false;
        config.token_keys = None;
    })
    .await;
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/7", &[], "").await;
    assert_eq!(answer.status, StatusCode::OK);
}

#[tokio::test]
async fn the_token_is_passed_on_to_the_service() {
    let rig = Rig::start().await;
    let bearer = format!("Bearer {}", rig.token());
    let headers = [("authorization", bearer.as_str()), ("ask-for", "authorization")];
    let answer = wire::rest(rig.public, Method::GET, "/v1/accounts/header", &headers, "").await;
    assert_eq!(answer.json()["name"], bearer);
}
