//! `crm migrate`: schemas and roles, created or brought up to date.

use std::path::PathBuf;

use anyhow::Context;

use crate::failure::Failure;

/// An owner's URL: one that may create schemas and roles.
const DATABASE_URL: &str = "CRM_DATABASE_URL";
/// File with the password that the customers service's role shall have.
const CUSTOMERS_PASSWORD_FILE: &str = "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE";

pub(crate) async fn run() -> Result<(), Failure> {
    let url = std::env::var(DATABASE_URL).map_err(|_| Failure::Usage(format!("{DATABASE_URL} is not set")))?;
    let password = match std::env::var_os(CUSTOMERS_PASSWORD_FILE).map(PathBuf::from) {
        Some(path) => {
            let text = std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
            Some(text.trim().to_owned())
        }
        None => None,
    };
    crm_customers::migrate(&url, password.as_deref()).await.context("cannot migrate the customers schema")?;
    println!("customers: schema and role are up to date");
    Ok(())
}
