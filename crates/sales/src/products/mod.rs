//! Products: what is sold.

mod calls;
mod table;

use crm_proto::sales as pb;
use crm_resource::attributes::Values;
use crm_resource::{Exchange, Facets, Filter, Kind, Order, Refusal, Resource, Row};
use crm_values::{name_key, required, within};
use sqlx::FromRow;
use uuid::Uuid;

/// The resource.
#[derive(Debug, Clone)]
pub struct Product;

/// What callers may set; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    name: String,
    /// Unique among the tenant's products that are not deleted, in any case.
    sku: String,
    unit: String,
    price_minor: Option<i64>,
    price_currency: Option<String>,
    active: bool,
    tag_ids: Vec<Uuid>,
    attributes: Values,
}

impl Fields {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }
}

/// There is no such product.
pub const NOT_FOUND: Refusal = Refusal::not_found("PRODUCT_NOT_FOUND", "there is no such product");
/// The product to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("PRODUCT_NOT_DELETED", "the product is not deleted");
/// A SKU belongs to one product.
pub const SKU_TAKEN: Refusal = Refusal::already_exists("PRODUCT_SKU_TAKEN", "another product has this SKU");

impl Resource for Product {
    type Message = pb::Product;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::text("sku", "sku_key", name_key),
            Filter::name("name", "name_key"),
            Filter::truth("active"),
            Filter::tag("tag_ids"),
            Filter::attributes(),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("name", "name_key"), Order::time("update_time")],
        constraints: &[("products_sku_key", &SKU_TAKEN)],
        facets: true,
        // A catalogue is small, and read by everybody.
        cache_bytes: 1 << 20,
        ..Kind::new("products", "sales.products", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::Product, fields: &mut Exchange<'_>) {
        fields.text("name", &mut it.name, &mut message.name, required(200));
        fields.text("sku", &mut it.sku, &mut message.sku, within(60));
        fields.text("unit", &mut it.unit, &mut message.unit, within(60));
        fields.money("price", (&mut it.price_minor, &mut it.price_currency), &mut message.price);
        fields.truth("active", &mut it.active, &mut message.active, true);
        fields.ids("tag_ids", &mut it.tag_ids, &mut message.tag_ids);
        fields.attributes("attributes", &mut it.attributes, &mut message.attributes);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("name", &it.name);
        row.key("name_key", name_key(&it.name));
        row.set("sku", &it.sku);
        row.key("sku_key", name_key(&it.sku));
        row.set("unit", &it.unit);
        row.set("price_minor", it.price_minor);
        row.set("price_currency", &it.price_currency);
        row.set("active", it.active);
        row.set("tag_ids", &it.tag_ids);
        row.set("attributes", &it.attributes);
    }

    fn attributes(it: &Fields) -> Option<&Values> {
        Some(&it.attributes)
    }

    fn tags(it: &mut Fields) -> Option<&mut Vec<Uuid>> {
        Some(&mut it.tag_ids)
    }

    fn facets(it: &Fields, facets: &mut Facets) {
        facets.tags(&it.tag_ids);
    }
}
