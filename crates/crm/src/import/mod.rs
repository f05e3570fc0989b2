//! `crm import`: somebody else's data, through the public API, with a report that accounts for every row.

mod accounts;
mod deals;
mod holds;
mod names;
mod order;
mod plan;
mod products;
mod records;
mod repair;
mod report;
mod table;
mod teams;
mod values;

use std::path::Path;

use anyhow::Context;

use self::accounts::AccountRow;
use self::deals::Deals;
use self::plan::Catalog;
use self::products::ProductRow;
use self::records::accounts::Accounts;
use self::records::products::Products;
use self::records::teams::Teams;
use self::report::Report;
use self::teams::TeamRows;
use crate::api::Api;
use crate::failure::Failure;

/// The files of the folder as far as they say what can be meant; all but the accounts may be missing.
struct Files {
    accounts: Vec<AccountRow>,
    products: Option<Vec<ProductRow>>,
    teams: Option<Vec<TeamRows>>,
    deals: Option<Deals>,
}

/// Brings in what the folder has and prints the report; a second run changes nothing.
pub(crate) async fn crm_sales(api: &Api, folder: &Path, json: Option<&Path>) -> Result<(), Failure> {
    let mut report = Report::default();
    let files = Files::read(folder, &mut report)?;
    files.keep(api, &mut report).await?;
    report.refused.sort_by_key(|it| (it.file, it.row));
    if let Some(path) = json {
        report.write(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    report.print();
    match report.refused_rows() {
        0 => Ok(()),
        refused => Err(Failure::Check(format!("{refused} rows refused; each is listed above with its reason"))),
    }
}

impl Files {
    fn read(folder: &Path, report: &mut Report) -> Result<Self, Failure> {
        let accounts = accounts::read(folder, report)?;
        Ok(Self {
            accounts: order::parents_first(accounts, report),
            products: products::read(folder, report)?,
            teams: teams::read(folder, report)?,
            deals: deals::read(folder, report)?,
        })
    }

    /// What is named before what names it.
    async fn keep(self, api: &Api, report: &mut Report) -> Result<(), Failure> {
        let mut accounts = Accounts::of(api).await?;
        accounts.keep(self.accounts, report).await?;
        let kept = records::attributes::keep(api).await?;
        let mut products = Products::of(api).await?;
        if let Some(rows) = self.products {
            products.keep(rows, &kept, report).await?;
        }
        let mut teams = Teams::of(api).await?;
        if let Some(rows) = self.teams {
            teams.keep(&rows, report).await?;
        }
        let Some(deals) = self.deals else { return Ok(()) };
        let some_have_none = deals.rows.iter().any(|row| row.account.is_empty());
        let catalog = Catalog {
            pipeline_id: records::pipeline::keep(api).await?,
            nowhere: if some_have_none { accounts.nowhere().await? } else { String::new() },
            accounts: accounts.names(),
            products: products.names(),
            agents: teams.agents(),
            attributes: kept,
        };
        records::deals::keep(api, deals, &catalog, report).await?;
        report.holds = Some(records::deals::holds(api, &catalog.pipeline_id, &products.by_id()).await?);
        Ok(())
    }
}
