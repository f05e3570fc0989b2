//! All SQL of this service: one function per question, none of which decides anything.
//!
//! Every statement names the tenant, although row-level security adds the same condition: a mistake in one of the two
//! shows nothing, and the planner folds them into one index condition and one check per statement.

/// The time of a change to a locked row: read after its lock was taken, and never earlier than the change before it.
///
/// `now()` is when the transaction began. Of two that wait for each other's lock, the one that began first may well be
/// the one that writes last, and its change would seem to be the older one. Clocks are also set back.
macro_rules! change_time {
    () => {
        "greatest(statement_timestamp(), update_time + interval '1 microsecond')"
    };
}

pub mod accounts;
pub mod contacts;
pub mod export;
pub mod keys;
pub mod listing;

use crm_database::Error as DatabaseError;

use crate::error::Error;

/// The domain's error where a named constraint says what is wrong.
fn refused(error: DatabaseError) -> Error {
    match error.constraint() {
        Some("accounts_domain_key") => Error::DomainTaken,
        Some("accounts_parent_fkey") => Error::ParentNotFound,
        Some("accounts_parent_not_self") => Error::ParentCycle,
        Some("contacts_account_fkey") => Error::ContactAccountNotFound,
        _ => Error::Database(error),
    }
}
