//! Whose accounts and contacts opportunities are about: customers is asked, on the caller's behalf and with no transaction open.
//!
//! A record that is not there is refused, and so is one that nobody can tell of: what names an account waits until customers
//! answers again. What names none, such as a move or a price, is not kept from anybody meanwhile.

use crm_proto::customers as pb;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::contact_service_client::ContactServiceClient;
use crm_resource::peers::{Asking, Peer, PeerClient};
use crm_resource::{Error, Refusal, Store};
use tonic::{Code, Status};
use uuid::Uuid;

/// The service that keeps them.
pub const CUSTOMERS: Peer = Peer { name: "customers", addresses_setting: "CRM_CUSTOMERS_ADDRESSES" };

/// The account of an opportunity is not there.
pub(crate) const ACCOUNT_NOT_FOUND: Refusal =
    Refusal::failed_precondition("OPPORTUNITY_ACCOUNT_NOT_FOUND", "there is no such account for the opportunity");
/// A contact of an opportunity is not there.
pub(crate) const CONTACT_NOT_FOUND: Refusal =
    Refusal::failed_precondition("OPPORTUNITY_CONTACT_NOT_FOUND", "there is no such contact for the opportunity");

/// Customers, as a process knows it; cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Customers(PeerClient);

impl Customers {
    pub(crate) fn new(store: &Store) -> Self {
        Self(store.peer(&CUSTOMERS))
    }

    /// Whether these are all there. Nothing is asked about none.
    pub(crate) async fn check(&self, asking: Asking, account: Option<Uuid>, contacts: &[Uuid]) -> Result<(), Error> {
        let (accounts, contacts) = (self.check_account(asking.clone(), account), self.check_contacts(asking, contacts));
        tokio::try_join!(accounts, contacts).map(|_| ())
    }

    async fn check_account(&self, asking: Asking, account: Option<Uuid>) -> Result<(), Error> {
        let Some(account) = account else { return Ok(()) };
        let mut accounts = AccountServiceClient::new(self.0.ask(asking));
        let ids = vec![account.to_string()];
        let found = accounts.batch_get_accounts(pb::BatchGetAccountsRequest { ids }).await;
        found.map(|_| ()).map_err(|status| missing(status, &ACCOUNT_NOT_FOUND))
    }

    async fn check_contacts(&self, asking: Asking, contacts: &[Uuid]) -> Result<(), Error> {
        if contacts.is_empty() {
            return Ok(());
        }
        let mut client = ContactServiceClient::new(self.0.ask(asking));
        let ids = contacts.iter().map(Uuid::to_string).collect();
        let found = client.batch_get_contacts(pb::BatchGetContactsRequest { ids }).await;
        found.map(|_| ()).map_err(|status| missing(status, &CONTACT_NOT_FOUND))
    }
}

fn missing(status: Status, refusal: &'static Refusal) -> Error {
    if status.code() == Code::NotFound { Error::from(refusal) } else { Error::from(status) }
}
