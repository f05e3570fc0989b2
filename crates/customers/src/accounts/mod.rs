//! Accounts: companies and organizations.

mod calls;
mod compare;
mod create;
mod delete;
mod hierarchy;
mod merge;
mod reassign;
mod table;
mod unmerge;
mod update;

use crm_proto::customers as pb;
use crm_resource::attributes::Values;
use crm_resource::{Exchange, Facets, Filter, Kind, Order, Refusal, Resource, Row};
use crm_values::{Terms, name_key, parse_domain_name, required, text_key, within};
use sqlx::FromRow;
use uuid::Uuid;

pub use delete::{HAS_CONTACTS, HAS_SUBSIDIARIES};
pub use hierarchy::{ANCESTORS, HEIGHT, LOCK_HIERARCHY, SHARE_HIERARCHY, SUBSIDIARY};
pub(crate) use hierarchy::{MAX_ANCESTORS, share_hierarchy};
pub use hierarchy::{PARENT_CYCLE, PARENT_NOT_FOUND, PARENT_TOO_DEEP};
pub use merge::MergeAccount;
pub use reassign::Reassign;
pub use unmerge::{DOMAIN_HOLDER, UnmergeAccount};

/// The resource.
#[derive(Debug, Clone)]
pub struct Account;

/// What callers may set; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    name: String,
    /// Unique among the tenant's accounts that are not deleted.
    domain: Option<String>,
    /// In lower case.
    industry: String,
    country: String,
    territory: String,
    owner: String,
    employees: Option<i32>,
    annual_revenue_minor: Option<i64>,
    annual_revenue_currency: Option<String>,
    founded_year: Option<i32>,
    parent_id: Option<Uuid>,
    tag_ids: Vec<Uuid>,
    attributes: Values,
}

impl Fields {
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Empty, if it is not known.
    pub(crate) fn domain(&self) -> &str {
        self.domain.as_deref().unwrap_or_default()
    }
}

/// There is no such account.
pub const NOT_FOUND: Refusal = Refusal::not_found("ACCOUNT_NOT_FOUND", "there is no such account");
/// The account to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("ACCOUNT_NOT_DELETED", "the account is not deleted");
/// A domain belongs to one account.
pub const DOMAIN_TAKEN: Refusal = Refusal::already_exists("ACCOUNT_DOMAIN_TAKEN", "another account has this domain");

impl Resource for Account {
    type Message = pb::Account;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::text("owner", "owner_key", text_key),
            Filter::text("industry", "industry_key", name_key),
            Filter::text("territory", "territory_key", text_key),
            Filter::parent("parent_id"),
            Filter::name("name", "name_key"),
            Filter::tag("tag_ids"),
            Filter::attributes(),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("name", "name_key"), Order::time("update_time")],
        constraints: &[
            ("accounts_domain_key", &DOMAIN_TAKEN),
            ("accounts_parent_fkey", &PARENT_NOT_FOUND),
            ("accounts_parent_not_self", &PARENT_CYCLE),
        ],
        terms: "a",
        facets: true,
        merged: true,
        ..Kind::new("accounts", "customers.accounts", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::Account, fields: &mut Exchange<'_>) {
        fields.text("name", &mut it.name, &mut message.name, required(200));
        fields.nullable("domain", &mut it.domain, &mut message.domain, parse_domain_name);
        fields.text("industry", &mut it.industry, &mut message.industry, within(60).in_lower_case());
        fields.text("country", &mut it.country, &mut message.country, within(60));
        fields.text("territory", &mut it.territory, &mut message.territory, within(60));
        fields.text("owner", &mut it.owner, &mut message.owner, within(100));
        let (range, rule) = (0..=10_000_000, "must be 0 to 10,000,000");
        fields.number("employees", &mut it.employees, &mut message.employees, range, rule);
        let revenue = (&mut it.annual_revenue_minor, &mut it.annual_revenue_currency);
        fields.money("annual_revenue", revenue, &mut message.annual_revenue);
        let (range, rule) = (1000..=2100, "must be 1000 to 2100");
        fields.number("founded_year", &mut it.founded_year, &mut message.founded_year, range, rule);
        fields.optional_id("parent_id", &mut it.parent_id, &mut message.parent_id);
        fields.ids("tag_ids", &mut it.tag_ids, &mut message.tag_ids);
        fields.attributes("attributes", &mut it.attributes, &mut message.attributes);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("name", &it.name);
        row.key("name_key", name_key(&it.name));
        row.set("domain", &it.domain);
        row.set("industry", &it.industry);
        row.key("industry_key", name_key(&it.industry));
        row.set("country", &it.country);
        row.set("territory", &it.territory);
        row.key("territory_key", text_key(&it.territory));
        row.set("owner", &it.owner);
        row.key("owner_key", text_key(&it.owner));
        row.set("employees", it.employees);
        row.set("annual_revenue_minor", it.annual_revenue_minor);
        row.set("annual_revenue_currency", &it.annual_revenue_currency);
        row.set("founded_year", it.founded_year);
        row.set("parent_id", it.parent_id);
        row.set("tag_ids", &it.tag_ids);
        row.set("attributes", &it.attributes);
    }

    fn attributes(it: &Fields) -> Option<&Values> {
        Some(&it.attributes)
    }

    fn searched(it: &Fields, terms: &mut Terms) {
        terms.company("name", &it.name);
        terms.address("domain", it.domain());
    }

    fn tags(it: &mut Fields) -> Option<&mut Vec<Uuid>> {
        Some(&mut it.tag_ids)
    }

    fn facets(it: &Fields, facets: &mut Facets) {
        facets.tags(&it.tag_ids);
    }
}
