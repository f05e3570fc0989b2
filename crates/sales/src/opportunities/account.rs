//! Opportunities go along with their accounts, which customers keeps.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use crm_proto::journal::{Change, change::Kind};
use crm_resource::follow::{Beginning, Effects, Follower, Source, Why};
use crm_resource::foreign::{Foreign, Named, Standing};
use crm_resource::{Error, Records, Store, Write};
use futures_util::FutureExt;
use tonic::async_trait;
use uuid::Uuid;

use super::{Fields, Opportunity};
use crate::customers::{CUSTOMERS, Customers};

/// What an opportunity says of its account.
pub const ACCOUNT: Named =
    Named { resource: "accounts", id: "account_id", name: "account_name", deleted: "account_deleted" };

/// Has opportunities go along.
pub(crate) const FOLLOWER: Follower =
    Follower { name: "opportunity_accounts", source: CUSTOMERS, resources: &["accounts"], effects: follow };

/// Accounts that are asked for at a time.
const PAGE: usize = 100;
/// For one answer.
const PATIENCE: Duration = Duration::from_secs(10);

struct Follows(Foreign<Opportunity>);

fn follow(store: &Store) -> Arc<dyn Effects> {
    Arc::new(Follows(Foreign::new(&Records::new(store), &ACCOUNT)))
}

#[async_trait]
impl Effects for Follows {
    /// How those are called that opportunities come to: a merge tells of the other one alone, and of what was deleted before
    /// anything was followed the name may never have been told.
    async fn ask(&self, source: &Source, changes: &[Change]) -> Result<Vec<Change>, Error> {
        let wanted: HashSet<Uuid> = changes.iter().filter_map(entered).collect();
        let wanted: Vec<Uuid> = wanted.into_iter().collect();
        let mut told = Vec::new();
        for ids in wanted.chunks(PAGE) {
            let accounts = Customers::stand(source.ask(PATIENCE)?, ids).await?;
            told.extend(accounts.there.iter().map(Standing::named));
        }
        Ok(told)
    }

    async fn apply(&self, write: &mut Write, changes: &[Change]) -> Result<(), Error> {
        self.0.apply(write, changes).await
    }

    /// Asks how all accounts stand that opportunities name.
    async fn begin(&self, source: &Source, _why: Why) -> Result<Beginning, Error> {
        let cursor = source.present().await?;
        let mut told = Vec::new();
        for ids in self.0.list(&source.call(PATIENCE)?).await?.chunks(PAGE) {
            let accounts = Customers::stand(source.ask(PATIENCE)?, ids).await?;
            told.extend(accounts.there.iter().map(Standing::there));
            told.extend(accounts.merged.into_iter().map(|(id, winner)| Standing::merged(id, winner)));
            told.extend(accounts.gone.into_iter().map(Standing::gone));
        }
        let accounts = self.0.clone();
        Ok(Beginning::at(cursor).with(move |write| async move { accounts.begin(write, &told).await }.boxed()))
    }
}

/// The account that opportunities come to because of a change.
fn entered(change: &Change) -> Option<Uuid> {
    let id = match change.kind() {
        Kind::Merged => &change.merged_into,
        Kind::Unmerged | Kind::Undeleted => &change.id,
        _ => return None,
    };
    Uuid::parse_str(id).ok()
}

impl Fields {
    /// Names this account.
    pub(super) fn stand_at(&mut self, account: Standing) {
        (self.account_id, self.account_name, self.account_deleted) = (account.id, account.name, account.deleted);
    }

    /// The account that it names, as it was told some time.
    pub(super) fn account(&self) -> Standing {
        Standing { id: self.account_id, version: 0, name: self.account_name.clone(), deleted: self.account_deleted }
    }
}
