//! Who answers and who does not.

use askama::Template;

use super::{Part, render, words::ago};
use crate::room::{Scene, Watched};

#[derive(Template)]
#[template(path = "status.html")]
struct Status {
    all: Vec<Chip>,
    is_live: bool,
    is_empty: bool,
}

struct Chip {
    name: String,
    mood: &'static str,
    words: String,
}

pub(super) fn part(scene: &Scene) -> Part {
    let all = scene.gateways.iter().map(|gateway| chip("gateway", gateway, scene.now));
    let all = all.chain(scene.viewer.iter().map(|viewer| chip("traces", viewer, scene.now))).collect();
    Part::leaf("status", render(&Status { all, is_live: scene.is_live(), is_empty: scene.upstreams.is_empty() }))
}

fn chip(role: &str, watched: &Watched, now: f64) -> Chip {
    let (mood, words) = match &watched.away {
        None if watched.is_here() => ("good", "answers".to_owned()),
        None => ("plain", "not asked yet".to_owned()),
        // In steps, so that the page does not change with every second that it lasts.
        Some(away) => ("bad", format!("{} (for {})", away.why, ago(((now - away.since) / 5.0).floor() * 5.0))),
    };
    Chip { name: format!("{role} {}", watched.name), mood, words }
}
