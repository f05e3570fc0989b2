//! `crm migrate`: schemas and roles, created or brought up to date.

use std::path::{Path, PathBuf};

use anyhow::Context;
use crm_server::config::Env;

use crate::failure::Failure;

pub(crate) async fn run() -> Result<(), Failure> {
    let mut env = Env::from_process();
    // An owner's URL: one that may create schemas and roles.
    let url = env.required_url("CRM_DATABASE_URL", "CRM_DATABASE_PASSWORD_FILE");
    let password_file = env.optional::<PathBuf>("CRM_CUSTOMERS_DATABASE_PASSWORD_FILE");
    env.finish().map_err(|error| Failure::Usage(error.to_string()))?;
    let url = url.get().map_err(|error| Failure::Usage(error.to_string()))?;

    let password = password_file.as_deref().map(read).transpose()?;
    crm_customers::migrate(url.expose(), password.as_deref()).await.context("cannot migrate the customers schema")?;
    println!("customers: schema and role are up to date");
    Ok(())
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}
