//! Products, told by their SKUs, which are their names in the file; their series is an attribute.

use std::collections::HashMap;

use crm_proto::sales as pb;
use crm_proto::sales::product_service_client::ProductServiceClient;
use prost_types::FieldMask;
use tonic::Status;

use super::attributes::{Attributes, SERIES, value};
use super::{all, id_of, is_refusal, patiently};
use crate::api::{Api, Channel};
use crate::failure::Failure;
use crate::import::names::{Names, loose_key};
use crate::import::plan::Listed;
use crate::import::products::{FILE, ProductRow};
use crate::import::report::{Outcome, Report};
use crate::import::values::dollars;

/// The products of the tenant.
pub(crate) struct Products<'a> {
    api: &'a Api,
    client: ProductServiceClient<Channel>,
    /// By their SKUs or, without one, their names; deleted ones too.
    there: HashMap<String, pb::Product>,
}

impl<'a> Products<'a> {
    pub(crate) async fn of(api: &'a Api) -> Result<Self, Failure> {
        let mut client = ProductServiceClient::new(api.channel());
        let request = pb::ExportProductsRequest { show_deleted: true, ..Default::default() };
        let stream = patiently(async || client.export_products(request.clone()).await).await;
        let mut there = HashMap::new();
        for product in all(api, stream).await? {
            let key = loose_key(if product.sku.is_empty() { &product.name } else { &product.sku });
            if product.delete_time.is_none() || !there.contains_key(&key) {
                there.insert(key, product);
            }
        }
        Ok(Self { api, client, there })
    }

    pub(crate) async fn keep(
        &mut self,
        rows: Vec<ProductRow>,
        kept: &Attributes,
        report: &mut Report,
    ) -> Result<(), Failure> {
        for row in rows {
            let series = Some(&row.series).filter(|series| kept.contains(SERIES) && !series.is_empty());
            let attributes = series.map(|series| (SERIES.to_owned(), value(series))).into_iter().collect();
            let wanted = pb::Product {
                name: row.name.clone(),
                sku: row.name,
                price: row.price_cents.map(dollars),
                attributes,
                ..Default::default()
            };
            match self.keep_row(wanted).await {
                Ok(outcome) => report.count(outcome),
                Err(status) if is_refusal(&status) => report.refuse(FILE, row.line, "product", status.message()),
                Err(status) => return Err(self.api.failure(&status)),
            }
        }
        Ok(())
    }

    async fn keep_row(&mut self, wanted: pb::Product) -> Result<Outcome, Status> {
        let key = loose_key(&wanted.sku);
        let Some(current) = self.there.get(&key) else {
            let request = pb::CreateProductRequest { request_id: id_of("products", &key), product: Some(wanted) };
            let product = patiently(async || self.client.create_product(request.clone()).await).await?;
            self.there.insert(key, product);
            return Ok(Outcome::Created);
        };
        let paths = differences(&wanted, current);
        if current.delete_time.is_some() || paths.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let product = Some(pb::Product { id: current.id.clone(), ..wanted });
        let request = pb::UpdateProductRequest { product, update_mask: Some(FieldMask { paths }) };
        let product = patiently(async || self.client.update_product(request.clone()).await).await?;
        self.there.insert(key, product);
        Ok(Outcome::Changed)
    }

    /// By their SKUs and their names.
    pub(crate) fn names(&self) -> Names<Listed> {
        let listed = |it: &pb::Product| Listed { id: it.id.clone(), name: it.name.clone(), price: it.price.clone() };
        let named = |it: &pb::Product| [it.sku.clone(), it.name.clone()].map(|name| (name, listed(it)));
        Names::of(self.there.values().flat_map(named).filter(|(name, _)| !name.is_empty()))
    }

    /// Names by ids.
    pub(crate) fn by_id(self) -> HashMap<String, String> {
        self.there.into_values().map(|product| (product.id, product.name)).collect()
    }
}

/// The fields in which the file says something else.
fn differences(wanted: &pb::Product, current: &pb::Product) -> Vec<String> {
    let price = wanted.price.is_some() && wanted.price != current.price;
    let series = wanted.attributes.get(SERIES);
    let series = series.is_some() && series != current.attributes.get(SERIES);
    let fields = [("price".to_owned(), price), (format!("attributes.{SERIES}"), series)];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(path, _)| path).collect()
}
