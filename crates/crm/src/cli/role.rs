//! What a process of the platform can be.

use clap::builder::{PossibleValue, PossibleValuesParser, TypedValueParser};
use crm_resource::Service;

use crate::services;

/// One process of the platform.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Role {
    Gateway,
    /// A replica of a service.
    Service(&'static Service),
    Console,
    TraceViewer,
    /// An upstream that does nothing but wait, and breaks as it is told: for the lab.
    Toy,
}

/// Reads a role's name.
pub(super) fn parser() -> impl TypedValueParser<Value = Role> {
    let services = services::ALL.into_iter().map(|service| service.name);
    let names = ["gateway"].into_iter().chain(services).chain(["console", "trace-viewer"]).map(PossibleValue::new);
    let all: Vec<PossibleValue> = names.chain([PossibleValue::new("toy").hide(true)]).collect();
    PossibleValuesParser::new(all).map(|name| match name.as_str() {
        "gateway" => Role::Gateway,
        "console" => Role::Console,
        "trace-viewer" => Role::TraceViewer,
        name => services::find(name).map_or(Role::Toy, Role::Service),
    })
}
