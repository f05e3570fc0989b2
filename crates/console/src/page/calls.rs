//! The slowest and the failed calls just now, each with the way to its trace.

use askama::Template;

use super::{Part, render, words::duration};
use crate::{
    config::Link,
    room::{Call, Scene},
};

/// Calls that a person is shown at a time, of each kind.
const SHOWN: usize = 6;

#[derive(Template)]
#[template(path = "calls.html")]
struct Calls {
    slow: Vec<Row>,
    failed: Vec<Row>,
    /// Why there is nothing.
    missing: Option<String>,
}

pub(super) struct Row {
    pub(super) id: String,
    /// `AccountService/`, after which a line may break.
    pub(super) before: String,
    pub(super) name: String,
    pub(super) took: String,
    pub(super) status: String,
    pub(super) mood: &'static str,
    /// `0, then 1`.
    pub(super) tried: String,
    pub(super) link: Option<String>,
}

pub(super) fn part(scene: &Scene, traces: Option<&Link>) -> Part {
    let rows =
        |list: &'static str, calls: &[Call]| calls.iter().take(SHOWN).map(|call| row(list, call, traces)).collect();
    let (slow, failed) = (rows("slow", &scene.calls.slow), rows("failed", &scene.calls.failed));
    Part::leaf("calls", render(&Calls { slow, failed, missing: missing(scene) }))
}

/// Why nothing is known of any call, if so.
pub(super) fn missing(scene: &Scene) -> Option<String> {
    match &scene.viewer {
        None => Some("No trace viewer is configured.".to_owned()),
        Some(viewer) => viewer.away.as_ref().map(|away| format!("The trace viewer {}.", away.why)),
    }
}

/// `list` keeps the ids apart where a call stands in both.
pub(super) fn row(list: &str, call: &Call, traces: Option<&Link>) -> Row {
    let (mood, status) = match (call.failed(), call.was_saved()) {
        (true, _) if call.status == "CANCELLED" => ("warning", "given up by the caller".to_owned()),
        (true, _) => ("bad", call.status.clone()),
        (false, true) => ("warning", "OK, after a retry".to_owned()),
        (false, false) => ("good", "OK".to_owned()),
    };
    let tried: Vec<&str> = call.tried.iter().map(|(replica, _)| replica.as_str()).collect();
    let (before, name) = call.name.split_at(call.name.rfind('/').map_or(0, |slash| slash + 1));
    Row {
        id: format!("{list}-{}", call.trace),
        before: before.to_owned(),
        name: name.to_owned(),
        took: duration(call.took_ms),
        status,
        mood,
        tried: if tried.is_empty() { "none".to_owned() } else { tried.join(", then ") },
        link: traces.map(|base| base.to(&format!("/trace/{}", call.trace))),
    }
}
