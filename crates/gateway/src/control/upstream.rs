//! Upstreams: their replicas, and the policy that chooses among them.

use std::net::SocketAddr;

use axum::{
    Json,
    extract::{Path, State},
};
use crm_balance::{CallsSnapshot, Policy, ReplicaSnapshot};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};

use super::{
    change::Change,
    fault_view::{FaultView, FaultsView},
    refusal::Refusal,
    state::Control,
};
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
    replicas: Vec<ReplicaView>,
}

/// A replica as of now, and what has been done to it.
#[derive(Serialize)]
struct ReplicaView {
    #[serde(flatten)]
    replica: ReplicaSnapshot,
    /// Where its metrics are, if the gateway was told.
    admin: Option<String>,
    fault: Option<FaultView>,
}

/// All upstreams.
#[derive(Serialize)]
pub(crate) struct Views {
    /// Where this gateway's own metrics are.
    admin: Option<SocketAddr>,
    faults: FaultsView,
    upstreams: Vec<View>,
}

/// `{"policy": "least_request"}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct PolicyChange {
    policy: String,
}

impl View {
    /// Asks the replicas for their faults, if it may be that they have any.
    pub(super) async fn of(control: &Control, routed: &Routed) -> Self {
        let (upstream, replicas) = (&routed.upstream, routed.upstream.replicas());
        control.faults.look(replicas.iter().map(|replica| replica.address.as_str())).await;
        Self {
            name: upstream.name().to_owned(),
            key: routed.key.clone(),
            policy: upstream.policy(),
            panic: upstream.is_panicking(),
            calls: upstream.calls(),
            replicas: replicas.into_iter().map(|replica| ReplicaView::of(control, replica)).collect(),
        }
    }
}

impl ReplicaView {
    fn of(control: &Control, replica: ReplicaSnapshot) -> Self {
        let admin = control.links.configured.admins.of(&replica.address).map(str::to_owned);
        Self { admin, fault: control.faults.known(&replica.address).map(FaultView::from), replica }
    }
}

pub(crate) async fn list(State(control): State<Control>) -> Json<Views> {
    let upstreams = join_all(control.table.all().iter().map(|routed| View::of(&control, routed))).await;
    Json(Views { admin: control.links.metrics, faults: FaultsView { allowed: control.faults.allowed() }, upstreams })
}

pub(crate) async fn show(State(control): State<Control>, Path(service): Path<String>) -> Result<Json<View>, Refusal> {
    Ok(Json(View::of(&control, find(&control, &service)?).await))
}

pub(crate) async fn set_policy(
    State(control): State<Control>,
    Path(service): Path<String>,
    change: Result<Change<PolicyChange>, Refusal>,
) -> Result<Json<View>, Refusal> {
    let routed = find(&control, &service)?;
    let Change(change) = change?;
    let policy = change.policy.parse::<Policy>();
    let policy = policy.map_err(|unknown| control.refuse(&reasons::invalid_field("policy", &unknown)))?;
    routed.upstream.set_policy(policy);
    tracing::info!(upstream = routed.upstream.name(), policy = policy.name(), "policy changed");
    Ok(Json(View::of(&control, routed).await))
}

pub(super) fn find<'a>(control: &'a Control, name: &str) -> Result<&'a Routed, Refusal> {
    let found = control.table.find_named(name).map(|routed| &**routed);
    found.ok_or_else(|| control.refuse(&reasons::unknown_upstream()))
}
