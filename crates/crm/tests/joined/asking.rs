//! A service that asks another, behind the gateway: what goes on with the call, who tries again, and who is blamed.

mod rig;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ::http::{HeaderMap, StatusCode};
use crm_customers::SERVICE;
use crm_database::{Database, Settings};
use crm_proto::customers as pb;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_resource::peers::{Asking, PeerClient};
use crm_sandbox::testing;
use crm_server::caller::caller;
use crm_server::problem::Problem;
use crm_server::token::{Role, tenant_id};
use crm_telemetry::rpc::read_timeout;
use crm_telemetry::testing::{attribute, record};
use futures_util::future::{BoxFuture, join_all};
use tonic::body::Body;
use tonic::{Code, Request, Status};

use rig::{Handler, Rig, reason};

/// What a service does that needs an account and passes on whatever keeps it from one.
fn asks(customers: PeerClient, request: Request<Body>) -> BoxFuture<'static, Result<(), Status>> {
    Box::pin(async move {
        let mut accounts = AccountServiceClient::new(customers.ask(Asking::of(&request)?));
        accounts.get_account(pb::GetAccountRequest { id: "7".to_owned() }).await?;
        Ok(())
    })
}

fn answers(with: impl Fn() -> Result<(), Status> + Send + Sync + 'static) -> Handler {
    Arc::new(move |_| Box::pin(std::future::ready(with())))
}

#[tokio::test]
async fn token_priority_time_and_trace_go_on() {
    let (recorder, _guard) = record();
    let rig = Rig::start(answers(|| Ok(())), asks).await;
    let answer = rig.call(&[("x-crm-priority", "bulk"), ("x-crm-timeout", "6s"), ("x-own", "1")]).await;
    assert_eq!((answer.status, rig.calls()), (StatusCode::OK, (1, 1)));
    let heads: Vec<HeaderMap> =
        rig.asked.iter().flat_map(|replica| replica.seen.heads.lock().unwrap().clone()).collect();
    let head = &heads[0];
    assert_eq!(head["authorization"], rig.authorization.as_str());
    assert_eq!(head["x-crm-priority"], "bulk");
    assert!(!head.contains_key("x-own"), "what is the caller's own affair stays behind");
    // Less than half, so that whoever called hears of it before it tries elsewhere.
    let left = read_timeout(head).unwrap().unwrap();
    assert!(left > Duration::from_secs(2) && left <= Duration::from_millis(3600), "{left:?}");

    // The answer may come before the last span has ended.
    let span = |kind: &str| {
        let spans = recorder.spans_named("crm.customers.v1.AccountService/GetAccount").into_iter();
        spans.filter(|span| format!("{:?}", span.span_kind) == kind).last()
    };
    while span("Server").is_none() || span("Client").is_none() {
        tokio::task::yield_now().await;
    }
    let (client, server) = (span("Client").unwrap(), span("Server").unwrap());
    assert_eq!(server.parent_span_id, client.span_context.span_id());
    assert_eq!(attribute(&client, "server.address").as_deref(), Some("customers"));
    assert_eq!(attribute(&client, "crm.attempt").as_deref(), Some("1"));
    let asking = recorder.spans_named("crm.customers.v1.ContactService/GetContact").into_iter();
    let asking = asking.filter(|span| span.span_context.span_id() == client.parent_span_id).last().unwrap();
    assert_eq!(format!("{:?}", asking.span_kind), "Server");
}

/// Whatever is the matter with those that are asked: one call of a user is one of a service between, and three tries at most
/// of those behind.
#[tokio::test]
async fn what_is_down_is_tried_by_the_layer_above_it_and_by_no_other() {
    let failing = answers(|| Err(Problem::new(Code::Unavailable, "FAULT_INJECTED", "down").into()));
    let mut rig = Rig::start(failing, asks).await;
    for number in 0..24 {
        let (asking, asked) = rig.calls();
        let answer = rig.call(&[]).await;
        assert_eq!(reason(&answer), (StatusCode::SERVICE_UNAVAILABLE, "FAULT_INJECTED".to_owned()));
        let now = rig.calls();
        assert_eq!(now.0 - asking, 1, "the gateway tries call {number} once");
        assert!((1..=3).contains(&(now.1 - asked)), "call {number} is {} tries", now.1 - asked);
        // As long as the budget surely pays for it.
        assert!(number >= 3 || now.1 - asked == 3, "the service tries call {number} again");
    }
    rig.check_nobody_ejected().await;

    for replica in &mut rig.asked {
        replica.end().await;
    }
    let (asking, asked) = rig.calls();
    for _ in 0..24 {
        let answer = rig.call(&[]).await;
        assert_eq!(answer.status, StatusCode::SERVICE_UNAVAILABLE);
    }
    assert_eq!(rig.calls(), (asking + 24, asked), "nobody is there to be tried");
    rig.check_nobody_ejected().await;
}

/// A service that hangs is given up by who asked it, before it is itself given up by who called it.
#[tokio::test]
async fn what_hangs_is_given_up_by_the_layer_above_it_and_by_no_other() {
    let rig = Rig::start(Arc::new(|_| Box::pin(std::future::pending())), asks).await;
    // Of so much time, the one gives up 0.3 s before the other: enough on a busy machine.
    let answers = join_all((0..16).map(|_| rig.call(&[("x-crm-timeout", "6s")]))).await;
    for answer in answers {
        assert_eq!(answer.status, StatusCode::GATEWAY_TIMEOUT);
    }
    let (asking, asked) = rig.calls();
    assert_eq!(asking, 16, "the gateway tries each call once");
    assert!((17..=48).contains(&asked), "{asked} tries of 16 calls");
    rig.check_nobody_ejected().await;
}

/// One that is refused for good reasons is told so in the words of whoever refused it, and nothing else comes along.
#[tokio::test]
async fn what_is_passed_on_is_what_was_said_and_nothing_about_the_way() {
    let refusing = answers(|| {
        let problem = Problem::new(Code::FailedPrecondition, "ACCOUNT_HAS_SUBSIDIARIES", "no");
        let mut status = Status::from(problem);
        status.metadata_mut().insert("x-secret", "1".parse().unwrap());
        Err(status)
    });
    let rig = Rig::start(refusing, asks).await;
    let answer = rig.call(&[]).await;
    assert_eq!(reason(&answer), (StatusCode::BAD_REQUEST, "ACCOUNT_HAS_SUBSIDIARIES".to_owned()));
    assert_eq!((rig.calls(), answer.headers.contains_key("x-secret")), ((1, 1), false));
    let asking = Asking::without_caller(&rig.services, tenant_id("acme"), Duration::from_secs(5)).unwrap();
    let mut accounts = AccountServiceClient::new(rig.clients[0].ask(asking));
    let status = accounts.batch_get_accounts(pb::BatchGetAccountsRequest::default()).await.unwrap_err();
    let said: Vec<_> = status.metadata().as_ref().keys().map(|name| name.as_str().to_owned()).collect();
    assert_eq!(said, ["content-type"]);
}

#[tokio::test]
async fn nobody_is_asked_with_a_transaction_open() {
    let setup = |url: String| async move { SERVICE.migrate(&url, None).await };
    let own = testing::template_database("customers", setup).await.unwrap().database().await.unwrap();
    let database = Database::connect(&Settings::new(own.url_as(SERVICE.storage().unwrap().role, ""))).await.unwrap();
    let holds = Arc::new(AtomicBool::new(true));
    let told = Arc::clone(&holds);
    let asks = move |customers: PeerClient, request: Request<Body>| -> BoxFuture<'static, Result<(), Status>> {
        let (database, holds) = (database.clone(), Arc::clone(&told));
        Box::pin(async move {
            let tenant = caller(&request)?.tenant;
            let asking = Asking::of(&request)?;
            let mut stream = AccountServiceClient::new(customers.ask(asking.clone()));
            let mut stream = stream.export_accounts(pb::ExportAccountsRequest::default()).await?.into_inner();
            let transaction = database.begin(tenant, None).await.unwrap();
            if holds.load(Ordering::SeqCst) {
                assert_eq!(stream.message().await.unwrap_err().code(), Code::Internal);
                return asks(customers, request).await;
            }
            transaction.commit().await.unwrap();
            assert!(stream.message().await?.is_some());
            asks(customers, request).await
        })
    };
    let rig = Rig::start(answers(|| Ok(())), asks).await;
    let answer = rig.call(&[]).await;
    assert_eq!(reason(&answer), (StatusCode::INTERNAL_SERVER_ERROR, "DATA_INCONSISTENT".to_owned()));
    assert_eq!(rig.calls(), (1, 1), "the stream alone was asked for");
    holds.store(false, Ordering::SeqCst);
    assert_eq!(rig.call(&[]).await.status, StatusCode::OK);
    assert_eq!(rig.calls(), (2, 3));
}

#[tokio::test]
async fn a_service_works_for_a_tenant_without_a_caller() {
    let is_asked: Handler = Arc::new(|request| {
        let claims = caller(&request).unwrap();
        let expected = ("service:sales", Role::Service, tenant_id("acme"));
        assert_eq!((claims.subject.as_str(), claims.role, claims.tenant), expected);
        Box::pin(std::future::ready(Ok(())))
    });
    let rig = Rig::start(is_asked, asks).await;
    let asking = || Asking::without_caller(&rig.services, tenant_id("acme"), Duration::from_secs(5)).unwrap();
    let mut accounts = AccountServiceClient::new(rig.clients[0].ask(asking()));
    accounts.batch_get_accounts(pb::BatchGetAccountsRequest::default()).await.unwrap();
    let refused = accounts.get_account(pb::GetAccountRequest::default()).await.unwrap_err();
    assert_eq!(refused.code(), Code::PermissionDenied);
    assert_eq!(rig.calls(), (0, 1));
    let head = rig.asked.iter().flat_map(|replica| replica.seen.heads.lock().unwrap().clone()).next().unwrap();
    assert_eq!(head["x-crm-priority"], "bulk");
    let nobody = Asking::without_caller(&rig.services, uuid::Uuid::nil(), Duration::from_secs(5));
    assert!(nobody.is_err());
}
