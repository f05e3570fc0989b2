//! `crm import`: somebody else's data, through the public API, with a report that accounts for every row.

mod accounts;
mod order;
mod repair;
mod report;

use std::collections::{HashMap, HashSet};
use std::path::Path;

use anyhow::Context;
use crm_proto::customers as pb;
use crm_values::text_key;
use tokio_stream::StreamExt;
use tonic::Code;
use uuid::Uuid;

use self::accounts::AccountRow;
use self::report::Report;
use crate::api::Api;
use crate::failure::Failure;

/// Brings in the folder's accounts and prints the report; a second run creates nothing.
pub(crate) async fn crm_sales(api: &mut Api, folder: &Path, json: Option<&Path>) -> Result<(), Failure> {
    let file = folder.join("accounts.csv");
    let mut report = Report::default();
    let rows = accounts::read(&file, &mut report)?;
    let rows = order::parents_first(rows, &mut report);
    import_accounts(api, rows, &mut report).await?;
    report.print();
    if let Some(path) = json {
        report.write(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    match report.refused_rows() {
        0 => Ok(()),
        refused => Err(Failure::Check(format!("{refused} rows refused; each is listed above with its reason"))),
    }
}

/// Creates what the tenant does not have yet. What a user deleted after an earlier run stays deleted.
async fn import_accounts(api: &mut Api, rows: Vec<AccountRow>, report: &mut Report) -> Result<(), Failure> {
    let mut ids = existing_accounts(api).await?;
    let there_before: HashSet<String> = ids.values().cloned().collect();
    for row in rows {
        if ids.contains_key(&row.key) {
            report.unchanged += 1;
            continue;
        }
        let parent_id = match row.parent.as_ref().map(|parent| ids.get(parent)) {
            None => String::new(),
            Some(Some(id)) => id.clone(),
            Some(None) => {
                report.refuse(accounts::FILE, row.line, "subsidiary_of", "its parent was refused");
                continue;
            }
        };
        match create(api, &row, parent_id).await {
            // An answer given again: somebody has renamed the account since it was made.
            Ok(id) if there_before.contains(&id) => {
                report.unchanged += 1;
                ids.insert(row.key, id);
            }
            Ok(id) => {
                report.created += 1;
                ids.insert(row.key, id);
            }
            // It breaks a rule, or its parent was deleted by a user: one row's fault.
            Err(status) if matches!(status.code(), Code::InvalidArgument | Code::FailedPrecondition) => {
                report.refuse(accounts::FILE, row.line, "account", status.message());
            }
            Err(status) => return Err(api.failure(&status)),
        }
    }
    Ok(())
}

/// Ids of all accounts of the tenant by the keys of their names, the deleted ones too.
async fn existing_accounts(api: &mut Api) -> Result<HashMap<String, String>, Failure> {
    let request = pb::ExportAccountsRequest { show_deleted: true, ..Default::default() };
    let mut stream = match api.accounts().export_accounts(request).await {
        Ok(answer) => answer.into_inner(),
        Err(status) => return Err(api.failure(&status)),
    };
    let mut ids = HashMap::new();
    while let Some(account) = stream.next().await {
        let account = account.map_err(|status| api.failure(&status))?;
        ids.insert(text_key(&account.name), account.id);
    }
    Ok(ids)
}

/// The request id comes from the name's key: an import that was cut off half-way and is run again creates no twin.
async fn create(api: &mut Api, row: &AccountRow, parent_id: String) -> Result<String, tonic::Status> {
    let request_id = Uuid::new_v5(&Uuid::NAMESPACE_URL, format!("crm-sales/accounts/{}", row.key).as_bytes());
    let request = pb::CreateAccountRequest {
        account: Some(row.to_account(parent_id)),
        request_id: request_id.to_string(),
        ..Default::default()
    };
    Ok(api.accounts().create_account(request).await?.into_inner().id)
}
