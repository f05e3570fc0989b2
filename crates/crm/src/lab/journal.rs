//! `crm lab journal`: what a large journal costs those who read it, with a table, verdicts, and a page to look at.

use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use anyhow::Context;
use crm_database::{Database, Settings};
use crm_lab::journal::{self, Outcome, Plan, Position, Read, Reader};
use crm_lab::report::print_verdicts;
use crm_lab::scratch::Servers;
use crm_resource::journal::Cursor;
use crm_resource::{Call, Storage, Store, StoreConfig};
use crm_server::token::{Claims, Role};
use futures_util::future::BoxFuture;
use serde_json::json;

use super::{SERVICE, failure, programs, until_stopped, write, write_json};
use crate::cli::Journal;
use crate::failure::Failure;

pub(crate) async fn run(options: Journal) -> Result<(), Failure> {
    let plan = plan(&options);
    eprintln!("journal: {} changes, {} calls a second for {} s", plan.entries, plan.rate, plan.seconds);
    let follower = Follower(SERVICE.storage().context("the service keeps no records")?);
    let (programs, seed) = (programs()?, crm_lab::seed::fresh());
    let experiment = journal::run(&plan, programs, &follower, seed, |part| print!("{}", part.rows()));
    let outcome = until_stopped(experiment).await?.map_err(failure)?;
    print!("\n{}", print_verdicts(&outcome.report.verdicts));
    write_files(&options, &plan, &outcome)?;
    if outcome.report.held() { Ok(()) } else { Err(Failure::Check("a claim does not hold".to_owned())) }
}

fn plan(options: &Journal) -> Plan {
    let plan = if options.quick { Plan::QUICK } else { Plan::WHOLE };
    let (entries, seconds) = (options.entries.unwrap_or(plan.entries), options.seconds.unwrap_or(plan.seconds));
    Plan { entries, seconds, rate: options.rate, ..plan }
}

/// Reads on as a replica does whom a follower asks.
struct Follower(&'static Storage);

impl Reader for Follower {
    fn read<'a>(
        &'a self,
        servers: &'a Servers,
        from: Position,
        batches: u32,
        limit: u32,
    ) -> BoxFuture<'a, Result<Vec<Read>, String>> {
        let read = async move || {
            let database = Database::connect(&Settings::new(servers.service_url.clone())).await?;
            let redis = crm_cache::Redis::connect(SERVICE.name, &servers.redis_url)?;
            let config = StoreConfig::new(servers.service_url.parse()?, servers.redis_url.parse()?);
            let store = Store::new(database.clone(), redis, self.0.schema, &config)?;
            let all = follow(&store, from, batches, limit).await?;
            database.close().await;
            Ok(all)
        };
        Box::pin(async move { read().await.map_err(|error: anyhow::Error| format!("{error:#}")) })
    }
}

async fn follow(store: &Store, from: Position, batches: u32, limit: u32) -> anyhow::Result<Vec<Read>> {
    let (subject, tenant_name) = ("lab".to_owned(), from.tenant.to_string());
    let expires_at = SystemTime::now() + Duration::from_secs(3_600);
    let caller = Claims { subject, tenant: from.tenant, tenant_name, role: Role::Admin, expires_at };
    let call = Call { tenant: from.tenant, caller: Arc::new(caller), deadline: None };
    let cursor = json!({ "seen": [from.transaction], "low": from.sequence, "tick": null });
    let mut cursor: Cursor = serde_json::from_value(cursor)?;
    let mut all = Vec::new();
    for _ in 0..batches {
        let began = Instant::now();
        let batch = store.changes(&call, &cursor, limit).await?;
        all.push(Read { given: u32::try_from(batch.entries.len())?, took: began.elapsed() });
        if batch.is_last {
            break;
        }
        cursor = batch.cursor;
    }
    Ok(all)
}

fn write_files(options: &Journal, plan: &Plan, outcome: &Outcome) -> Result<(), Failure> {
    write_json(options.json.as_deref(), &outcome.report)?;
    if let Some(path) = &options.html {
        write(path, outcome.html(plan).map_err(anyhow::Error::from)?.into_bytes())?;
        eprintln!("{}", path.display());
    }
    Ok(())
}
