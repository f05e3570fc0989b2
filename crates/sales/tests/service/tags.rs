//! Tags of products, by the code of all services.

use crm_proto::operations::{Operation, WaitOperationRequest, operation::State};
use crm_proto::sales as pb;
use crm_proto::sales::operation_service_client::OperationServiceClient;
use crm_proto::sales::product_service_client::ProductServiceClient;
use crm_proto::sales::tag_service_client::TagServiceClient;
use crm_proto::tags::{CreateTagRequest, MergeTagRequest, Tag};
use crm_resource::testkit::{self, Process, violations};
use crm_sales::SERVICE;
use crm_sandbox::testing;
use crm_server::token::Role;
use uuid::Uuid;

#[tokio::test]
async fn products_are_found_by_their_tags_and_follow_when_two_become_one() {
    let database = testkit::database(&SERVICE).await;
    let url = database.url_as(testkit::storage(&SERVICE).role, "");
    let process = Process::start(&SERVICE, &url, &testing::redis().await.unwrap()).await;
    let manager = process.caller("acme", Role::Manager);
    let mut products = ProductServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
    let mut tags = TagServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
    let mut operations = OperationServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
    let mut ids = Vec::new();
    for name in ["Old", "New"] {
        let (tag, request_id) = (Tag { name: name.to_owned(), ..Default::default() }, Uuid::new_v4().to_string());
        let create = manager.request(CreateTagRequest { tag: Some(tag), request_id });
        ids.push(tags.create_tag(create).await.unwrap().into_inner().id);
    }
    let [old, new]: [String; 2] = ids.try_into().unwrap();
    let creation = |tag: &str| {
        let product = pb::Product { name: "Gearbox".to_owned(), tag_ids: vec![tag.to_owned()], ..Default::default() };
        manager.request(pb::CreateProductRequest { product: Some(product), request_id: Uuid::new_v4().to_string() })
    };
    let created = products.create_product(creation(&old)).await.unwrap().into_inner();
    assert_eq!(created.tag_ids, std::slice::from_ref(&old));
    assert_eq!(violations(products.create_product(creation(&created.id)).await), ["product.tag_ids"]);

    let merge = MergeTagRequest { id: old.clone(), into: new.clone(), request_id: Uuid::new_v4().to_string() };
    let begun: Operation = tags.merge_tag(manager.request(merge)).await.unwrap().into_inner();
    let mut ended = begun;
    while !ended.done {
        let wait = WaitOperationRequest { id: ended.id, timeout: None };
        ended = operations.wait_operation(manager.request(wait)).await.unwrap().into_inner();
    }
    assert_eq!(ended.state(), State::Succeeded, "{ended:?}");
    for (tag, found) in [(&old, 0), (&new, 1)] {
        let list = pb::ListProductsRequest { filter: format!("tag_ids:{tag}"), ..Default::default() };
        let list = products.list_products(manager.request(list)).await.unwrap().into_inner();
        assert_eq!(list.products.len(), found, "{tag}");
    }
    process.stop().await;
}
