//! The side panel: a list of tours, or one of them at one of its stages.

use askama::Template;

use super::{
    Part,
    boxes::forbidden,
    calls::{Row, missing, row},
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
    shows_checks: bool,
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
struct Checks<'a> {
    verdicts: Vec<Verdict>,
    /// How many are not seen yet.
    waits: usize,
    /// What somebody has to type before anything can be seen.
    commands: Vec<&'a str>,
    /// No call flows, so that there is nothing to see.
    is_idle: bool,
}

#[derive(Template)]
#[template(path = "trace.html")]
struct Trace<'a> {
    row: Option<Row>,
    tour: &'a Tour,
    is_begun: bool,
    /// Why there can be none.
    missing: Option<String>,
    /// Which calls would do.
    wanted: &'static str,
}

/// What of the tours changes while a person reads.
pub(super) fn parts(scene: &Scene, traces: Option<&Link>) -> Vec<Part> {
    tour::all().iter().flat_map(|tour| [checks(tour, scene), trace(tour, scene, traces)]).collect()
}

fn checks(tour: &Tour, scene: &Scene) -> Part {
    let verdicts = check(tour, scene);
    let waits = verdicts.iter().filter(|verdict| !verdict.held).count();
    let history = scene.histories.get(&tour.upstream);
    let calls = history.map_or(f64::NAN, |history| history.rate(scene.now, |sample| Some(sample.ok + sample.failed)));
    let html = render(&Checks { verdicts, waits, commands: commands(tour), is_idle: calls == 0.0 });
    Part::leaf(format!("checks-{}", tour.name), html)
}

fn trace(tour: &Tour, scene: &Scene, traces: Option<&Link>) -> Part {
    let begun = scene.tours.get(&tour.name);
    let row = begun.and_then(|begun| begun.call.as_ref()).map(|call| row("tour", call, traces));
    let wanted = match tour.read.find {
        Find::Slowest => "slow",
        Find::Failed => "failed",
    };
    let html = render(&Trace { row, tour, is_begun: begun.is_some(), missing: missing(scene), wanted });
    Part::leaf(format!("trace-{}", tour.name), html)
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
        commands: commands(tour),
        has_buttons: tour.breaking.actions.iter().any(|action| command(action).is_none()),
        forbidden: forbidden(scene).filter(|_| !scene.is_live() || tour.breaking.actions.iter().any(needs_faults)),
        guessed: guessed.map(String::as_str),
        was_right: guess == Some(tour.predict.right),
        answer: tour.predict.options.get(tour.predict.right).map_or("", String::as_str),
        checks: checks(tour, scene).html,
        // Who has something to type sees at once whether it worked.
        shows_checks: stage == Stage::Watch || (stage == Stage::Break && !commands(tour).is_empty()),
        trace: trace(tour, scene, traces).html,
        next: tours.get((at + 1) % tours.len()).unwrap_or(tour),
    })
}

fn step(step: Stage, name: &'static str, title: &'static str, stage: Stage) -> Step {
    let class = if step < stage { "past" } else { "to-come" };
    Step { name, title, class: if step == stage { "now" } else { class }, is_current: step == stage }
}

/// What a person has to type.
fn commands(tour: &Tour) -> Vec<&str> {
    tour.breaking.actions.iter().filter_map(command).collect()
}

fn command(action: &Action) -> Option<&str> {
    match action {
        Action::Command(line) => Some(line),
        _ => None,
    }
}
