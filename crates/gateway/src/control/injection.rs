//! Faults: a replica is made slow, failing or silent, and healed.

mod body;

use axum::{
    Json,
    extract::{Path, State},
};
use crm_balance::Phase;
use futures_util::future::join_all;
use serde_json::{Map, Value};
use tonic::Status;

use super::{
    change::Change,
    refusal::Refusal,
    state::Control,
    upstream::{View, find},
};
use crate::{reasons, table::Routed};

/// `PUT /upstreams/{service}/replicas/{n|all}/fault`
pub(crate) async fn set(
    State(control): State<Control>,
    Path((service, replica)): Path<(String, String)>,
    change: Result<Change<Map<String, Value>>, Refusal>,
) -> Result<Json<View>, Refusal> {
    let routed = find(&control, &service)?;
    let targets = targets(&control, routed, &replica)?;
    let Change(change) = change?;
    let fault = body::parse(&change).map_err(|violations| control.refuse(&reasons::invalid_change(violations)))?;
    let set = targets.iter().map(|target| async { (target.0, control.faults.set(&target.1, fault).await) });
    all_done(join_all(set).await).map_err(|status| control.refuse(&status))?;
    tracing::warn!(upstream = service, replica, ?fault, "fault set");
    Ok(Json(View::of(&control, routed).await))
}

/// `DELETE /upstreams/{service}/replicas/{n|all}/fault`
pub(crate) async fn clear(
    State(control): State<Control>,
    Path((service, replica)): Path<(String, String)>,
) -> Result<Json<View>, Refusal> {
    let routed = find(&control, &service)?;
    let targets = targets(&control, routed, &replica)?;
    let cleared = targets.iter().map(|target| async { (target.0, control.faults.clear(&target.1).await) });
    all_done(join_all(cleared).await).map_err(|status| control.refuse(&status))?;
    tracing::info!(upstream = service, replica, "fault cleared");
    Ok(Json(View::of(&control, routed).await))
}

/// Ordinal and address of each replica meant.
fn targets(control: &Control, routed: &Routed, replica: &str) -> Result<Vec<(u32, String)>, Refusal> {
    if !control.faults.allowed() {
        return Err(control.refuse(&reasons::faults_off()));
    }
    let known = routed.upstream.replicas().into_iter().filter(|known| known.state != Phase::Draining);
    let meant = known.filter(|known| replica == "all" || replica == known.ordinal.to_string());
    let targets: Vec<_> = meant.map(|known| (known.ordinal, known.address)).collect();
    if targets.is_empty() { Err(control.refuse(&reasons::unknown_replica())) } else { Ok(targets) }
}

/// What kept some of them from it, if anything did; the others have changed all the same.
fn all_done(results: Vec<(u32, Result<(), Status>)>) -> Result<(), Status> {
    let failed = results.into_iter().filter_map(|(ordinal, result)| Some((ordinal, result.err()?)));
    let mut failed = failed.collect::<Vec<_>>().into_iter();
    let Some((first, status)) = failed.next() else { return Ok(()) };
    let which = failed.fold(first.to_string(), |which, (ordinal, _)| format!("{which}, {ordinal}"));
    let message = format!("replica {which}: {}", status.message());
    Err(Status::with_details(status.code(), message, status.details().to_vec().into()))
}
