//! Accounts: what is known of one, and how a change is applied to it.

use crm_values::{Etag, Money};
use time::OffsetDateTime;
use uuid::Uuid;

/// Identifies an account within its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(pub Uuid);

/// An account as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// UUIDv7.
    pub id: AccountId,
    /// What callers may set.
    pub fields: AccountFields,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was created.
    pub create_time: OffsetDateTime,
    /// When it was last changed.
    pub update_time: OffsetDateTime,
    /// When it was deleted, if it is.
    pub delete_time: Option<OffsetDateTime>,
}

impl Account {
    /// The tag of its present state.
    pub fn etag(&self) -> Etag {
        Etag::of(self.version)
    }
}

/// What callers may set of an account; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AccountFields {
    /// 1 to 200 characters.
    pub name: String,
    /// Unique among the tenant's accounts that are not deleted.
    pub domain: Option<String>,
    /// Line of business, in lower case.
    pub industry: String,
    /// Country of its seat.
    pub country: String,
    /// Sales territory.
    pub territory: String,
    /// User that looks after it.
    pub owner: String,
    /// Number of people employed.
    pub employees: Option<i32>,
    /// Revenue a year.
    pub annual_revenue: Option<Money>,
    /// Year of foundation.
    pub founded_year: Option<i32>,
    /// Account that it is a subsidiary of.
    pub parent_id: Option<AccountId>,
}

/// A field that callers may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of AccountFields, documented there")]
pub enum AccountField {
    Name,
    Domain,
    Industry,
    Country,
    Territory,
    Owner,
    Employees,
    AnnualRevenue,
    FoundedYear,
    ParentId,
}

impl AccountField {
    /// Every field with its name in the API.
    pub const ALL: [(&'static str, Self); 10] = [
        ("name", Self::Name),
        ("domain", Self::Domain),
        ("industry", Self::Industry),
        ("country", Self::Country),
        ("territory", Self::Territory),
        ("owner", Self::Owner),
        ("employees", Self::Employees),
        ("annual_revenue", Self::AnnualRevenue),
        ("founded_year", Self::FoundedYear),
        ("parent_id", Self::ParentId),
    ];
}

/// New values for some fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountPatch {
    /// The fields to change.
    pub mask: Vec<AccountField>,
    /// Their values; what the mask does not name is not looked at.
    pub values: AccountFields,
}

impl AccountPatch {
    /// The fields as they are after the change.
    pub fn apply(self, mut fields: AccountFields) -> AccountFields {
        let mut new = self.values;
        for field in self.mask {
            match field {
                AccountField::Name => fields.name = std::mem::take(&mut new.name),
                AccountField::Domain => fields.domain = new.domain.take(),
                AccountField::Industry => fields.industry = std::mem::take(&mut new.industry),
                AccountField::Country => fields.country = std::mem::take(&mut new.country),
                AccountField::Territory => fields.territory = std::mem::take(&mut new.territory),
                AccountField::Owner => fields.owner = std::mem::take(&mut new.owner),
                AccountField::Employees => fields.employees = new.employees,
                AccountField::AnnualRevenue => fields.annual_revenue = new.annual_revenue,
                AccountField::FoundedYear => fields.founded_year = new.founded_year,
                AccountField::ParentId => fields.parent_id = new.parent_id,
            }
        }
        fields
    }
}
