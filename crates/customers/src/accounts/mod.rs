//! Accounts: companies and organizations.

mod calls;
mod create;
mod delete;
mod hierarchy;
mod update;

use crm_proto::customers as pb;
use crm_resource::value::{in_range, money_message, parse_money, timestamp};
use crm_resource::{Error, Filter, Head, Kind, Order, Reading, Refusal, Resource, Row};
use crm_values::{Flaw, Money, lower_case, name_key, parse_domain_name, parse_optional_id, required, text_key, within};
use sqlx::FromRow;
use uuid::Uuid;

pub use delete::{HAS_CONTACTS, HAS_SUBSIDIARIES};
pub use hierarchy::{ANCESTORS, HEIGHT, PARENT_CYCLE, PARENT_NOT_FOUND, PARENT_TOO_DEEP, SUBSIDIARY};

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
            Filter::id("parent_id"),
            Filter::name("name", "name_key"),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("name", "name_key"), Order::time("update_time")],
        constraints: &[
            ("accounts_domain_key", &DOMAIN_TAKEN),
            ("accounts_parent_fkey", &PARENT_NOT_FOUND),
            ("accounts_parent_not_self", &PARENT_CYCLE),
        ],
        ..Kind::new("accounts", "customers.accounts", &NOT_FOUND, &NOT_DELETED)
    };

    fn read(it: &pb::Account, fields: &mut Fields, reading: &mut Reading<'_>) {
        reading.set("name", &mut fields.name, || required(200).parse(&it.name));
        reading.set("domain", &mut fields.domain, || domain(&it.domain));
        reading.set("industry", &mut fields.industry, || within(60).parse(&lower_case(&it.industry)));
        reading.set("country", &mut fields.country, || within(60).parse(&it.country));
        reading.set("territory", &mut fields.territory, || within(60).parse(&it.territory));
        reading.set("owner", &mut fields.owner, || within(100).parse(&it.owner));
        reading.set("employees", &mut fields.employees, || {
            in_range(it.employees, 0..=10_000_000, "must be 0 to 10,000,000")
        });
        if let Some(amount) = reading.get("annual_revenue", || parse_money(it.annual_revenue.as_ref())) {
            fields.annual_revenue_minor = amount.map(Money::minor);
            fields.annual_revenue_currency = amount.map(|amount| amount.currency().code().to_owned());
        }
        reading.set("founded_year", &mut fields.founded_year, || {
            in_range(it.founded_year, 1000..=2100, "must be 1000 to 2100")
        });
        reading.set("parent_id", &mut fields.parent_id, || parse_optional_id(&it.parent_id));
    }

    fn write(it: Fields, head: &Head) -> Result<pb::Account, Error> {
        let annual_revenue = money_message(it.annual_revenue_minor, it.annual_revenue_currency.as_deref())?;
        Ok(pb::Account {
            id: head.id.to_string(),
            name: it.name,
            domain: it.domain.unwrap_or_default(),
            industry: it.industry,
            country: it.country,
            territory: it.territory,
            owner: it.owner,
            employees: it.employees,
            annual_revenue,
            founded_year: it.founded_year,
            parent_id: it.parent_id.map(|parent| parent.to_string()).unwrap_or_default(),
            etag: head.etag().to_string(),
            create_time: Some(timestamp(head.create_time)),
            update_time: Some(timestamp(head.update_time)),
            delete_time: head.delete_time.map(timestamp),
        })
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
    }
}

fn domain(text: &str) -> Result<Option<String>, Flaw> {
    if text.is_empty() { Ok(None) } else { parse_domain_name(text).map(Some) }
}
