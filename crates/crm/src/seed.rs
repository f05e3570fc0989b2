//! `crm seed`: generated data, while the platform serves.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use anyhow::Context;
use crm_database::{Database, Settings};
use crm_resource::Storage;
use crm_resource::seed::{Amount, Loaded, Progress};
use crm_server::config::Env;

use crate::failure::Failure;
use crate::places::Places;
use crate::services;
use crate::status;

/// Creates what is missing in each service, or in one of them; a second run creates nothing.
pub(crate) async fn run(places: &Places, amount: Amount, tenant: &str, only: Option<&str>) -> Result<(), Failure> {
    let seeds = services::storages().filter_map(|(service, store)| Some((service, store, store.seed?)));
    let seeds: Vec<_> = seeds.filter(|(service, ..)| only.is_none_or(|only| only == service.name)).collect();
    if let (Some(only), true) = (only, seeds.is_empty()) {
        return Err(Failure::Usage(format!("there is no service {only} for which data are generated")));
    }
    for (service, store, seed) in seeds {
        let url = match std::env::var_os(store.url_setting) {
            Some(_) => url_from_environment(store)?,
            None => status::database_url(places, service).await?,
        };
        let started = Instant::now();
        let mut settings = Settings::new(url);
        // A chunk has thousands of rows, and the machine may have more to do.
        settings.statement_timeout = Duration::from_secs(60);
        let database = Database::connect(&settings).await.context("cannot reach the database")?;
        let seeded =
            seed(database.clone(), tenant.to_owned(), amount, Box::new(report())).await.context("cannot seed")?;
        database.close().await;
        println!("{tenant}: {} in {:.1} s", told(&seeded), started.elapsed().as_secs_f64());
        print!("{}", table(&seeded));
    }
    Ok(())
}

/// What is new, in a line.
fn told(seeded: &[Loaded]) -> String {
    let new = seeded.iter().filter(|loaded| loaded.rows > 0);
    let new: Vec<String> = new.map(|loaded| format!("{} {}", loaded.rows, loaded.table)).collect();
    if new.is_empty() {
        "all is there already, nothing created".to_owned()
    } else {
        format!("{} created", new.join(", "))
    }
}

/// Rows a second of each table; those that the same statements fill share their time.
fn table(seeded: &[Loaded]) -> String {
    let new = seeded.iter().filter(|loaded| loaded.rows > 0);
    let row = |Loaded { table, rows, took }: &Loaded| {
        #[allow(clippy::cast_precision_loss, reason = "far below 2^53")]
        let a_second = *rows as f64 / took.as_secs_f64().max(1e-9);
        format!("  {table:16} {rows:>10} rows in {:>7.1} s {a_second:>9.0} rows/s\n", took.as_secs_f64())
    };
    new.map(row).collect()
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
