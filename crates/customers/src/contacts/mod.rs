//! Contacts: people at accounts.

mod calls;
mod compare;
mod create;
mod erase;
mod merge;
mod table;
mod undelete;
mod unmerge;

use crm_proto::customers as pb;
use crm_resource::attributes::Values;
use crm_resource::{Error, Exchange, Facets, Filter, Kind, Order, Refusal, Resource, Row, Violations, Write};
use crm_values::{Flaw, Terms, email_key, name_key, parse_email, parse_phone, text_key, within};
use sqlx::FromRow;
use uuid::Uuid;

pub use merge::MergeContact;
pub use unmerge::UnmergeContact;

/// The resource.
#[derive(Debug, Clone)]
pub struct Contact;

/// What callers may set; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    /// Where the person works; changes only when that account is merged into another.
    account_id: Uuid,
    given_name: String,
    family_name: String,
    title: String,
    /// The preferred one first, none twice.
    emails: Vec<String>,
    /// In E.164 form, the preferred one first, none twice.
    phones: Vec<String>,
    owner: String,
    tag_ids: Vec<Uuid>,
    attributes: Values,
}

impl Fields {
    pub(crate) fn account_id(&self) -> Uuid {
        self.account_id
    }

    pub(crate) fn given_name(&self) -> &str {
        &self.given_name
    }

    pub(crate) fn family_name(&self) -> &str {
        &self.family_name
    }

    pub(crate) fn emails(&self) -> &[String] {
        &self.emails
    }

    pub(crate) fn phones(&self) -> &[String] {
        &self.phones
    }
}

pub use erase::{ERASED, Erase};

/// There is no such contact.
pub const NOT_FOUND: Refusal = Refusal::not_found("CONTACT_NOT_FOUND", "there is no such contact");
/// The contact to be brought back is there.
pub const NOT_DELETED: Refusal = Refusal::already_exists("CONTACT_NOT_DELETED", "the contact is not deleted");
/// The account of the contact is not there.
pub const ACCOUNT_NOT_FOUND: Refusal =
    Refusal::failed_precondition("CONTACT_ACCOUNT_NOT_FOUND", "there is no such account for the contact");

impl Resource for Contact {
    type Message = pb::Contact;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        filters: &[
            Filter::parent("account_id"),
            Filter::text("owner", "owner_key", text_key),
            Filter::beside(
                "email",
                "id in (select contact_id from customers.contact_emails where tenant_id = $1 and email_key = {})",
                email_key,
            ),
            Filter::name("family_name", "family_name_key"),
            Filter::tag("tag_ids"),
            Filter::attributes(),
            Filter::since("update_time"),
        ],
        orders: &[Order::text("family_name", "family_name_key"), Order::time("update_time")],
        constraints: &[("contacts_account_fkey", &ACCOUNT_NOT_FOUND)],
        // The reference from there is checked when the statement ends, so the order within it does not matter.
        insert_with: "with addresses as (insert into customers.contact_emails (tenant_id, email_key, contact_id) \
                      select $1, unnest({email_keys}::text[]), $2)",
        // Addresses that stay are left alone; parts of one statement do not see each other's rows, so none is both
        // removed and added.
        update_with: "with removed as (delete from customers.contact_emails \
                      where tenant_id = $1 and contact_id = $2 and email_key <> all({email_keys}::text[])), \
                      added as (insert into customers.contact_emails (tenant_id, email_key, contact_id) \
                      select $1, unnest({email_keys}::text[]), $2 on conflict do nothing)",
        erase_with: "with addresses as (delete from customers.contact_emails \
                     where tenant_id = $1 and contact_id = any($2))",
        person: true,
        terms: "c",
        facets: true,
        merged: true,
        // Ten times as many contacts as accounts are read, each seldom.
        cache_bytes: 3 << 20,
        ..Kind::new("contacts", "customers.contacts", &NOT_FOUND, &NOT_DELETED)
    };

    fn exchange(it: &mut Fields, message: &mut pb::Contact, fields: &mut Exchange<'_>) {
        fields.id("account_id", &mut it.account_id, &mut message.account_id);
        fields.text("given_name", &mut it.given_name, &mut message.given_name, within(100));
        fields.text("family_name", &mut it.family_name, &mut message.family_name, within(100));
        fields.text("title", &mut it.title, &mut message.title, within(100));
        fields.texts("emails", &mut it.emails, &mut message.emails, parse_email);
        fields.texts("phones", &mut it.phones, &mut message.phones, parse_phone);
        fields.text("owner", &mut it.owner, &mut message.owner, within(100));
        fields.ids("tag_ids", &mut it.tag_ids, &mut message.tag_ids);
        fields.attributes("attributes", &mut it.attributes, &mut message.attributes);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("account_id", it.account_id);
        row.set("given_name", &it.given_name);
        row.set("family_name", &it.family_name);
        row.key("family_name_key", name_key(&it.family_name));
        row.set("title", &it.title);
        row.set("emails", &it.emails);
        row.parameter("email_keys", &email_keys(&it.emails));
        row.set("phones", &it.phones);
        row.set("owner", &it.owner);
        row.key("owner_key", text_key(&it.owner));
        row.set("tag_ids", &it.tag_ids);
        row.set("attributes", &it.attributes);
    }

    fn attributes(it: &Fields) -> Option<&Values> {
        Some(&it.attributes)
    }

    fn searched(it: &Fields, terms: &mut Terms) {
        terms.person(("given_name", &it.given_name), ("family_name", &it.family_name));
        it.emails.iter().for_each(|email| terms.address("emails", email));
        it.phones.iter().for_each(|phone| terms.phone("phones", phone));
    }

    fn tags(it: &mut Fields) -> Option<&mut Vec<Uuid>> {
        Some(&mut it.tag_ids)
    }

    fn facets(it: &Fields, facets: &mut Facets) {
        facets.tags(&it.tag_ids);
    }

    fn check(before: Option<&Fields>, now: &Fields, found: &mut Violations) {
        if before.is_some_and(|before| before.account_id != now.account_id) {
            let rule = "cannot be changed; create a contact at the other account";
            found.add("contact.account_id", Flaw::new(Flaw::IMMUTABLE, rule));
        }
        // Someone without any name cannot be found again. Told only where neither name has a flaw of its own.
        let is_nameless = now.given_name.is_empty() && now.family_name.is_empty();
        if is_nameless && found.is_clear("contact.given_name") && found.is_clear("contact.family_name") {
            found.add("contact.family_name", Flaw::new(Flaw::REQUIRED, "given_name or family_name is required"));
        }
    }
}

/// The addresses as they are searched, none twice: `A@x.example` and `a@x.example` are one there.
fn email_keys(emails: &[String]) -> Vec<String> {
    let mut keys: Vec<String> = emails.iter().map(|email| email_key(email)).collect();
    // What no rule of today would let in must not keep the rest of the contact from being changed.
    keys.retain(|key| (1..=254).contains(&key.len()));
    keys.sort_unstable();
    keys.dedup();
    keys
}

/// Behind `exist_at`.
pub const OF_ACCOUNT: &str = "select id from customers.contacts \
     where tenant_id = $1 and account_id = $2 and delete_time is null limit 1";

/// Whether the account has a contact that is not deleted.
pub(crate) async fn exist_at(write: &mut Write, account_id: Uuid) -> Result<bool, Error> {
    let query = sqlx::query(OF_ACCOUNT).bind(write.call.tenant).bind(account_id);
    Ok(write.fetch_optional::<(Uuid,)>("find_contact_of_account", query).await?.is_some())
}
