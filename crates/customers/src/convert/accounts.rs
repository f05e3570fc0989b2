//! Accounts.

use crm_proto::customers as pb;
use crm_values::{Flaw, lower_case, parse_domain_name, parse_id, parse_optional_id, required, unify_id, within};

use super::masks::Mask;
use super::requests::{Created, RequestId};
use super::values::{in_range, money_message, parse_money, timestamp};
use super::violations::Violations;

use crate::domain::{Account, AccountField, AccountFields, AccountId, AccountPatch};
use crate::error::Error;

/// What a request wants created.
///
/// # Errors
/// All violations.
pub fn create_account(mut request: pb::CreateAccountRequest) -> Result<Created<AccountFields>, Error> {
    let mut violations = Violations::default();
    let text = std::mem::take(&mut request.request_id);
    if let Some(account) = &mut request.account {
        unify_id(&mut account.parent_id);
    }
    let request_id = RequestId::parse(&text, &request, &mut violations);
    let every = AccountField::ALL.map(|(_, field)| field);
    let new = match &request.account {
        Some(account) => fields(account, &every, &mut violations),
        None => violations.check("account", Err(Flaw::missing())),
    };
    violations.finish(Created { new, request_id })
}

/// What a request wants changed, of which account, in which state.
#[derive(Debug)]
pub struct AccountChange {
    /// The account.
    pub id: AccountId,
    /// The state that is to be changed, or none in particular.
    pub etag: String,
    /// The fields that the request names.
    pub mask: Vec<AccountField>,
    message: pb::Account,
}

impl AccountChange {
    /// New values for what the request changes of `current`.
    ///
    /// A value that the account has already is not looked at: it may be older than a rule, and is no reason to refuse
    /// the others.
    ///
    /// # Errors
    /// All violations.
    pub fn patch(mut self, current: &Account) -> Result<AccountPatch, Error> {
        let stored = account_message(current);
        self.mask.retain(|field| !is_same(&self.message, &stored, *field));
        let mut violations = Violations::default();
        let values = fields(&self.message, &self.mask, &mut violations);
        violations.finish(AccountPatch { mask: self.mask, values })
    }
}

/// What a request wants changed. Its values are looked at beside those that are stored, by [`AccountChange::patch`].
///
/// # Errors
/// All violations, if it cannot be told which account or which fields are meant.
pub fn update_account(request: pb::UpdateAccountRequest) -> Result<AccountChange, Error> {
    let mut violations = Violations::default();
    let Some(account) = request.account else {
        violations.add("account", Flaw::missing());
        return Err(violations.into_error());
    };
    let id = AccountId(violations.check("account.id", parse_id(&account.id)));
    let mask = Mask::of(request.update_mask);
    let mask = mask.resolve(&AccountField::ALL, &[], |field| is_set(&account, field), &mut violations);
    if !violations.is_clear("") {
        fields(&account, &mask, &mut violations);
    }
    violations.finish(AccountChange { id, etag: account.etag.clone(), mask, message: account })
}

/// The message of an account.
pub fn account_message(account: &Account) -> pb::Account {
    let fields = account.fields.clone();
    pb::Account {
        id: account.id.0.to_string(),
        name: fields.name,
        domain: fields.domain.unwrap_or_default(),
        industry: fields.industry,
        country: fields.country,
        territory: fields.territory,
        owner: fields.owner,
        employees: fields.employees,
        annual_revenue: fields.annual_revenue.map(money_message),
        founded_year: fields.founded_year,
        parent_id: fields.parent_id.map(|parent| parent.0.to_string()).unwrap_or_default(),
        etag: account.etag().to_string(),
        create_time: Some(timestamp(account.create_time)),
        update_time: Some(timestamp(account.update_time)),
        delete_time: account.delete_time.map(timestamp),
    }
}

/// The values of the fields in `mask`; what else the message holds is not looked at.
fn fields(message: &pb::Account, mask: &[AccountField], violations: &mut Violations) -> AccountFields {
    let mut fields = AccountFields::default();
    for field in mask {
        read(message, *field, &mut fields, violations);
    }
    fields
}

fn read(message: &pb::Account, field: AccountField, fields: &mut AccountFields, violations: &mut Violations) {
    let text = within(60);
    match field {
        AccountField::Name => fields.name = violations.check("account.name", required(200).parse(&message.name)),
        AccountField::Domain => fields.domain = violations.check("account.domain", domain(&message.domain)),
        AccountField::Industry => {
            let industry = violations.check("account.industry", text.parse(&lower_case(&message.industry)));
            fields.industry = industry;
        }
        AccountField::Country => fields.country = violations.check("account.country", text.parse(&message.country)),
        AccountField::Territory => {
            fields.territory = violations.check("account.territory", text.parse(&message.territory));
        }
        AccountField::Owner => fields.owner = violations.check("account.owner", within(100).parse(&message.owner)),
        AccountField::Employees => {
            let employees = in_range(message.employees, 0..=10_000_000, "must be 0 to 10,000,000");
            fields.employees = violations.check("account.employees", employees);
        }
        AccountField::AnnualRevenue => {
            let revenue = parse_money(message.annual_revenue.as_ref());
            fields.annual_revenue = violations.check("account.annual_revenue", revenue);
        }
        AccountField::FoundedYear => {
            let year = in_range(message.founded_year, 1000..=2100, "must be 1000 to 2100");
            fields.founded_year = violations.check("account.founded_year", year);
        }
        AccountField::ParentId => {
            let parent = parse_optional_id(&message.parent_id);
            fields.parent_id = violations.check("account.parent_id", parent).map(AccountId);
        }
    }
}

fn domain(text: &str) -> Result<Option<String>, Flaw> {
    if text.is_empty() { Ok(None) } else { parse_domain_name(text).map(Some) }
}

fn is_same(message: &pb::Account, stored: &pb::Account, field: AccountField) -> bool {
    match field {
        AccountField::Name => message.name == stored.name,
        AccountField::Domain => message.domain == stored.domain,
        AccountField::Industry => message.industry == stored.industry,
        AccountField::Country => message.country == stored.country,
        AccountField::Territory => message.territory == stored.territory,
        AccountField::Owner => message.owner == stored.owner,
        AccountField::Employees => message.employees == stored.employees,
        AccountField::AnnualRevenue => message.annual_revenue == stored.annual_revenue,
        AccountField::FoundedYear => message.founded_year == stored.founded_year,
        AccountField::ParentId => message.parent_id == stored.parent_id,
    }
}

/// Without a mask, the fields that are set are meant: texts that are not empty, numbers that are present.
fn is_set(message: &pb::Account, field: AccountField) -> bool {
    match field {
        AccountField::Name => !message.name.is_empty(),
        AccountField::Domain => !message.domain.is_empty(),
        AccountField::Industry => !message.industry.is_empty(),
        AccountField::Country => !message.country.is_empty(),
        AccountField::Territory => !message.territory.is_empty(),
        AccountField::Owner => !message.owner.is_empty(),
        AccountField::Employees => message.employees.is_some(),
        AccountField::AnnualRevenue => message.annual_revenue.is_some(),
        AccountField::FoundedYear => message.founded_year.is_some(),
        AccountField::ParentId => !message.parent_id.is_empty(),
    }
}
