//! What happened.

use askama::Template;
use time::OffsetDateTime;

use super::{Part, render};
use crate::{
    control::Upstream,
    room::{Happening, Mood, Scene},
};

/// As many lines as the page has room for.
const SHOWN: usize = 14;

#[derive(Template)]
#[template(path = "feed.html")]
struct Feed<'a> {
    lines: Vec<Line<'a>>,
    is_live: bool,
    /// A replica with which something can be made to happen: `customers/0`.
    breakable: Option<String>,
}

struct Line<'a> {
    when: String,
    clock: String,
    mood: &'static str,
    mark: &'static str,
    text: &'a str,
}

pub(super) fn part(scene: &Scene) -> Part {
    let lines = scene.happenings.newest_first().take(SHOWN).map(line).collect();
    let name = |upstream: &Upstream| Some(format!("{}/{}", upstream.name, upstream.replicas.first()?.seen.ordinal));
    let breakable = scene.upstreams.first().filter(|_| scene.faults_allowed).and_then(name);
    Part::leaf("events", render(&Feed { lines, is_live: scene.is_live(), breakable }))
}

/// The newest line alone, for those who hear the page: the whole list would be read out again with each change.
pub(super) fn announcement(scene: &Scene) -> Part {
    let newest = scene.happenings.newest_first().next();
    let text = newest.map_or_else(String::new, |happening| crm_chart::escape(&happening.text));
    Part::around("announce", text, newest.map(|happening| happening.number))
}

fn line(happening: &Happening) -> Line<'_> {
    let (mood, mark) = match happening.mood {
        Mood::Good => ("good", "●"),
        Mood::Plain => ("plain", "·"),
        Mood::Warning => ("warning", "◐"),
        Mood::Bad => ("bad", "■"),
    };
    let (when, clock) = times(happening.at);
    Line { when, clock, mood, mark, text: &happening.text }
}

/// For programs and for people; the page's script shows the latter in the reader's own time zone.
fn times(at: OffsetDateTime) -> (String, String) {
    let clock = format!("{:02}:{:02}:{:02}", at.hour(), at.minute(), at.second());
    (format!("{}T{clock}Z", at.date()), clock)
}
