//! One upstream: its figures, its policy, its replicas and its charts.

use askama::Template;
use crm_balance::{Phase, Policy};

use super::{
    Part, boxes, charts, id_of, render,
    words::{duration, percent, rate},
};
use crate::{
    control::{Replica, Upstream},
    room::{History, Scene},
};

#[derive(Template)]
#[template(path = "upstreams.html")]
struct Sections {
    sections: Vec<Section>,
}

/// The frame of an upstream with its parts as they are now.
struct Section {
    id: String,
    name: String,
    summary: String,
    policy: String,
    boxes: String,
    charts: String,
}

#[derive(Template)]
#[template(path = "summary.html")]
struct Summary {
    figures: [Figure; 6],
    /// Replicas with a fault.
    broken: usize,
    panic: bool,
}

struct Figure {
    name: &'static str,
    value: String,
    mood: &'static str,
    meaning: &'static str,
}

#[derive(Template)]
#[template(path = "policy.html")]
struct Picker<'a> {
    id: String,
    upstream: &'a str,
    choices: Vec<Choice>,
    current: Choice,
}

#[derive(Clone, Copy)]
struct Choice {
    name: &'static str,
    meaning: &'static str,
    is_current: bool,
}

/// The sections of all upstreams: another part only when one appears or goes.
pub(super) fn list(scene: &Scene) -> Part {
    let sections = scene.upstreams.iter().map(|upstream| section(upstream, scene)).collect();
    let names: Vec<&str> = scene.upstreams.iter().map(|upstream| upstream.name.as_str()).collect();
    Part::around("upstreams", render(&Sections { sections }), names)
}

fn section(upstream: &Upstream, scene: &Scene) -> Section {
    Section {
        id: id_of(&upstream.name),
        name: upstream.name.clone(),
        summary: summary(upstream, scene).html,
        policy: policy(upstream).html,
        boxes: boxes::list(upstream, scene).html,
        charts: charts::part(upstream, scene).html,
    }
}

/// The parts of an upstream's section.
pub(super) fn parts(upstream: &Upstream, scene: &Scene) -> Vec<Part> {
    let mut parts = vec![summary(upstream, scene), policy(upstream), boxes::list(upstream, scene)];
    parts.extend(boxes::faces(upstream, scene));
    parts.push(charts::part(upstream, scene));
    parts
}

fn summary(upstream: &Upstream, scene: &Scene) -> Part {
    let empty = History::default();
    let history = scene.histories.get(&upstream.name).unwrap_or(&empty);
    let (ok, failed) = (history.rate(scene.now, |it| Some(it.ok)), history.rate(scene.now, |it| Some(it.failed)));
    let retries = history.rate(scene.now, |it| Some(it.retries));
    let part_failed = if ok + failed > 0.0 { failed / (ok + failed) } else { failed };
    let failing = if part_failed > 0.0 { "bad" } else { "good" };
    let figure = |name, value, mood, meaning| Figure { name, value, mood, meaning };
    let replicas = &upstream.replicas;
    let is_ready = |replica: &&Replica| replica.seen.state == Phase::Ready;
    let ready = replicas.iter().filter(is_ready).count();
    let lacking = if ready < replicas.len() { "bad" } else { "plain" };
    let broken = replicas.iter().filter(|replica| replica.fault.is_some()).count();
    let figures = [
        figure("ready", format!("{ready} of {}", replicas.len()), lacking, "replicas that calls go to"),
        figure("calls", rate(ok + failed), "plain", "calls a second, as their callers see them"),
        figure("failed", percent(part_failed), failing, "calls that ended with an error, after all tries"),
        figure("retries", rate(retries), if retries > 0.0 { "warning" } else { "plain" }, "second tries a second"),
        figure("p50", duration(upstream.calls.p50_ms), "plain", "half of the calls were answered in less time"),
        figure("p99", duration(upstream.calls.p99_ms), "plain", "99 of 100 calls were answered in less time"),
    ];
    Part::leaf(
        format!("summary-{}", id_of(&upstream.name)),
        render(&Summary { figures, broken, panic: upstream.panic }),
    )
}

fn policy(upstream: &Upstream) -> Part {
    let choice = |policy: Policy| Choice {
        name: policy.name(),
        meaning: meaning(policy),
        is_current: policy == upstream.policy,
    };
    let id = id_of(&upstream.name);
    let picker = Picker {
        id: id.clone(),
        upstream: &upstream.name,
        choices: Policy::ALL.map(choice).to_vec(),
        current: choice(upstream.policy),
    };
    Part::leaf(format!("policy-{id}"), render(&picker))
}

const fn meaning(policy: Policy) -> &'static str {
    match policy {
        Policy::Random => "any replica, with equal chance",
        Policy::RoundRobin => "one after the other",
        Policy::WeightedRoundRobin => "one after the other, in proportion to their weights",
        Policy::LeastRequest => "of two at random, the one with fewer calls in flight",
        Policy::PeakEwma => "of two at random, the cheaper one: recent peak latency × calls in flight",
        Policy::ConsistentHash => "the same replica for the same tenant, within a bound on its load",
    }
}
