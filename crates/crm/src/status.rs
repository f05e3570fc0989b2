//! `crm status`, and what other commands ask of the platform in the folder.

use crm_resource::Service;

use crate::failure::Failure;
use crate::places::Places;
use crate::up::{ProcessStatus, Status, status};

/// In which form.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Form {
    Table,
    Json,
    Prometheus,
}

/// Prints what runs where.
pub(crate) async fn show(places: &Places, form: Form) -> Result<(), Failure> {
    let status = status(places).await?;
    match form {
        Form::Table => print!("{}", table(&status)),
        Form::Json => println!("{}", serde_json::to_string_pretty(&status).map_err(anyhow::Error::from)?),
        Form::Prometheus => print!("{}", scrape(&status)),
    }
    Ok(())
}

fn table(status: &Status) -> String {
    let mut text = format!(
        "{:16} {:>8}  {:24} {:24} {:10} {:>9} {:>9}\n",
        "process", "pid", "address", "admin", "health", "memory", "restarts"
    );
    text.extend(status.processes.iter().map(row));
    for (protocol, address) in [("gRPC", &status.otlp), ("HTTP", &status.otlp_http)] {
        text.extend(address.iter().map(|address| format!("spans over {protocol} (OTLP): http://{address}\n")));
    }
    text
}

fn row(process: &ProcessStatus) -> String {
    let none = || "-".to_owned();
    let pid = process.pid.map_or_else(none, |pid| pid.to_string());
    let address = process.address.clone().unwrap_or_else(none);
    let admin = process.admin.clone().unwrap_or_else(none);
    let memory = process.rss_bytes.map_or_else(none, |bytes| format!("{} MB", bytes / 1_000_000));
    let (health, restarts) = (process.health.as_str(), process.restarts);
    format!("{:16} {pid:>8}  {address:24} {admin:24} {health:10} {memory:>9} {restarts:>9}\n", process.name)
}

/// A configuration for Prometheus: a job a role, and each process by its name. The metrics themselves have a label
/// `replica`, of whom they tell of, so that of the process is another one.
fn scrape(status: &Status) -> String {
    let mut text = "global:\n  scrape_interval: 5s\nscrape_configs:\n".to_owned();
    let mut job = "";
    for process in &status.processes {
        let Some(admin) = &process.admin else { continue };
        if job != process.role {
            job = &process.role;
            text += &format!("  - job_name: {job}\n    static_configs:\n");
        }
        text += &format!("      - targets: [\"{admin}\"]\n        labels: {{ process: \"{}\" }}\n", process.name);
    }
    text
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

/// What a service connects with.
pub(crate) async fn database_url(places: &Places, service: &Service) -> Result<String, Failure> {
    let url = status(places).await?.database_urls.remove(service.name);
    url.ok_or_else(|| Failure::Missing(format!("{} has no database yet; `crm status` tells", service.name)))
}
