//! Ids, values and decisions of the customers context: pure, without async, SQL or protocol types.
//!
//! What fields hold, whichever service they belong to, stands in `crm-values`.

mod account;
mod contact;
mod hierarchy;

pub use account::{Account, AccountField, AccountFields, AccountId, AccountPatch};
pub use contact::{Contact, ContactField, ContactFields, ContactId, ContactPatch};
pub use crm_values::text_key;
pub use hierarchy::{Ancestry, MAX_ANCESTORS, Obstacle};
