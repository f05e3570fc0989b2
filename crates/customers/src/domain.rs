//! Ids, values and decisions of the customers context: pure, without async, SQL or protocol types.
//!
//! A value type can only be made through its parser, so whoever holds one need not check it again.

mod account;
mod contact;
mod currency;
mod domain_name;
mod email;
mod etag;
mod fault;
mod hierarchy;
mod keys;
mod money;
mod phone;
mod shown;
mod text;

pub use account::{Account, AccountField, AccountFields, AccountId, AccountPatch};
pub use contact::{Contact, ContactField, ContactFields, ContactId, ContactPatch};
pub use currency::Currency;
pub use domain_name::parse_domain_name;
pub use email::{email_key, parse_email};
pub use etag::Etag;
pub use fault::{FIELD_REASONS, Fault};
pub use hierarchy::{Ancestry, MAX_ANCESTORS, Obstacle};
pub use keys::{KEYS, check_name_prefix, name_key, name_key_prefix, text_key};
pub use money::Money;
pub use phone::parse_phone;
pub use text::{TextRule, kept, lower_case, required, within};
