//! `crm serve ROLE`: one process of the platform, wholly configured by the environment.

use anyhow::Context;

use crate::cli::Role;
use crate::failure::Failure;

pub(crate) async fn run(role: Role) -> Result<(), Failure> {
    match role {
        Role::Gateway => crm_gateway::run().await.context("gateway")?,
        Role::Customers => crm_customers::run().await.context("customers")?,
        Role::TraceViewer => crm_trace_viewer::run().await.context("trace-viewer")?,
    }
    Ok(())
}
