//! Whose accounts and contacts opportunities are about: customers is asked, on the caller's behalf and with no transaction open.
//!
//! A record that is not there is refused, and so is one that nobody can tell of: what names an account waits until customers
//! answers again. What names none, such as a move or a price, is not kept from anybody meanwhile.

use crm_proto::customers as pb;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_proto::customers::contact_service_client::ContactServiceClient;
use crm_resource::foreign::Standing;
use crm_resource::peers::{Asking, Peer, PeerCall, PeerClient};
use crm_resource::{Error, Refusal, Store};
use crm_values::{Etag, parse_id};
use tonic::{Code, Status};
use tonic_types::StatusExt;
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

    /// The account, if these are all there. Nothing is asked about none.
    pub(crate) async fn check(
        &self,
        asking: Asking,
        account: Option<Uuid>,
        contacts: &[Uuid],
    ) -> Result<Option<Standing>, Error> {
        let (accounts, contacts) = (self.check_account(asking.clone(), account), self.check_contacts(asking, contacts));
        tokio::try_join!(accounts, contacts).map(|(account, ())| account)
    }

    /// The account, or the one that stands for it.
    async fn check_account(&self, asking: Asking, account: Option<Uuid>) -> Result<Option<Standing>, Error> {
        let Some(account) = account else { return Ok(None) };
        let mut accounts = AccountServiceClient::new(self.0.ask(asking));
        let ids = vec![account.to_string()];
        let found = accounts.batch_get_accounts(pb::BatchGetAccountsRequest { ids }).await;
        let found = found.map_err(|status| missing(status, &ACCOUNT_NOT_FOUND))?.into_inner();
        found.accounts.iter().map(standing).next().transpose()
    }

    /// How accounts stand that are asked for past caches, up to a hundred.
    pub(crate) async fn stand(call: PeerCall, ids: &[Uuid]) -> Result<Accounts, Error> {
        let (mut client, mut accounts) = (AccountServiceClient::new(call), Accounts::default());
        let mut left: Vec<Uuid> = ids.to_vec();
        while !left.is_empty() {
            let request = pb::BatchGetAccountsRequest { ids: left.iter().map(Uuid::to_string).collect() };
            match client.batch_get_accounts(request).await {
                Ok(found) => {
                    accounts.take(found.into_inner())?;
                    break;
                }
                // It names the first one that is missing.
                Err(status) => {
                    let gone = gone(&status).filter(|gone| left.contains(gone)).ok_or_else(|| Error::from(status))?;
                    left.retain(|id| *id != gone);
                    accounts.gone.push(gone);
                }
            }
        }
        Ok(accounts)
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

/// How accounts stand.
#[derive(Debug, Default)]
pub(crate) struct Accounts {
    /// Those that are there.
    pub(crate) there: Vec<Standing>,
    /// Those for which others stand, and which ones.
    pub(crate) merged: Vec<(Uuid, Uuid)>,
    /// Those that are not there.
    pub(crate) gone: Vec<Uuid>,
}

impl Accounts {
    fn take(&mut self, found: pb::BatchGetAccountsResponse) -> Result<(), Error> {
        for account in &found.accounts {
            let account = standing(account)?;
            if !self.there.contains(&account) {
                self.there.push(account);
            }
        }
        for redirect in found.redirects {
            self.merged.push((id(&redirect.id)?, id(&redirect.winner_id)?));
        }
        Ok(())
    }
}

fn standing(account: &pb::Account) -> Result<Standing, Error> {
    let version = Etag::version_of(&account.etag).ok_or(Error::Inconsistent("an account's tag is none"))?;
    Ok(Standing { id: id(&account.id)?, version, name: account.name.clone(), deleted: false })
}

fn id(text: &str) -> Result<Uuid, Error> {
    parse_id(text).map_err(|_| Error::Inconsistent("an account's id is none"))
}

/// Which one is missing, if that is what is told.
fn gone(status: &Status) -> Option<Uuid> {
    if status.code() != Code::NotFound {
        return None;
    }
    status.get_error_details().error_info().and_then(|info| parse_id(info.metadata.get("id")?).ok())
}

fn missing(status: Status, refusal: &'static Refusal) -> Error {
    if status.code() == Code::NotFound { Error::from(refusal) } else { Error::from(status) }
}
