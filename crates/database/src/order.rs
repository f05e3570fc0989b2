//! The order of a list (AIP-132): `name`, `update_time desc`.

use crate::filter::FilterError;

/// One field of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Name of the field, from those offered.
    pub field: &'static str,
    /// Largest first.
    pub descending: bool,
}

/// The fields of an order, in the order written; none for a blank text.
pub fn parse(text: &str, fields: &[&'static str]) -> Result<Vec<Order>, FilterError> {
    let _ = (text, fields);
    Ok(Vec::new())
}
