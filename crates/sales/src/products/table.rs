//! Products as rows of a table.

use crm_proto::sales as pb;
use crm_resource::csv::{Column, Tabular};

use super::Product;

impl Tabular for Product {
    const COLUMNS: &'static [Column<pb::Product>] = &[
        Column::told("id", |it| it.id.clone()),
        Column::text("name", |it| &mut it.name),
        Column::text("sku", |it| &mut it.sku),
        Column::text("unit", |it| &mut it.unit),
        Column::amount("price", |it| &mut it.price),
        Column::currency("price_currency", |it| &mut it.price),
        Column::truth("active", |it| &mut it.active),
        Column::told("create_time", |it| it.create_time.map(|time| time.to_string()).unwrap_or_default()),
        Column::told("update_time", |it| it.update_time.map(|time| time.to_string()).unwrap_or_default()),
    ];

    fn tag_ids(product: &mut pb::Product) -> Option<&mut Vec<String>> {
        Some(&mut product.tag_ids)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_read_as_it_was_written() {
        let price = crm_proto::google::r#type::Money { currency_code: "EUR".to_owned(), units: 12, nanos: 500_000_000 };
        let mut product = pb::Product {
            name: "Gear; \"box\"".to_owned(),
            sku: "-7".to_owned(),
            unit: "piece".to_owned(),
            price: Some(price),
            active: Some(false),
            ..Default::default()
        };
        let mut read = pb::Product::default();
        for column in Product::COLUMNS {
            let cell = column.show(&mut product);
            assert_eq!(cell.is_empty(), !column.is_read(), "{column:?}");
            column.read(&mut read, &cell).unwrap();
        }
        assert_eq!(read, product);
    }
}
