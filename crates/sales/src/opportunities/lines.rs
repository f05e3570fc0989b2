//! Lines of an opportunity: so many of something at a price.

use crm_proto::google::r#type::Money as MoneyMessage;
use crm_proto::sales::opportunity as pb;
use crm_resource::{Error, Item, Violations};
use crm_values::{Currency, Flaw, Money, parse_decimal, parse_id, show_decimal, within};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// Of an opportunity.
pub(super) const MOST: usize = 100;
/// The most that an opportunity counts as, in minor units: far beyond any deal, and far from where numbers end.
pub(super) const MOST_MINOR: i64 = 10_000_000_000_000;
/// Quantities are kept in thousandths, discounts in hundredths of a percent.
const QUANTITY_PLACES: usize = 3;
const MOST_QUANTITY: i64 = 1_000_000_000;
const DISCOUNT_PLACES: usize = 2;
const WHOLE: i64 = 10_000;

/// A line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    pub(super) product_id: Option<Uuid>,
    pub(super) name: String,
    quantity: i64,
    price: i64,
    currency: String,
    discount: i64,
}

impl Line {
    /// So many whole pieces of a product at a price in minor units.
    pub(crate) fn of(product: Uuid, name: &str, pieces: i64, price: i64, currency: &str) -> Self {
        let (name, currency) = (name.to_owned(), currency.to_owned());
        Self { product_id: Some(product), name, quantity: pieces * 1_000, price, currency, discount: 0 }
    }

    /// Quantity times price less discount, in minor units: rounded once, half a unit up.
    fn total(&self) -> i128 {
        const PARTS: i128 = 1_000 * WHOLE as i128;
        let exact = i128::from(self.price) * i128::from(self.quantity) * i128::from(WHOLE - self.discount);
        (exact + PARTS / 2) / PARTS
    }
}

/// What all lines come to, and in which currency; nothing, if there is none. Each is rounded before they are added, as on
/// an invoice. What is too much is checked before.
pub(crate) fn sum(lines: &[Line]) -> Option<(i64, String)> {
    let total: i128 = lines.iter().map(Line::total).sum();
    lines.first().map(|first| (i64::try_from(total).unwrap_or(i64::MAX), first.currency.clone()))
}

/// Rules that take all of them to check.
pub(super) fn check(lines: &[Line], found: &mut Violations) {
    const FIELD: &str = "opportunity.lines";
    if !found.is_clear(FIELD) {
        return;
    }
    for (index, line) in lines.iter().enumerate() {
        if line.name.is_empty() && line.product_id.is_none() {
            found.add(&format!("{FIELD}[{index}].name"), Flaw::new(Flaw::REQUIRED, "name or product_id is required"));
        }
        if line.currency != lines[0].currency {
            let rule = "must be in the currency of the other lines";
            found.add(&format!("{FIELD}[{index}].unit_price"), Flaw::new(Flaw::CONTRADICTION, rule));
        }
    }
    if lines.iter().map(Line::total).sum::<i128>() > i128::from(MOST_MINOR) {
        found.add(FIELD, Flaw::new(Flaw::OUT_OF_RANGE, "come to more than an opportunity can be worth"));
    }
}

pub(super) fn read(message: &pb::Line, _before: &[Line], item: &mut Item<'_>) -> Line {
    let product_id = Some(message.product_id.as_str()).filter(|id| !id.is_empty()).map(parse_id).transpose();
    let discount = Some(message.discount_percent.as_str()).filter(|text| !text.is_empty());
    let discount = discount.map_or(Ok(0), |text| parse_decimal(text, DISCOUNT_PLACES, WHOLE));
    let product_id = item.check("product_id", product_id);
    let name = item.check("name", within(200).parse(&message.name));
    let quantity = item.check("quantity", read_quantity(&message.quantity));
    let (price, currency) = item.check("unit_price", read_price(message.unit_price.as_ref()));
    Line { product_id, name, quantity, price, currency, discount: item.check("discount_percent", discount) }
}

fn read_quantity(text: &str) -> Result<i64, Flaw> {
    match parse_decimal(text, QUANTITY_PLACES, MOST_QUANTITY)? {
        0 => Err(Flaw::new(Flaw::OUT_OF_RANGE, "must be more than 0")),
        parts => Ok(parts),
    }
}

fn read_price(message: Option<&MoneyMessage>) -> Result<(i64, String), Flaw> {
    let message = message.ok_or_else(Flaw::missing)?;
    let currency = Currency::parse(&message.currency_code)?;
    let price = Money::from_parts(message.units, message.nanos, currency)?;
    if price.minor() > MOST_MINOR {
        return Err(Flaw::new(Flaw::OUT_OF_RANGE, "is too large"));
    }
    Ok((price.minor(), currency.code().to_owned()))
}

pub(super) fn show(line: Line) -> Result<pb::Line, Error> {
    let currency = Currency::stored(&line.currency).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
    let money = |minor: i64| {
        let (units, nanos) = Money::from_minor(minor, currency).parts();
        Some(MoneyMessage { currency_code: currency.code().to_owned(), units, nanos })
    };
    Ok(pb::Line {
        total: money(i64::try_from(line.total()).unwrap_or(i64::MAX)),
        product_id: line.product_id.map(|id| id.to_string()).unwrap_or_default(),
        quantity: show_decimal(line.quantity, QUANTITY_PLACES),
        unit_price: money(line.price),
        discount_percent: show_decimal(line.discount, DISCOUNT_PLACES),
        name: line.name,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(quantity: i64, price: i64, discount: i64) -> Line {
        Line { product_id: None, name: "x".to_owned(), quantity, price, currency: "EUR".to_owned(), discount }
    }

    #[test]
    fn a_total_is_rounded_once_half_a_unit_up() {
        for (quantity, price, discount, total) in [
            (1_000, 550, 0, 550),
            (1_500, 333, 0, 500),     // 499.5
            (1_500, 331, 0, 497),     // 496.5
            (333, 1, 0, 0),           // 0.333
            (500, 1, 0, 1),           // 0.5
            (499, 1, 0, 0),           // 0.499
            (3_000, 999, 750, 2_772), // 2,772.225
            (1_000, 10_000, 10_000, 0),
            (1_000_000_000, MOST_MINOR, 0, 10_000_000_000_000_000_000),
        ] {
            assert_eq!(line(quantity, price, discount).total(), total, "{quantity} x {price} - {discount}");
        }
    }

    #[test]
    fn a_sum_is_that_of_rounded_totals() {
        assert_eq!(sum(&[line(500, 1, 0), line(500, 1, 0), line(500, 1, 0)]), Some((3, "EUR".to_owned())));
        assert_eq!(sum(&[]), None);
    }
}
