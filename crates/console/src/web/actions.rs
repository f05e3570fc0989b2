//! What the page's buttons do: each becomes requests to the control API.

use axum::{
    Form,
    extract::{Path, State},
    response::Response,
};
use crm_balance::Policy;
use http::{HeaderMap, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{Web, answer};
use crate::{
    control::{Command, Target},
    outbound::OutboundError,
    tour::{self, Action, Tour},
};

/// How long a fault from a button lasts, in seconds: nobody has to remember it.
const FAULT_SECONDS: u32 = 120;

#[derive(Deserialize)]
pub(super) struct PolicyForm {
    policy: String,
}

pub(super) async fn set_policy(
    State(web): State<Web>,
    Path(upstream): Path<String>,
    headers: HeaderMap,
    Form(form): Form<PolicyForm>,
) -> Response {
    let policy = match form.policy.parse::<Policy>() {
        Ok(policy) => policy,
        Err(error) => return answer::refused(&headers, StatusCode::BAD_REQUEST, &error.to_string()),
    };
    let said = format!("{upstream}: {policy} chooses now.");
    let told = web.controls.tell(&Command::Policy { upstream, policy }).await;
    outcome(&headers, told, &said, "/")
}

/// The buttons' faults.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Preset {
    None,
    Slow,
    Flaky,
    Failing,
    Hanging,
}

impl Preset {
    fn fault(self) -> Option<Value> {
        match self {
            Self::None => None,
            Self::Slow => Some(json!({"delay_ms": 100, "for_s": FAULT_SECONDS})),
            Self::Flaky => Some(json!({"error_rate": 0.3, "code": "UNAVAILABLE", "for_s": FAULT_SECONDS})),
            Self::Failing => Some(json!({"fail_fast": true, "code": "UNAVAILABLE", "for_s": FAULT_SECONDS})),
            Self::Hanging => Some(json!({"hang": true, "for_s": FAULT_SECONDS})),
        }
    }
}

#[derive(Deserialize)]
pub(super) struct FaultForm {
    fault: Preset,
}

pub(super) async fn set_fault(
    State(web): State<Web>,
    Path((upstream, replica)): Path<(String, String)>,
    headers: HeaderMap,
    Form(form): Form<FaultForm>,
) -> Response {
    let Ok(target) = replica.parse::<Target>() else {
        return answer::refused(&headers, StatusCode::BAD_REQUEST, "A replica is a number, or all.");
    };
    let (command, said) = match form.fault.fault() {
        Some(fault) => {
            let said = format!("{upstream}/{replica} is broken for {FAULT_SECONDS} s, or until you heal it.");
            (Command::Break { upstream, replica: target, fault }, said)
        }
        None => {
            (Command::Heal { upstream: upstream.clone(), replica: target }, format!("{upstream}/{replica} is healed."))
        }
    };
    outcome(&headers, web.controls.tell(&command).await, &said, "/")
}

#[derive(Deserialize)]
pub(super) struct TourForm {
    guess: Option<usize>,
}

pub(super) async fn break_tour(
    State(web): State<Web>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(form): Form<TourForm>,
) -> Response {
    let tour = tour::find(&name);
    // From before the fault, whose first moments count.
    let is_broken_here = |tour: &Tour| tour.breaking.actions.iter().all(|action| tour::command(tour, action).is_some());
    match tour {
        Some(tour) if is_broken_here(tour) => web.room.tour_counts_from_now(tour),
        Some(tour) => web.room.tour_was_typed(tour),
        None => {}
    }
    play(&web, tour, &headers, form.guess, |tour| (&tour.breaking.actions, "watch")).await
}

pub(super) async fn heal_tour(
    State(web): State<Web>,
    Path(name): Path<String>,
    headers: HeaderMap,
    Form(form): Form<TourForm>,
) -> Response {
    let tour = tour::find(&name);
    let healed = play(&web, tour, &headers, form.guess, |tour| (&tour.heal.actions, "done")).await;
    if let Some(tour) = tour {
        web.room.tour_is_over(tour);
    }
    healed
}

async fn play(
    web: &Web,
    tour: Option<&'static Tour>,
    headers: &HeaderMap,
    guess: Option<usize>,
    step: impl Fn(&'static Tour) -> (&'static Vec<Action>, &'static str),
) -> Response {
    let Some(tour) = tour else {
        return answer::refused(headers, StatusCode::NOT_FOUND, "There is no such tour.");
    };
    let (actions, stage) = step(tour);
    for action in actions {
        if let Err(error) = tour::ask(action, tour, &web.controls, &web.room).await {
            return outcome(headers, Err(error), "", "/");
        }
    }
    let guess = guess.map_or_else(String::new, |guess| format!("&guess={guess}"));
    answer::done(headers, "Done.", &format!("/?tour={}&stage={stage}{guess}#tour", tour.name))
}

fn outcome(headers: &HeaderMap, told: Result<(), OutboundError>, said: &str, to: &str) -> Response {
    match told {
        Ok(()) => answer::done(headers, said, to),
        Err(error) => answer::refused(headers, StatusCode::BAD_GATEWAY, &format!("The gateway {error}.")),
    }
}
