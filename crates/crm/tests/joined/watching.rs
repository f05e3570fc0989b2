//! Changes through the gateway: the cursor of an export, and what comes after it.

use ::http::{Method, StatusCode, Uri};
use crm_proto::customers::ExportAccountsRequest;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::change_service_client::ChangeServiceClient;
use crm_proto::journal::WatchChangesRequest;
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::{Value, json};
use tonic::Request;
use tonic::body::Body;
use uuid::Uuid;

use crate::support::{Joined, text};

async fn create(joined: &Joined, path: &str, name: &str) -> Value {
    let path = format!("{path}?requestId={}", Uuid::new_v4());
    joined.json(Method::POST, &path, json!({"name": name})).await
}

#[tokio::test]
async fn an_export_tells_over_rest_where_to_go_on_of_each_service() {
    let joined = Joined::start().await;
    for (service, resource) in [("customers", "accounts"), ("sales", "products")] {
        let collection = format!("/v1/{resource}");
        create(&joined, &collection, "Before").await;
        let export = joined.call(Method::GET, &format!("{collection}:export"), &[], Value::Null).await;
        assert_eq!(export.status, StatusCode::OK, "{}", text(&export));
        let cursor = export.headers["x-crm-cursor"].to_str().unwrap();
        let after = create(&joined, &collection, "After").await;
        let path = format!("/v1/changes/{service}?cursor={cursor}&resources={resource}");
        let page = joined.json(Method::GET, &path, Value::Null).await;
        assert_eq!((&page["changes"][0]["id"], &page["changes"][0]["kind"]), (&after["id"], &json!("KIND_CREATED")));
        assert_eq!((page["changes"].as_array().unwrap().len(), &page["last"]), (1, &json!(true)));
    }
    let unknown = joined.call(Method::GET, "/v1/changes/sales?resources=accounts", &[], Value::Null).await;
    assert_eq!(unknown.status, StatusCode::BAD_REQUEST);
    assert!(
        text(&unknown).contains("resources[0]")
            && text(&unknown).contains("must be one of products, sales_teams, pipelines, opportunities, activities")
    );
}

#[tokio::test]
async fn an_export_tells_over_grpc_where_a_watch_goes_on() {
    let joined = Joined::start().await;
    let http: Client<HttpConnector, Body> = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let origin: Uri = joined.url().parse().unwrap();
    fn asked<T>(joined: &Joined, message: T) -> Request<T> {
        let mut request = Request::new(message);
        request.metadata_mut().insert("authorization", format!("Bearer {}", joined.token()).parse().unwrap());
        request
    }
    let mut accounts = AccountServiceClient::with_origin(http.clone(), origin.clone());
    let export = accounts.export_accounts(asked(&joined, ExportAccountsRequest::default())).await.unwrap();
    let cursor = export.metadata().get("x-crm-cursor").unwrap().to_str().unwrap().to_owned();
    let mut changes = ChangeServiceClient::with_origin(http, origin);
    let request = asked(&joined, WatchChangesRequest { cursor, ..Default::default() });
    let mut stream = changes.watch_changes(request).await.unwrap().into_inner();
    assert!(stream.message().await.unwrap().unwrap().changes.is_empty(), "a heart-beat comes first");
    let made = create(&joined, "/v1/accounts", "After").await;
    let told = stream.message().await.unwrap().unwrap();
    assert_eq!((told.changes.len(), &json!(told.changes[0].id)), (1, &made["id"]));
}
