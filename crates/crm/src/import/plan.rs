//! What a row of the pipeline asks for, and what of an opportunity that is there it changes.
//!
//! The file is right in what it says, and only in that: where it says nothing, a record begins with what can be assumed, and what
//! somebody has set since is left alone.

use std::collections::BTreeMap;

use crm_proto::google::r#type::Money;
use crm_proto::sales as pb;
use crm_proto::sales::opportunity::Line;
use prost_types::Value;
use prost_types::value::Kind;

use super::deals::{DealRow, FILE, Stage};
use super::names::Names;
use super::records::attributes::{Attributes, ENGAGE_DATE, ROW_ID, value};
use super::records::stage_id;
use super::repair;
use super::report::Report;
use super::values::dollars;

/// Of what is lost.
const NO_REASON: &str = "not stated";

/// What rows name, as the service knows it.
#[derive(Debug)]
pub(super) struct Catalog {
    pub(super) pipeline_id: String,
    /// Ids.
    pub(super) accounts: Names<String>,
    /// The account of those that have none.
    pub(super) nowhere: String,
    pub(super) products: Names<Listed>,
    /// As records name them.
    pub(super) agents: Names<String>,
    /// Of which values are kept.
    pub(super) attributes: Attributes,
}

/// A product at its list price.
#[derive(Debug, Clone)]
pub(super) struct Listed {
    pub(super) id: String,
    pub(super) name: String,
    pub(super) price: Option<Money>,
}

/// The id of the row that an opportunity is about. Where the attribute is none any more it is the last word of the name.
pub(super) fn row_id(it: &pb::Opportunity) -> &str {
    match it.attributes.get(ROW_ID).and_then(|value| value.kind.as_ref()) {
        Some(Kind::StringValue(id)) => id,
        _ => it.name.rsplit(' ').next().unwrap_or_default(),
    }
}

impl Catalog {
    /// The opportunity as the row has it created; the row is refused if it names what is not there.
    pub(super) fn wanted(&self, row: &DealRow, report: &mut Report) -> Option<pb::Opportunity> {
        let agent = self.agents.find(&row.agent, repair::AGENT_SPELLING, report);
        let product = self.products.find(&row.product, repair::PRODUCT_SPELLING, report);
        let account = match row.account.as_str() {
            "" => Some(&self.nowhere),
            name => self.accounts.find(name, repair::ACCOUNT_SPELLING, report),
        };
        for (field, name, is_known) in [
            ("sales_agent", &row.agent, agent.is_some()),
            ("product", &row.product, product.is_some()),
            ("account", &row.account, account.is_some()),
        ] {
            if !is_known {
                report.refuse(FILE, row.line, field, format!("there is none of the name {name:?}"));
            }
        }
        let (agent, product, account) = (agent?, product?, account?);
        count_repairs(row, report);
        Some(pb::Opportunity {
            name: format!("{} {}", product.name, row.id),
            account_id: account.clone(),
            pipeline_id: self.pipeline_id.clone(),
            stage_id: stage_id(row.stage),
            lines: vec![line(row, product)],
            close_date: row.close_date.clone(),
            owner: agent.clone(),
            lost_reason: if row.stage == Stage::Lost { NO_REASON.into() } else { String::new() },
            attributes: self.attributes(row),
            ..Default::default()
        })
    }

    fn attributes(&self, row: &DealRow) -> BTreeMap<String, Value> {
        let said = [(ROW_ID, &row.id), (ENGAGE_DATE, &row.engage_date)].into_iter();
        let kept = said.filter(|(key, text)| self.attributes.contains(key) && !text.is_empty());
        kept.map(|(key, text)| (key.to_owned(), value(text))).collect()
    }
}

fn count_repairs(row: &DealRow, report: &mut Report) {
    for (rule, is_used) in [
        (repair::ACCOUNT_MISSING, row.account.is_empty()),
        (repair::LOST_REASON_MISSING, row.stage == Stage::Lost),
        (repair::VALUE_MISSING, row.value_cents.is_none()),
    ] {
        if is_used {
            report.repaired(rule);
        }
    }
}

/// One of the product at what the file says that was paid, or at its list price.
fn line(row: &DealRow, product: &Listed) -> Line {
    let price = row.value_cents.map(dollars).or_else(|| product.price.clone());
    Line {
        product_id: product.id.clone(),
        quantity: "1".into(),
        unit_price: Some(price.unwrap_or_else(|| dollars(0))),
        ..Default::default()
    }
}

/// The fields that differ, in the opportunity as it is wanted; nothing if none does.
pub(super) fn changes(row: &DealRow, mut wanted: pb::Opportunity, current: &pb::Opportunity) -> Option<Update> {
    let moves = wanted.stage_id != current.stage_id;
    let (line, before) = (wanted.lines.first(), current.lines.first());
    let sells_another = line.map(|line| &line.product_id) != before.map(|line| &line.product_id);
    let is_repriced = line.map(|line| &line.unit_price) != before.map(|line| &line.unit_price);
    let says_price = row.value_cents.is_some() || moves || sells_another;
    let differing = wanted.attributes.iter().filter(|(key, value)| current.attributes.get(*key) != Some(value));
    let mut paths: Vec<String> = differing.map(|(key, _)| format!("attributes.{key}")).collect();
    paths.sort_unstable();
    for (path, differs) in [
        ("name", sells_another),
        ("account_id", !row.account.is_empty() && wanted.account_id != current.account_id),
        ("stage_id", moves),
        ("lines", sells_another || current.lines.len() != 1 || says_price && is_repriced),
        ("close_date", wanted.close_date != current.close_date && (moves || !row.close_date.is_empty())),
        ("owner", wanted.owner != current.owner),
        ("lost_reason", row.stage == Stage::Lost && current.lost_reason.is_empty()),
    ] {
        if differs {
            paths.push(path.to_owned());
        }
    }
    wanted.id.clone_from(&current.id);
    (!paths.is_empty()).then_some(Update { opportunity: wanted, paths })
}

/// What is to be changed of an opportunity.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Update {
    pub(super) opportunity: pb::Opportunity,
    pub(super) paths: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalog() -> Catalog {
        let listed = |(name, units): (&str, i64)| {
            let price = Some(dollars(units * 100));
            (name.to_owned(), Listed { id: format!("id of {name}"), name: name.to_owned(), price })
        };
        let named = |name: &str| (name.to_owned(), name.to_owned());
        Catalog {
            pipeline_id: "pipeline".into(),
            accounts: Names::of(["Acme", "Best"].map(|name| (name.to_owned(), format!("id of {name}")))),
            nowhere: "nowhere".into(),
            products: Names::of([("GTX Pro", 4821), ("GTX Basic", 550)].map(listed)),
            agents: Names::of(["Ada", "Alan"].map(named)),
            attributes: [ROW_ID, ENGAGE_DATE].into(),
        }
    }

    fn row() -> DealRow {
        DealRow {
            line: 2,
            id: "A1".into(),
            agent: "Ada".into(),
            product: "GTXPro".into(),
            account: "Acme".into(),
            stage: Stage::Won,
            engage_date: "2016-10-20".into(),
            close_date: "2017-03-01".into(),
            value_cents: Some(105_400),
        }
    }

    fn open_row() -> DealRow {
        let (account, close_date) = (String::new(), String::new());
        DealRow { stage: Stage::Engaging, account, close_date, value_cents: None, ..row() }
    }

    fn wanted(row: &DealRow) -> (Option<pb::Opportunity>, Report) {
        let mut report = Report::default();
        (catalog().wanted(row, &mut report), report)
    }

    /// As the service shows it afterwards.
    fn kept(row: &DealRow) -> pb::Opportunity {
        let mut it = wanted(row).0.unwrap();
        it.id = "7".into();
        it.lines[0].name = "GTX Pro".into();
        it.lines[0].total = it.lines[0].unit_price.clone();
        it
    }

    #[test]
    fn what_was_won_is_worth_what_was_paid() {
        let (it, report) = wanted(&row());
        let it = it.unwrap();
        assert_eq!((it.name.as_str(), it.account_id.as_str(), it.owner.as_str()), ("GTX Pro A1", "id of Acme", "Ada"));
        assert_eq!((it.stage_id.as_str(), it.close_date.as_str()), (stage_id(Stage::Won).as_str(), "2017-03-01"));
        assert_eq!(it.lines[0].unit_price, Some(dollars(105_400)));
        assert_eq!((it.lost_reason.as_str(), row_id(&it)), ("", "A1"));
        assert_eq!(it.attributes[ENGAGE_DATE], value("2016-10-20"));
        assert_eq!(report.repaired, [("product_spelling", 1)].into());
    }

    #[test]
    fn what_the_file_does_not_say_is_assumed_by_a_named_rule() {
        let (it, report) = wanted(&open_row());
        let it = it.unwrap();
        assert_eq!((it.account_id.as_str(), &it.lines[0].unit_price), ("nowhere", &Some(dollars(482_100))));
        assert_eq!(report.repaired, [("account_missing", 1), ("product_spelling", 1), ("value_missing", 1)].into());
        let (it, report) = wanted(&DealRow { stage: Stage::Lost, value_cents: Some(0), ..row() });
        let it = it.unwrap();
        assert_eq!((it.lost_reason.as_str(), &it.lines[0].unit_price), ("not stated", &Some(dollars(0))));
        assert_eq!(report.repaired, [("lost_reason_missing", 1), ("product_spelling", 1)].into());
    }

    #[test]
    fn who_and_what_is_not_there_is_refused_all_at_once() {
        let unknown = "Nobody".to_owned();
        let row = DealRow { agent: unknown.clone(), product: unknown.clone(), account: unknown, ..row() };
        let (it, report) = wanted(&row);
        let fields: Vec<_> = report.refused.iter().map(|it| (it.row, it.field)).collect();
        assert_eq!((it, fields), (None, vec![(2, "sales_agent"), (2, "product"), (2, "account")]));
    }

    fn changed(row: &DealRow, current: &pb::Opportunity) -> Vec<String> {
        let update = changes(row, wanted(row).0.unwrap(), current);
        assert!(update.iter().all(|update| update.opportunity.id == "7"));
        update.map(|update| update.paths).unwrap_or_default()
    }

    #[test]
    fn a_changed_row_changes_what_differs_and_nothing_else() {
        let none: [&str; 0] = [];
        assert_eq!(changed(&row(), &kept(&row())), none);
        for (now, paths) in [
            (DealRow { value_cents: Some(1), ..row() }, &["lines"][..]),
            (DealRow { product: "GTX Basic".into(), ..row() }, &["name", "lines"]),
            (DealRow { agent: "Alan".into(), ..row() }, &["owner"]),
            (DealRow { account: "Best".into(), ..row() }, &["account_id"]),
            (DealRow { close_date: "2017-03-02".into(), ..row() }, &["close_date"]),
            (DealRow { engage_date: "2017-01-02".into(), ..row() }, &["attributes.engage_date"]),
            (DealRow { stage: Stage::Lost, value_cents: Some(0), ..row() }, &["stage_id", "lines", "lost_reason"]),
            (DealRow { engage_date: String::new(), account: String::new(), ..row() }, &[]),
            // Opened again: the list price is assumed as it is of what is new, and when it closes is not known.
            (DealRow { account: "Acme".into(), ..open_row() }, &["stage_id", "lines", "close_date"]),
        ] {
            assert_eq!(changed(&now, &kept(&row())), paths, "{now:?}");
        }
    }

    #[test]
    fn what_somebody_has_set_since_and_the_file_does_not_say_is_left_alone() {
        let mut current = kept(&open_row());
        current.name = "The big one".into();
        current.account_id = "id of Best".into();
        current.close_date = "2018-01-01".into();
        current.lines[0].unit_price = Some(dollars(1));
        assert_eq!(changed(&open_row(), &current), Vec::<String>::new());
        assert_eq!(
            changed(&DealRow { stage: Stage::Won, ..row() }, &current),
            ["account_id", "stage_id", "lines", "close_date"]
        );
        let mut lost = kept(&DealRow { stage: Stage::Lost, ..row() });
        lost.lost_reason = "too dear".into();
        assert_eq!(changed(&DealRow { stage: Stage::Lost, ..row() }, &lost), Vec::<String>::new());
    }

    #[test]
    fn a_row_is_known_by_its_attribute_and_without_one_by_the_name() {
        let mut it = kept(&row());
        it.name = "The big one".into();
        assert_eq!(row_id(&it), "A1");
        it.attributes.clear();
        assert_eq!(row_id(&it), "one");
        it.name = "GTX Pro A1".into();
        assert_eq!(row_id(&it), "A1");
    }
}
