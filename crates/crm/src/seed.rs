//! `crm seed`: generated data, while the platform serves.

use std::io::IsTerminal;
use std::time::Instant;

use anyhow::Context;
use crm_customers::seed::{Progress, SeedSize, demo};
use crm_database::{Database, Settings};
use crm_server::config::Env;
use crm_server::token::tenant_id;

use crate::cli::Seed;
use crate::failure::Failure;
use crate::places::Places;
use crate::status;

/// URL of the customers service's role, if not that of the platform in the folder.
const DATABASE_URL: &str = "CRM_CUSTOMERS_DATABASE_URL";

/// Creates what is missing; a second run creates nothing.
pub(crate) async fn run(places: &Places, size: Seed, tenant: &str) -> Result<(), Failure> {
    let url = match std::env::var_os(DATABASE_URL) {
        Some(_) => url_from_environment()?,
        None => status::customers_database_url(places).await?,
    };
    let size = match size {
        Seed::Demo => SeedSize::DEMO,
        Seed::Large => SeedSize { accounts: 200_000, contacts: 2_000_000 },
    };
    let started = Instant::now();
    let database = Database::connect(&Settings::new(url)).await.context("cannot reach the database")?;
    let seeded = demo(&database, tenant_id(tenant), size, report()).await.context("cannot seed")?;
    database.close().await;
    let seconds = started.elapsed().as_secs_f64();
    println!("{tenant}: {} accounts and {} contacts created in {seconds:.1} s", seeded.accounts, seeded.contacts);
    Ok(())
}

fn url_from_environment() -> Result<String, Failure> {
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(error.to_string());
    let mut env = Env::from_process();
    let url = env.required_url(DATABASE_URL, "CRM_CUSTOMERS_DATABASE_PASSWORD_FILE");
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
