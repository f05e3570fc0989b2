//! Contacts: what is known of a person, and how a change is applied to it.

use crm_values::{Etag, Flaw};
use time::OffsetDateTime;
use uuid::Uuid;

use super::AccountId;

/// Identifies a contact within its tenant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ContactId(pub Uuid);

/// A contact as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// UUIDv7.
    pub id: ContactId,
    /// Where the person works; never changes.
    pub account_id: AccountId,
    /// What callers may set.
    pub fields: ContactFields,
    /// Counts changes, from 1.
    pub version: i64,
    /// When it was created.
    pub create_time: OffsetDateTime,
    /// When it was last changed.
    pub update_time: OffsetDateTime,
    /// When it was deleted, if it is.
    pub delete_time: Option<OffsetDateTime>,
}

impl Contact {
    /// The tag of its present state.
    pub fn etag(&self) -> Etag {
        Etag::of(self.version)
    }
}

/// What callers may set of a contact; empty texts mean "not known".
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ContactFields {
    /// Given name.
    pub given_name: String,
    /// Family name.
    pub family_name: String,
    /// Position.
    pub title: String,
    /// Addresses, the preferred one first, none twice.
    pub emails: Vec<String>,
    /// Numbers in E.164 form, the preferred one first, none twice.
    pub phones: Vec<String>,
    /// User that looks after the contact.
    pub owner: String,
}

impl ContactFields {
    /// Someone without any name cannot be found again.
    ///
    /// # Errors
    /// Both names are empty.
    pub fn check_has_name(&self) -> Result<(), Flaw> {
        if self.given_name.is_empty() && self.family_name.is_empty() {
            return Err(Flaw::new(Flaw::REQUIRED, "given_name or family_name is required"));
        }
        Ok(())
    }
}

/// A field that callers may set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields of ContactFields, documented there")]
pub enum ContactField {
    GivenName,
    FamilyName,
    Title,
    Emails,
    Phones,
    Owner,
}

impl ContactField {
    /// Every field with its name in the API.
    pub const ALL: [(&'static str, Self); 6] = [
        ("given_name", Self::GivenName),
        ("family_name", Self::FamilyName),
        ("title", Self::Title),
        ("emails", Self::Emails),
        ("phones", Self::Phones),
        ("owner", Self::Owner),
    ];
}

/// New values for some fields.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContactPatch {
    /// The fields to change.
    pub mask: Vec<ContactField>,
    /// Their values; what the mask does not name is not looked at.
    pub values: ContactFields,
    /// The account that the caller believes the contact to belong to, where the mask names it.
    pub account_id: Option<AccountId>,
}

impl ContactPatch {
    /// The fields as they are after the change.
    pub fn apply(self, mut fields: ContactFields) -> ContactFields {
        let mut new = self.values;
        for field in self.mask {
            match field {
                ContactField::GivenName => fields.given_name = std::mem::take(&mut new.given_name),
                ContactField::FamilyName => fields.family_name = std::mem::take(&mut new.family_name),
                ContactField::Title => fields.title = std::mem::take(&mut new.title),
                ContactField::Emails => fields.emails = std::mem::take(&mut new.emails),
                ContactField::Phones => fields.phones = std::mem::take(&mut new.phones),
                ContactField::Owner => fields.owner = std::mem::take(&mut new.owner),
            }
        }
        fields
    }
}
