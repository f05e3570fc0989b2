//! Upstreams: their replicas, and the policy that chooses among them.

use axum::{
    Json,
    extract::{Path, State, rejection::JsonRejection},
};
use crm_balance::{CallsSnapshot, Policy, ReplicaSnapshot};
use serde::{Deserialize, Serialize};

use super::{Control, fault::Fault};
use crate::{reasons, table::Routed};

/// An upstream as of now.
#[derive(Serialize)]
pub(crate) struct View {
    name: String,
    key: String,
    policy: Policy,
    /// Too few replicas are healthy: calls go to all that are connected.
    panic: bool,
    calls: CallsSnapshot,
    replicas: Vec<ReplicaSnapshot>,
}

/// All upstreams.
#[derive(Serialize)]
pub(crate) struct Views {
    upstreams: Vec<View>,
}

/// `{"policy": "least_request"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyChange {
    policy: String,
}

impl From<&Routed> for View {
    fn from(routed: &Routed) -> Self {
        let upstream = &routed.upstream;
        Self {
            name: upstream.name().to_owned(),
            key: routed.key.clone(),
            policy: upstream.policy(),
            panic: upstream.is_panicking(),
            calls: upstream.calls(),
            replicas: upstream.replicas(),
        }
    }
}

pub(crate) async fn list(State(control): State<Control>) -> Json<Views> {
    Json(Views { upstreams: control.table.all().iter().map(|routed| View::from(&**routed)).collect() })
}

pub(crate) async fn show(State(control): State<Control>, Path(service): Path<String>) -> Result<Json<View>, Fault> {
    Ok(Json(View::from(find(&control, &service)?)))
}

pub(crate) async fn set_policy(
    State(control): State<Control>,
    Path(service): Path<String>,
    change: Result<Json<PolicyChange>, JsonRejection>,
) -> Result<Json<View>, Fault> {
    let routed = find(&control, &service)?;
    let Json(change) = change.map_err(|rejection| control.fault(&reasons::malformed_change(&rejection)))?;
    let policy = change.policy.parse::<Policy>();
    let policy = policy.map_err(|unknown| control.fault(&reasons::invalid_field("policy", &unknown)))?;
    routed.upstream.set_policy(policy);
    tracing::info!(upstream = routed.upstream.name(), policy = policy.name(), "policy changed");
    Ok(Json(View::from(routed)))
}

fn find<'a>(control: &'a Control, name: &str) -> Result<&'a Routed, Fault> {
    let found = control.table.find_named(name).map(|routed| &**routed);
    found.ok_or_else(|| control.fault(&reasons::unknown_upstream()))
}
