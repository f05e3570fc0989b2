//! The whole page, as it stands before the first change, and for good where scripts are off.

use askama::Template;

use super::{Part, Place, calls, feed, status, tour, upstream};
use crate::{config::Link, room::Scene};

/// The page at one moment.
#[derive(Template)]
#[template(path = "page.html")]
pub(crate) struct Page {
    status: String,
    upstreams: String,
    panel: String,
    tour_name: Option<&'static str>,
    announce: String,
    events: String,
    calls: String,
    traces: Option<String>,
    /// The start page and the API of a gateway.
    elsewhere: Option<[String; 2]>,
}

impl Page {
    pub(crate) fn new(scene: &Scene, place: Option<Place>, traces: Option<&Link>, gateway: Option<&Link>) -> Self {
        let html = |part: Part| part.html;
        Self {
            status: html(status::part(scene)),
            upstreams: html(upstream::list(scene)),
            panel: tour::panel(place, scene, traces),
            tour_name: place.map(|place| place.tour.name.as_str()),
            announce: html(feed::announcement(scene)),
            events: html(feed::part(scene)),
            calls: html(calls::part(scene, traces)),
            traces: traces.map(|base| base.to("/search?service=gateway")),
            elsewhere: gateway.map(|base| ["/", "/docs"].map(|path| base.to(path))),
        }
    }
}
