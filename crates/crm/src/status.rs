//! `crm status`, and what other commands ask of the platform in the folder.

use crate::failure::Failure;
use crate::places::Places;
use crate::up::{ProcessStatus, status};

/// Prints what runs where.
pub(crate) async fn show(places: &Places, json: bool) -> Result<(), Failure> {
    let status = status(places).await?;
    if json {
        let text = serde_json::to_string_pretty(&status).map_err(anyhow::Error::from)?;
        println!("{text}");
        return Ok(());
    }
    println!("{:16} {:>8}  {:24} {:10} {:>9} {:>9}", "process", "pid", "address", "health", "memory", "restarts");
    for process in &status.processes {
        println!("{}", row(process));
    }
    Ok(())
}

fn row(process: &ProcessStatus) -> String {
    let none = || "-".to_owned();
    let pid = process.pid.map_or_else(none, |pid| pid.to_string());
    let address = process.address.clone().unwrap_or_else(none);
    let memory = process.rss_bytes.map_or_else(none, |bytes| format!("{} MB", bytes / 1_000_000));
    let (health, restarts) = (process.health.as_str(), process.restarts);
    format!("{:16} {pid:>8}  {address:24} {health:10} {memory:>9} {restarts:>9}", process.name)
}

/// Names the control API of a platform that runs elsewhere, in containers, say: `host:port` of each gateway, with commas
/// between them.
const CONTROL: &str = "CRM_CONTROL";

/// Whether commands go to such a platform.
pub(crate) fn is_elsewhere() -> bool {
    std::env::var_os(CONTROL).is_some()
}

/// Address of a control API: for what one gateway can do for all.
pub(crate) async fn control(places: &Places) -> Result<String, Failure> {
    Ok(controls(places).await?.swap_remove(0))
}

/// Addresses of the control APIs of all gateways; at least one.
pub(crate) async fn controls(places: &Places) -> Result<Vec<String>, Failure> {
    let controls: Vec<String> = match std::env::var(CONTROL) {
        Ok(elsewhere) => elsewhere.split(',').map(|control| control.trim().to_owned()).collect(),
        Err(_) => status(places).await?.controls.iter().map(ToString::to_string).collect(),
    };
    if controls.is_empty() {
        return Err(Failure::Missing("no gateway runs yet; `crm status` tells".to_owned()));
    }
    Ok(controls)
}

/// What the customers service connects with.
pub(crate) async fn customers_database_url(places: &Places) -> Result<String, Failure> {
    Ok(status(places).await?.customers_database_url)
}
