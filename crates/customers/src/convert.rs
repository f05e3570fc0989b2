//! Protocol messages to domain values and back: the only place where field names meet validation.
//!
//! All faults of a request are collected before it is refused, each with the path of its field as the caller sent it.

mod accounts;
mod contacts;
mod listing;
mod masks;
mod requests;
#[cfg(test)]
mod tests;
mod values;
mod violations;

pub use accounts::{AccountChange, account_message, create_account, update_account};
pub use contacts::{ContactChange, check_contact_change, contact_message, create_contact, update_contact};
pub use listing::{List, PageRequest, export_selection, next_page_token, page};
pub use requests::{Created, RequestId, batch, single};
