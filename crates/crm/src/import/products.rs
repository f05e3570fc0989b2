//! `products.csv`: what is sold, in which series, at which list price.

use std::collections::HashSet;
use std::path::Path;

use super::names::loose_key;
use super::report::Report;
use super::table::{Cells, Layout};
use super::values::cents;
use crate::failure::Failure;

pub(super) const FILE: &str = "products.csv";
const LAYOUT: Layout<3> = Layout { file: FILE, columns: ["product", "series", "sales_price"], optional: 0 };

/// One row, repaired.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ProductRow {
    pub(super) line: u64,
    pub(super) name: String,
    pub(super) series: String,
    /// Whole cents.
    pub(super) price_cents: Option<i64>,
}

/// Reads the file, if it is there.
pub(super) fn read(folder: &Path, report: &mut Report) -> Result<Option<Vec<ProductRow>>, Failure> {
    Ok(LAYOUT.read(folder, report)?.map(|cells| rows(cells, report)))
}

fn rows(cells: Vec<Cells<3>>, report: &mut Report) -> Vec<ProductRow> {
    let mut names = HashSet::new();
    let mut rows = Vec::new();
    for (line, [name, series, price]) in cells {
        let price_cents = cents(&price, 0);
        if name.is_empty() {
            report.refuse(FILE, line, "product", "a name is required");
        } else if !price.is_empty() && price_cents.is_none() {
            report.refuse(FILE, line, "sales_price", format!("{price:?} is not an amount with up to 2 decimals"));
        } else if !names.insert(loose_key(&name)) {
            report.refuse(FILE, line, "product", "an earlier row has the same name");
        } else {
            rows.push(ProductRow { line, name, series, price_cents });
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_have_a_name_of_their_own_and_a_price_that_is_one() {
        let mut report = Report::default();
        let text = "product,series,sales_price\nGTX Pro,GTX,4821\n GTX  Basic ,GTX,550.5\nGTXPRO,GTX,1\n,MG,3\nMG,MG,x\nNew,,\n";
        let rows = rows(LAYOUT.rows(text.as_bytes(), &mut report).unwrap(), &mut report);
        let rows: Vec<_> = rows.iter().map(|row| (row.line, row.name.as_str(), row.price_cents)).collect();
        assert_eq!(rows, [(2, "GTX Pro", Some(482_100)), (3, "GTX Basic", Some(55_050)), (7, "New", None)]);
        let refused: Vec<_> = report.refused.iter().map(|it| (it.row, it.field)).collect();
        assert_eq!(refused, [(4, "product"), (5, "product"), (6, "sales_price")]);
    }
}
