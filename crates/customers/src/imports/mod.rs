//! Accounts and contacts from people's own files.

mod accounts;
mod calls;
mod contacts;
mod named;

use crm_resource::imports::Imports;
use crm_resource::{Records, Store};

use crate::accounts::Account;
use crate::contacts::Contact;
use accounts::AccountSheet;
use contacts::ContactSheet;

pub use accounts::{ACCOUNTS_IN_USE, DEPTHS};
pub use contacts::CONTACTS_IN_USE;
pub use named::{BY_DOMAIN, BY_NAME};

/// Those of both, on which this process works.
pub fn offer(store: &Store, accounts: &Records<Account>, contacts: &Records<Contact>) -> Imports {
    let sheet = AccountSheet { accounts: accounts.clone() };
    let imports = Imports::new(store).of(sheet, accounts);
    let imports = imports.of(ContactSheet { accounts: accounts.clone() }, contacts);
    imports.offer();
    imports
}
