//! `crm migrate`: schemas and roles, created or brought up to date.

use std::path::{Path, PathBuf};

use anyhow::Context;
use crm_resource::Service;
use crm_server::config::Env;

use crate::failure::Failure;
use crate::services;

pub(crate) async fn run() -> Result<(), Failure> {
    let mut env = Env::from_process();
    // An owner's URL: one that may create schemas and roles.
    let url = env.required_url("CRM_DATABASE_URL", "CRM_DATABASE_PASSWORD_FILE");
    let files: Vec<_> =
        services::storages().map(|(_, store)| env.optional::<PathBuf>(store.password_file_setting)).collect();
    env.finish().map_err(|error| Failure::Usage(error.to_string()))?;
    let url = url.get().map_err(|error| Failure::Usage(error.to_string()))?;

    for ((service, _), file) in services::storages().zip(files) {
        let password = file.as_deref().map(read).transpose()?;
        if password.as_deref() == Some("") {
            return Err(Failure::Usage(format!("the password file of {} is empty", service.name)));
        }
        migrate(service, url.expose(), password.as_deref()).await?;
        println!("{}: schema and role are up to date", service.name);
    }
    Ok(())
}

/// Brings one service's schema and role up to date.
pub(crate) async fn migrate(service: &Service, url: &str, password: Option<&str>) -> Result<(), Failure> {
    let done = service.migrate(url, password).await;
    Ok(done.with_context(|| format!("cannot migrate the {} schema", service.name))?)
}

fn read(path: &Path) -> anyhow::Result<String> {
    let text = std::fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
    Ok(text.trim().to_owned())
}
