//! Our gateway: as it is by default, token check included.

use std::process::Command;

use super::site::Site;
use crate::balancing::error::LabError;
use crate::balancing::tokens::Tokens;

/// What the control API calls the upstream.
pub(super) const UPSTREAM: &str = "customers";

pub(super) fn command(mut command: Command, site: &Site<'_>, tokens: &Tokens) -> Result<Command, LabError> {
    // What configures the lab's own surroundings is none of the gateway's business.
    for (name, _) in std::env::vars_os() {
        if name.to_str().is_some_and(|name| name.starts_with("CRM_") || name.starts_with("OTEL_")) {
            command.env_remove(name);
        }
    }
    let upstreams: Vec<String> = site.upstreams.iter().map(ToString::to_string).collect();
    command
        .env("CRM_LISTEN", site.public.to_string())
        .env("CRM_CONTROL_LISTEN", site.control.to_string())
        .env("CRM_ADMIN_LISTEN", site.admin.to_string())
        .env("CRM_ROUTES", format!("crm.customers.v1={}", upstreams.join(",")))
        .env("CRM_TOKEN_PUBLIC_KEY_FILE", tokens.public_key())
        .env("RUST_LOG", "warn");
    Ok(command)
}
