//! A box for each replica: a face that changes all the time, and buttons that stay.

use askama::Template;
use crm_balance::Phase;

use super::{
    Part, id_of, render,
    words::{duration, percent, rate},
};
use crate::{
    control::{Replica, Upstream},
    room::Scene,
};

#[derive(Template)]
#[template(path = "boxes.html")]
struct Boxes<'a> {
    upstream: &'a str,
    boxes: Vec<Box>,
    tools: Vec<Tool>,
    /// Why nothing can be broken now.
    forbidden: Option<&'static str>,
}

struct Box {
    id: String,
    ordinal: u32,
    face: String,
}

struct Tool {
    value: &'static str,
    name: &'static str,
    meaning: &'static str,
}

#[derive(Template)]
#[template(path = "face.html")]
struct Face<'a> {
    name: String,
    address: &'a str,
    state: &'static str,
    mark: &'static str,
    reason: Option<&'a str>,
    fault: Option<String>,
    share: String,
    /// Of a bar that is 100 long.
    bar: String,
    tone: usize,
    figures: [(&'static str, String, &'static str); 5],
}

const TOOLS: [Tool; 4] = [
    Tool { value: "slow", name: "Slow", meaning: "each call takes 100 ms more, in one of its slots" },
    Tool { value: "flaky", name: "Fail 30 %", meaning: "three calls of ten fail" },
    Tool { value: "failing", name: "Fail all", meaning: "each call fails at once" },
    Tool { value: "hanging", name: "Hang", meaning: "calls are taken and never answered" },
];

/// All boxes of an upstream: another part only when a replica appears or goes, or faults become possible.
pub(super) fn list(upstream: &Upstream, scene: &Scene) -> Part {
    let id = id_of(&upstream.name);
    let boxes = upstream.replicas.iter().map(|replica| Box {
        id: face_id(upstream, replica),
        ordinal: replica.seen.ordinal,
        face: face(upstream, replica, scene).html,
    });
    let forbidden = forbidden(scene);
    let shape: Vec<_> = upstream.replicas.iter().map(|it| (it.seen.ordinal, it.seen.address.clone())).collect();
    let html = render(&Boxes { upstream: &upstream.name, boxes: boxes.collect(), tools: TOOLS.into(), forbidden });
    Part::around(format!("boxes-{id}"), html, (shape, forbidden))
}

/// Why faults cannot be put in, if they cannot.
pub(super) fn forbidden(scene: &Scene) -> Option<&'static str> {
    if !scene.is_live() {
        Some("No gateway answers, so nothing can be broken or healed.")
    } else if !scene.faults_allowed {
        Some("Faults are off: the configuration of this platform does not allow them.")
    } else {
        None
    }
}

/// The changing part of each box.
pub(super) fn faces(upstream: &Upstream, scene: &Scene) -> Vec<Part> {
    upstream.replicas.iter().map(|replica| face(upstream, replica, scene)).collect()
}

fn face_id(upstream: &Upstream, replica: &Replica) -> String {
    format!("face-{}-{}", id_of(&upstream.name), replica.seen.ordinal)
}

fn face(upstream: &Upstream, replica: &Replica, scene: &Scene) -> Part {
    let seen = &replica.seen;
    let history = scene.histories.get(&upstream.name);
    let share = history.map_or(f64::NAN, |history| history.share(scene.now, seen.ordinal));
    let calls = history.map_or(f64::NAN, |history| {
        history.rate(scene.now, |sample| sample.replica(seen.ordinal).map(|dot| dot.calls))
    });
    let busy = if seen.in_flight > 0 { "busy" } else { "plain" };
    let ejected = if seen.ejections > 0 { "warning" } else { "plain" };
    let face = Face {
        name: format!("{}/{}", upstream.name, seen.ordinal),
        address: &seen.address,
        state: seen.state.name(),
        mark: mark(seen.state),
        reason: seen.reason.as_deref(),
        fault: replica.fault.as_ref().map(|fault| fault.words()),
        share: percent(share),
        bar: format!("{:.1}", if share.is_finite() { share * 100.0 } else { 0.0 }),
        tone: tone(seen.ordinal) % 8 + 1,
        figures: [
            ("rate", rate(calls), "plain"),
            ("p50", duration(seen.p50_ms), "plain"),
            ("p99", duration(seen.p99_ms), "plain"),
            ("in flight", seen.in_flight.to_string(), busy),
            ("ejections", seen.ejections.to_string(), ejected),
        ],
    };
    Part::leaf(face_id(upstream, replica), render(&face))
}

/// A replica has the same colour in its box and in the charts.
pub(super) fn tone(ordinal: u32) -> usize {
    usize::try_from(ordinal).unwrap_or_default()
}

/// A shape for each state, for those who do not see colours.
const fn mark(state: Phase) -> &'static str {
    match state {
        Phase::Ready => "●",
        Phase::Connecting => "◌",
        Phase::Unhealthy => "▲",
        Phase::Ejected => "■",
        Phase::Probing => "◐",
        Phase::Draining => "▽",
    }
}
