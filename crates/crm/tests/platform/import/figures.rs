//! The figures of the files, counted plainly: by no code of the import.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::{Value, json};

/// Number and cents of what was won.
type Won = BTreeMap<String, (u64, u64)>;

#[derive(Debug, Default)]
pub(crate) struct Figures {
    won: (u64, u64),
    lost: u64,
    open: u64,
    by_agent: Won,
    by_product: Won,
    by_quarter: Won,
}

impl Figures {
    pub(crate) fn of(folder: &Path) -> Self {
        let products = std::fs::read_to_string(folder.join("products.csv")).unwrap();
        let products: Vec<&str> = products.lines().skip(1).map(|line| line.split(',').next().unwrap()).collect();
        let mut figures = Self::default();
        let deals = std::fs::read_to_string(folder.join("sales_pipeline.csv")).unwrap();
        for line in deals.lines().skip(1) {
            let cells: Vec<&str> = line.split(',').collect();
            figures.add(cells.as_slice().try_into().unwrap(), &products);
        }
        figures
    }

    fn add(&mut self, [_, agent, product, _, stage, _, _, value, _, quarter]: [&str; 10], products: &[&str]) {
        self.by_agent.entry(agent.to_owned()).or_default();
        match stage {
            "Won" => {}
            "Lost" => return self.lost += 1,
            _ => return self.open += 1,
        }
        let listed = products.iter().find(|listed| listed.replace(' ', "") == product.replace(' ', "")).unwrap();
        let (whole, part) = value.split_once('.').unwrap_or((value, "00"));
        let cents = whole.parse::<u64>().unwrap() * 100 + part.parse::<u64>().unwrap();
        for won in [
            self.by_agent.get_mut(agent).unwrap(),
            self.by_product.entry((*listed).to_owned()).or_default(),
            self.by_quarter.entry(quarter.to_owned()).or_default(),
            &mut self.won,
        ] {
            *won = (won.0 + 1, won.1 + cents);
        }
    }

    pub(crate) fn rows(&self) -> u64 {
        self.won.0 + self.lost + self.open
    }

    /// As `holds` of a report.
    pub(crate) fn told(&self) -> Value {
        let value = |cents: u64| format!("{}.{:02}", cents / 100, cents % 100);
        let told = |all: &Won| -> BTreeMap<String, Value> {
            let one = |(name, (won, cents)): (&String, &(u64, u64))| {
                (name.clone(), json!({"won": won, "won_value": value(*cents)}))
            };
            all.iter().map(one).collect()
        };
        json!({
            "won": self.won.0, "won_value": value(self.won.1), "lost": self.lost, "open": self.open,
            "by_agent": told(&self.by_agent), "by_product": told(&self.by_product), "by_quarter": told(&self.by_quarter),
        })
    }
}
