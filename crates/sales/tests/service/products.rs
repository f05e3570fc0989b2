//! What is particular about products.

use crm_proto::google::r#type::Money;
use crm_proto::sales as pb;
use crm_proto::sales::product_service_client::ProductServiceClient;
use crm_resource::testkit::{self, Caller, Http, Process, field_mask, refusal, refused, violations};
use crm_sales::SERVICE;
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::Role;
use tonic::{Code, Status};
use uuid::Uuid;

struct Catalogue {
    products: ProductServiceClient<Http>,
    manager: Caller,
    _process: Process,
    _database: TestDatabase,
}

impl Catalogue {
    async fn start() -> Self {
        let database = testkit::database(&SERVICE).await;
        let url = database.url_as(testkit::storage(&SERVICE).role, "");
        let process = Process::start(&SERVICE, &url, &testing::redis().await.unwrap()).await;
        let manager = process.caller("acme", Role::Manager);
        let products = ProductServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
        Self { products, manager, _process: process, _database: database }
    }

    async fn create(&self, product: pb::Product) -> Result<pb::Product, Status> {
        let request_id = Uuid::new_v4().to_string();
        let request = self.manager.request(pb::CreateProductRequest { product: Some(product), request_id });
        Ok(self.products.clone().create_product(request).await?.into_inner())
    }

    async fn update(&self, product: pb::Product, mask: &[&str]) -> Result<pb::Product, Status> {
        let request = pb::UpdateProductRequest { product: Some(product), update_mask: field_mask(mask) };
        Ok(self.products.clone().update_product(self.manager.request(request)).await?.into_inner())
    }

    async fn list(&self, filter: &str) -> Vec<String> {
        let request = pb::ListProductsRequest { filter: filter.to_owned(), ..Default::default() };
        let answer = self.products.clone().list_products(self.manager.request(request)).await.unwrap();
        answer.into_inner().products.into_iter().map(|product| product.name).collect()
    }
}

fn product(name: &str, sku: &str) -> pb::Product {
    pb::Product { name: name.to_owned(), sku: sku.to_owned(), ..Default::default() }
}

#[tokio::test]
async fn a_sku_belongs_to_one_product_in_any_case_until_that_is_deleted() {
    let own = Catalogue::start().await;
    let taken = refused(Code::AlreadyExists, "PRODUCT_SKU_TAKEN");
    let first = own.create(product("Gearbox", "GTX-1")).await.unwrap();
    for same in ["GTX-1", "gtx-1", " Gtx-1 ", "\u{ff27}TX-1"] {
        assert_eq!(refusal(own.create(product("Other", same)).await), taken, "{same}");
    }
    // Nothing is no SKU.
    let other = own.create(product("Other", "")).await.unwrap();
    own.create(product("Third", "")).await.unwrap();
    let renumbered = pb::Product { id: other.id.clone(), ..product("", "gTX-1") };
    assert_eq!(refusal(own.update(renumbered, &["sku"]).await), taken);

    let delete = pb::DeleteProductRequest { id: first.id.clone(), etag: String::new() };
    own.products.clone().delete_product(own.manager.request(delete)).await.unwrap();
    own.create(product("Heir", "gtx-1")).await.unwrap();
    let undelete = pb::UndeleteProductRequest { id: first.id, etag: String::new() };
    assert_eq!(refusal(own.products.clone().undelete_product(own.manager.request(undelete)).await), taken);
}

#[tokio::test]
async fn a_product_is_active_unless_it_is_said_not_to_be() {
    let own = Catalogue::start().await;
    let usual = own.create(product("Usual", "")).await.unwrap();
    assert_eq!(usual.active, Some(true));
    let retired = own.create(pb::Product { active: Some(false), ..product("Retired", "") }).await.unwrap();
    assert_eq!(retired.active, Some(false));
    assert_eq!(own.list("active = false").await, ["Retired"]);
    assert_eq!(own.list("active = true").await, ["Usual"]);
    let id = retired.id;
    // A change that does not speak of it leaves it; one that names it without a value gives it the usual one.
    let renamed = own.update(pb::Product { id: id.clone(), ..product("Old", "") }, &[]).await.unwrap();
    assert_eq!((renamed.name.as_str(), renamed.active), ("Old", Some(false)));
    let back = own.update(pb::Product { id, ..Default::default() }, &["active"]).await.unwrap();
    assert_eq!(back.active, Some(true));
}

#[tokio::test]
async fn prices_are_whole_minor_units_of_a_currency_and_all_flaws_are_told_at_once() {
    let own = Catalogue::start().await;
    let money = |currency: &str, units, nanos| Some(Money { currency_code: currency.to_owned(), units, nanos });
    for (price, kept) in [
        (money("EUR", 550, 0), true),
        (money("KWD", 7, 1_000_000), true),
        (money("JPY", 7, 500_000_000), false),
        (money("EUR", -1, 0), false),
        (money("XYZ", 1, 0), false),
    ] {
        let answer = own.create(pb::Product { price: price.clone(), ..product("Priced", "") }).await;
        match kept {
            true => assert_eq!(answer.unwrap().price, price),
            false => assert_eq!(violations(answer), ["product.price"], "{price:?}"),
        }
    }
    let long = "x".repeat(61);
    let worst = pb::Product { unit: long.clone(), price: money("", 1, 0), ..product(" ", &long) };
    let all = ["product.name", "product.sku", "product.unit", "product.price"];
    assert_eq!(violations(own.create(worst).await), all);
}

#[tokio::test]
async fn lists_find_a_product_by_sku_and_by_how_its_name_begins() {
    let own = Catalogue::start().await;
    for (name, sku) in [("Gear Basic", "G-1"), ("gear plus", "G-2"), ("Motor", "M-1")] {
        own.create(product(name, sku)).await.unwrap();
    }
    assert_eq!(own.list("name = \"GEAR*\"").await, ["Gear Basic", "gear plus"]);
    assert_eq!(own.list("sku = \"m-1\"").await, ["Motor"]);
    assert_eq!(own.list("sku = \"m-1\" AND name = \"gear*\"").await, [""; 0]);
}
