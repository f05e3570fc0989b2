//! The side panel: a list of tours, or one of them at one of its stages.

use askama::Template;

use super::{
    Part,
    boxes::forbidden,
    calls::{Row, row},
    render,
};
use crate::{
    config::Link,
    room::Scene,
    tour::{self, Action, Find, Tour, Verdict, check},
};

/// How far a person has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Stage {
    Predict,
    Break,
    Watch,
    Read,
    Heal,
    Done,
}

impl Stage {
    const ALL: [(Self, &'static str, &'static str); 5] = [
        (Self::Predict, "predict", "Predict"),
        (Self::Break, "break", "Break"),
        (Self::Watch, "watch", "Watch"),
        (Self::Read, "read", "Read"),
        (Self::Heal, "heal", "Heal"),
    ];
}

/// Where in which tour, as the page's address tells it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) tour: &'static Tour,
    pub(crate) stage: Stage,
    pub(crate) guess: Option<usize>,
}

#[derive(Template)]
#[template(path = "tours.html")]
struct List {
    tours: &'static [Tour],
}

#[derive(Template)]
#[template(path = "tour.html")]
struct Panel<'a> {
    tour: &'a Tour,
    stage: Stage,
    /// What every link and form passes on.
    guess: Option<usize>,
    steps: Vec<Step>,
    commands: Vec<&'a str>,
    has_buttons: bool,
    forbidden: Option<&'static str>,
    guessed: Option<&'a str>,
    was_right: bool,
    answer: &'a str,
    checks: String,
    trace: String,
    next: &'a Tour,
}

struct Step {
    name: &'static str,
    title: &'static str,
    class: &'static str,
    is_current: bool,
}

#[derive(Template)]
#[template(path = "checks.html")]
struct Checks {
    verdicts: Vec<Verdict>,
}

#[derive(Template)]
#[template(path = "trace.html")]
struct Trace {
    row: Option<Row>,
    find: Find,
}

/// What of the tours changes while a person reads.
pub(super) fn parts(scene: &Scene, traces: Option<&Link>) -> Vec<Part> {
    tour::all().iter().flat_map(|tour| [checks(tour, scene), trace(tour, scene, traces)]).collect()
}

fn checks(tour: &Tour, scene: &Scene) -> Part {
    Part::leaf(format!("checks-{}", tour.name), render(&Checks { verdicts: check(tour, scene) }))
}

fn trace(tour: &Tour, scene: &Scene, traces: Option<&Link>) -> Part {
    let row = scene.calls.of(tour.read.find).first().map(|call| row("tour", call, traces));
    Part::leaf(format!("trace-{}", tour.name), render(&Trace { row, find: tour.read.find }))
}

/// The panel's content.
pub(super) fn panel(place: Option<Place>, scene: &Scene, traces: Option<&Link>) -> String {
    let Some(Place { tour, stage, guess }) = place else { return render(&List { tours: tour::all() }) };
    let tours = tour::all();
    let at = tours.iter().position(|other| other.name == tour.name).unwrap_or_default();
    let guessed = guess.and_then(|guess| tour.predict.options.get(guess));
    let needs_faults = |action: &Action| matches!(action, Action::Fault(_));
    render(&Panel {
        tour,
        stage,
        guess,
        steps: Stage::ALL.map(|(step, name, title)| self::step(step, name, title, stage)).into(),
        commands: tour.breaking.actions.iter().filter_map(command).collect(),
        has_buttons: tour.breaking.actions.iter().any(|action| command(action).is_none()),
        forbidden: forbidden(scene).filter(|_| !scene.is_live() || tour.breaking.actions.iter().any(needs_faults)),
        guessed: guessed.map(String::as_str),
        was_right: guess == Some(tour.predict.right),
        answer: tour.predict.options.get(tour.predict.right).map_or("", String::as_str),
        checks: checks(tour, scene).html,
        trace: trace(tour, scene, traces).html,
        next: tours.get((at + 1) % tours.len()).unwrap_or(tour),
    })
}

fn step(step: Stage, name: &'static str, title: &'static str, stage: Stage) -> Step {
    let class = if step < stage { "past" } else { "to-come" };
    Step { name, title, class: if step == stage { "now" } else { class }, is_current: step == stage }
}

fn command(action: &Action) -> Option<&str> {
    match action {
        Action::Command(line) => Some(line),
        _ => None,
    }
}
