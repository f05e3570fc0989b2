//! `crm seed`: generated data, while the platform serves.

use std::io::IsTerminal;
use std::time::Instant;

use anyhow::Context;
use crm_database::{Database, Settings};
use crm_resource::Storage;
use crm_resource::seed::{Amount, Progress};
use crm_server::config::Env;
use crm_server::token::tenant_id;

use crate::cli::Seed;
use crate::failure::Failure;
use crate::places::Places;
use crate::services;
use crate::status;

/// Creates what is missing in each service; a second run creates nothing.
pub(crate) async fn run(places: &Places, size: Seed, tenant: &str) -> Result<(), Failure> {
    let amount = match size {
        Seed::Demo => Amount::Demo,
        Seed::Large => Amount::Large,
    };
    for (service, store) in services::storages() {
        let Some(seed) = store.seed else { continue };
        let url = match std::env::var_os(store.url_setting) {
            Some(_) => url_from_environment(store)?,
            None => status::database_url(places, service).await?,
        };
        let started = Instant::now();
        let database = Database::connect(&Settings::new(url)).await.context("cannot reach the database")?;
        let seeded =
            seed(database.clone(), tenant_id(tenant), amount, Box::new(report())).await.context("cannot seed")?;
        database.close().await;
        println!("{tenant}: {seeded} created in {:.1} s", started.elapsed().as_secs_f64());
    }
    Ok(())
}

/// URL of the service's role, if not that of the platform in the folder.
fn url_from_environment(store: &Storage) -> Result<String, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let mut env = Env::from_process();
    let url = env.required_url(store.url_setting, store.password_file_setting);
    env.finish().map_err(|error| usage(&error))?;
    Ok(url.get().map_err(|error| usage(&error))?.expose().to_owned())
}

/// One line that is written over on a terminal; elsewhere a line each tenth.
fn report() -> impl FnMut(Progress) {
    let (mut shown, terminal) = (None, std::io::stderr().is_terminal());
    move |Progress { what, done, of }| {
        let tenth = done * 10 / of.max(1);
        if terminal {
            eprint!("\rseeding {what}: {done} of {of}   ");
        } else if shown != Some((what, tenth)) {
            eprintln!("seeding {what}: {done} of {of}");
        }
        if terminal && done == of {
            eprintln!();
        }
        shown = Some((what, tenth));
    }
}
