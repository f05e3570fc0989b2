//! Accounts: what the tenant does not have is created, what the file says otherwise is changed.

use std::collections::{HashMap, HashSet};

use crm_proto::customers as pb;
use crm_proto::customers::account_service_client::AccountServiceClient;
use crm_values::text_key;
use prost_types::FieldMask;
use tonic::{Code, Status};

use super::{all, id_of, is_refusal, patiently};
use crate::api::{Api, Channel};
use crate::failure::Failure;
use crate::import::accounts::{AccountRow, FILE};
use crate::import::names::Names;
use crate::import::report::{Outcome, Report};

/// Whose opportunities have no account in the file: the service keeps none without one.
const NOWHERE: &str = "Account not stated";

/// The accounts of the tenant.
pub(crate) struct Accounts<'a> {
    api: &'a Api,
    client: AccountServiceClient<Channel>,
    /// By the keys of their names, the deleted ones too: what a user deleted after an earlier import stays deleted.
    there: HashMap<String, pb::Account>,
    ids: HashSet<String>,
}

impl<'a> Accounts<'a> {
    pub(crate) async fn of(api: &'a Api) -> Result<Self, Failure> {
        let mut client = AccountServiceClient::new(api.channel());
        let request = pb::ExportAccountsRequest { show_deleted: true, ..Default::default() };
        let stream = patiently(async || client.export_accounts(request.clone()).await).await;
        let (mut there, mut ids) = (HashMap::new(), HashSet::new());
        for account in all(api, stream).await? {
            ids.insert(account.id.clone());
            let key = text_key(&account.name);
            if account.delete_time.is_none() || !there.contains_key(&key) {
                there.insert(key, account);
            }
        }
        Ok(Self { api, client, there, ids })
    }

    /// Keeps the rows, parents before their subsidiaries.
    pub(crate) async fn keep(&mut self, rows: Vec<AccountRow>, report: &mut Report) -> Result<(), Failure> {
        for row in rows {
            let parent = row.parent.as_ref().map(|parent| self.there.get(parent).map(|parent| parent.id.clone()));
            let Some(parent_id) = parent.unwrap_or(Some(String::new())) else {
                report.refuse(FILE, row.line, "subsidiary_of", "its parent was refused");
                continue;
            };
            match self.keep_row(&row, parent_id).await {
                Ok(outcome) => report.count(outcome),
                Err(status) if is_refusal(&status) => report.refuse(FILE, row.line, "account", status.message()),
                Err(status) => return Err(self.api.failure(&status)),
            }
        }
        Ok(())
    }

    async fn keep_row(&mut self, row: &AccountRow, parent_id: String) -> Result<Outcome, Status> {
        let wanted = row.to_account(parent_id);
        let Some(current) = self.there.get(&row.key) else { return self.create(row.key.clone(), wanted).await };
        if current.delete_time.is_some() {
            return self.stand_in(row.key.clone()).await;
        }
        let (paths, etag) = (differences(&wanted, current), current.etag.clone());
        if paths.is_empty() {
            return Ok(Outcome::Unchanged);
        }
        let account = pb::Account { id: current.id.clone(), ..wanted };
        let request = pb::UpdateAccountRequest { account: Some(account), update_mask: Some(FieldMask { paths }) };
        let answer = patiently(async || self.client.update_account(request.clone()).await).await?;
        Ok(if answer.etag == etag { Outcome::Unchanged } else { Outcome::Changed })
    }

    /// An answer that is given again is an account that somebody has renamed since.
    async fn create(&mut self, key: String, account: pb::Account) -> Result<Outcome, Status> {
        let request_id = id_of("accounts", &key);
        let request = pb::CreateAccountRequest { account: Some(account), request_id, ..Default::default() };
        let account = patiently(async || self.client.create_account(request.clone()).await).await?;
        let is_new = self.ids.insert(account.id.clone());
        self.there.insert(key, account);
        Ok(if is_new { Outcome::Created } else { Outcome::Unchanged })
    }

    /// What was merged is deleted, and another account stands for it.
    async fn stand_in(&mut self, key: String) -> Result<Outcome, Status> {
        let Some(gone) = self.there.get(&key) else { return Ok(Outcome::Unchanged) };
        let request = pb::GetAccountRequest { id: gone.id.clone() };
        match patiently(async || self.client.get_account(request.clone()).await).await {
            Ok(account) => drop(self.there.insert(key, account)),
            Err(status) if status.code() == Code::NotFound => {}
            Err(status) => return Err(status),
        }
        Ok(Outcome::Unchanged)
    }

    /// The account that stands for none.
    pub(crate) async fn nowhere(&mut self) -> Result<String, Failure> {
        let key = text_key(NOWHERE);
        if !self.there.contains_key(&key) {
            let account = pb::Account { name: NOWHERE.to_owned(), ..Default::default() };
            self.create(key.clone(), account).await.map_err(|status| self.api.failure(&status))?;
        }
        Ok(self.there.get(&key).map(|account| account.id.clone()).unwrap_or_default())
    }

    /// Ids by names.
    pub(crate) fn names(self) -> Names<String> {
        Names::of(self.there.into_iter().map(|(name, account)| (name, account.id)))
    }
}

/// The fields in which the file says something else.
fn differences(wanted: &pb::Account, current: &pb::Account) -> Vec<String> {
    let text = |wanted: &str, current: &str| !wanted.is_empty() && text_key(wanted) != text_key(current);
    let fields = [
        ("industry", text(&wanted.industry, &current.industry)),
        ("country", text(&wanted.country, &current.country)),
        ("founded_year", wanted.founded_year.is_some() && wanted.founded_year != current.founded_year),
        ("employees", wanted.employees.is_some() && wanted.employees != current.employees),
        ("annual_revenue", wanted.annual_revenue.is_some() && wanted.annual_revenue != current.annual_revenue),
        ("parent_id", text(&wanted.parent_id, &current.parent_id)),
    ];
    fields.into_iter().filter(|(_, differs)| *differs).map(|(path, _)| path.to_owned()).collect()
}
