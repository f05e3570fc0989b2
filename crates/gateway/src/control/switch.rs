//! Switches: what can be flipped while calls run.

use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};

use super::{change::Change, refusal::Refusal, state::Control};
use crate::{reasons, switches::SwitchState};

/// All switches.
#[derive(Serialize)]
pub(crate) struct Views {
    switches: Vec<SwitchState>,
}

/// `{"on": false}`
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Flip {
    on: bool,
}

pub(crate) async fn list(State(control): State<Control>) -> Json<Views> {
    Json(Views { switches: control.switches.all() })
}

pub(crate) async fn show(
    State(control): State<Control>,
    Path(name): Path<String>,
) -> Result<Json<SwitchState>, Refusal> {
    let switch = control.switches.get(&name);
    switch.map(Json).ok_or_else(|| control.refuse(&reasons::unknown_switch()))
}

pub(crate) async fn set(
    State(control): State<Control>,
    Path(name): Path<String>,
    flip: Result<Change<Flip>, Refusal>,
) -> Result<Json<SwitchState>, Refusal> {
    let Change(flip) = flip?;
    let switch = control.switches.set(&name, flip.on).ok_or_else(|| control.refuse(&reasons::unknown_switch()))?;
    tracing::info!(switch = name, on = flip.on, "switch flipped");
    Ok(Json(switch))
}
