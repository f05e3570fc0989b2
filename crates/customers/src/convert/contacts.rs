//! Contacts.

use crm_proto::customers as pb;
use crm_values::{Flaw, parse_email, parse_id, parse_phone, unify_id, within};

use super::masks::Mask;
use super::requests::{Created, RequestId};
use super::values::{parse_each, timestamp};
use super::violations::Violations;

use crate::domain::{AccountId, Contact, ContactField, ContactFields, ContactId, ContactPatch};
use crate::error::Error;

/// What a request wants created, and at which account.
///
/// # Errors
/// All violations.
pub fn create_contact(mut request: pb::CreateContactRequest) -> Result<Created<(AccountId, ContactFields)>, Error> {
    let mut violations = Violations::default();
    let text = std::mem::take(&mut request.request_id);
    if let Some(contact) = &mut request.contact {
        unify_id(&mut contact.account_id);
    }
    let request_id = RequestId::parse(&text, &request, &mut violations);
    let Some(contact) = request.contact else {
        violations.add("contact", Flaw::missing());
        return Err(violations.into_error());
    };
    let account_id = AccountId(violations.check("contact.account_id", parse_id(&contact.account_id)));
    let fields = fields(&contact, &ContactField::ALL.map(|(_, field)| field), &NOTHING_STORED, &mut violations);
    // Told only where neither name has a fault of its own.
    let names_are_clear = violations.is_clear("contact.given_name") && violations.is_clear("contact.family_name");
    if let (Err(fault), true) = (fields.check_has_name(), names_are_clear) {
        violations.add("contact.family_name", fault);
    }
    violations.finish(Created { new: (account_id, fields), request_id })
}

/// What a request wants changed, of which contact, in which state.
#[derive(Debug)]
pub struct ContactChange {
    /// The contact.
    pub id: ContactId,
    /// The state that is to be changed, or none in particular.
    pub etag: String,
    mask: Vec<ContactField>,
    account_id: Option<AccountId>,
    message: pb::Contact,
}

impl ContactChange {
    /// New values for what the request changes of `current`.
    ///
    /// A value that the contact has already is not looked at, and neither is one of several addresses or numbers: it
    /// may be older than a rule, and is no reason to refuse the others.
    ///
    /// # Errors
    /// All violations.
    pub fn patch(mut self, current: &Contact) -> Result<ContactPatch, Error> {
        let stored = contact_message(current);
        self.mask.retain(|field| !is_same(&self.message, &stored, *field));
        let mut violations = Violations::default();
        let values = fields(&self.message, &self.mask, &current.fields, &mut violations);
        violations.finish(ContactPatch { mask: self.mask, values, account_id: self.account_id })
    }
}

/// What a request wants changed. Its values are looked at beside those that are stored, by [`ContactChange::patch`].
///
/// # Errors
/// All violations, if it cannot be told which contact or which fields are meant.
pub fn update_contact(request: pb::UpdateContactRequest) -> Result<ContactChange, Error> {
    let mut violations = Violations::default();
    let Some(contact) = request.contact else {
        violations.add("contact", Flaw::missing());
        return Err(violations.into_error());
    };
    let id = ContactId(violations.check("contact.id", parse_id(&contact.id)));
    let mask = Mask::of(request.update_mask);
    let account_id = claimed_account(&contact, &mask, &mut violations);
    let mask = mask.resolve(&ContactField::ALL, &["account_id"], |field| is_set(&contact, field), &mut violations);
    if !violations.is_clear("") {
        fields(&contact, &mask, &NOTHING_STORED, &mut violations);
    }
    violations.finish(ContactChange { id, etag: contact.etag.clone(), mask, account_id, message: contact })
}

/// The account that the request says the contact belongs to, where its mask makes that part of the change.
fn claimed_account(contact: &pb::Contact, mask: &Mask, violations: &mut Violations) -> Option<AccountId> {
    let is_named = mask.names("account_id");
    let is_meant = is_named || (!matches!(mask, Mask::Paths(_)) && !contact.account_id.is_empty());
    is_meant.then(|| AccountId(violations.check("contact.account_id", parse_id(&contact.account_id))))
}

/// The rules that only a look at the stored contact can check: it stays at its account, and keeps a name.
///
/// # Errors
/// All violations.
pub fn check_contact_change(moves: bool, fields: &ContactFields) -> Result<(), Error> {
    let mut violations = Violations::default();
    if moves {
        let rule = "cannot be changed; create a contact at the other account";
        violations.add("contact.account_id", Flaw::new(Flaw::IMMUTABLE, rule));
    }
    violations.check("contact.family_name", fields.check_has_name());
    violations.finish(())
}

/// The message of a contact.
pub fn contact_message(contact: &Contact) -> pb::Contact {
    let fields = contact.fields.clone();
    pb::Contact {
        id: contact.id.0.to_string(),
        account_id: contact.account_id.0.to_string(),
        given_name: fields.given_name,
        family_name: fields.family_name,
        title: fields.title,
        emails: fields.emails,
        phones: fields.phones,
        owner: fields.owner,
        etag: contact.etag().to_string(),
        create_time: Some(timestamp(contact.create_time)),
        update_time: Some(timestamp(contact.update_time)),
        delete_time: contact.delete_time.map(timestamp),
    }
}

/// The values of the fields in `mask`; what else the message holds is not looked at.
fn fields(
    message: &pb::Contact,
    mask: &[ContactField],
    stored: &ContactFields,
    violations: &mut Violations,
) -> ContactFields {
    let mut fields = ContactFields::default();
    for field in mask {
        read(message, *field, stored, &mut fields, violations);
    }
    fields
}

const NOTHING_STORED: ContactFields = ContactFields {
    given_name: String::new(),
    family_name: String::new(),
    title: String::new(),
    emails: Vec::new(),
    phones: Vec::new(),
    owner: String::new(),
};

fn read(
    message: &pb::Contact,
    field: ContactField,
    stored: &ContactFields,
    fields: &mut ContactFields,
    violations: &mut Violations,
) {
    let text = within(100);
    match field {
        ContactField::GivenName => {
            fields.given_name = violations.check("contact.given_name", text.parse(&message.given_name));
        }
        ContactField::FamilyName => {
            fields.family_name = violations.check("contact.family_name", text.parse(&message.family_name));
        }
        ContactField::Title => fields.title = violations.check("contact.title", text.parse(&message.title)),
        ContactField::Emails => {
            fields.emails = parse_each("contact.emails", &message.emails, &stored.emails, parse_email, violations);
        }
        ContactField::Phones => {
            fields.phones = parse_each("contact.phones", &message.phones, &stored.phones, parse_phone, violations);
        }
        ContactField::Owner => fields.owner = violations.check("contact.owner", text.parse(&message.owner)),
    }
}

fn is_same(message: &pb::Contact, stored: &pb::Contact, field: ContactField) -> bool {
    match field {
        ContactField::GivenName => message.given_name == stored.given_name,
        ContactField::FamilyName => message.family_name == stored.family_name,
        ContactField::Title => message.title == stored.title,
        ContactField::Emails => message.emails == stored.emails,
        ContactField::Phones => message.phones == stored.phones,
        ContactField::Owner => message.owner == stored.owner,
    }
}

/// Without a mask, the fields that are set are meant: texts and lists that are not empty.
fn is_set(message: &pb::Contact, field: ContactField) -> bool {
    match field {
        ContactField::GivenName => !message.given_name.is_empty(),
        ContactField::FamilyName => !message.family_name.is_empty(),
        ContactField::Title => !message.title.is_empty(),
        ContactField::Emails => !message.emails.is_empty(),
        ContactField::Phones => !message.phones.is_empty(),
        ContactField::Owner => !message.owner.is_empty(),
    }
}
