//! `crm serve ROLE`: one process of the platform, wholly configured by the environment.

use anyhow::Context;

use crate::cli::Role;
use crate::failure::Failure;
use crate::{settings, start};

pub(crate) async fn run(role: Role) -> Result<(), Failure> {
    let telemetry = |name| {
        let started = crm_telemetry::start(name).context("telemetry");
        settings::unknown().iter().for_each(|line| tracing::warn!("{line}"));
        started
    };
    tokio::spawn(start::give_back());
    match role {
        Role::Gateway => crm_gateway::run(telemetry("gateway")?).await.context("gateway")?,
        Role::Service(service) => service.run(telemetry(service.name)?).await.context(service.name)?,
        Role::Console => crm_console::run(telemetry("console")?).await.context("console")?,
        // It takes spans and sends none: its own would keep it busy with itself.
        Role::TraceViewer => crm_trace_viewer::run().await.context("trace-viewer")?,
        Role::Toy => crm_sandbox::toy::serve_from_environment().await.context("toy")?,
    }
    Ok(())
}
