//! `GET /live`: the parts of the page that changed, as server-sent events.

use std::{collections::HashMap, convert::Infallible, sync::Arc, time::Duration};

use axum::{
    extract::{Query, State, rejection::QueryRejection},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::{Stream, StreamExt, stream};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;
use tokio_stream::wrappers::WatchStream;

use super::{Web, Where, answer, painter::Frame};
use crate::page::Part;

/// Pages that are kept up to date at a time; each more is told to come again.
pub(super) const MAX_PAGES: usize = 32;
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Everything at first, and then what has another key than what was sent before.
pub(super) async fn live(
    State(web): State<Web>,
    place: Result<Query<Where>, QueryRejection>,
    headers: HeaderMap,
) -> Response {
    let Ok(seat) = Arc::clone(&web.seats).try_acquire_owned() else {
        let full = answer::refused(&headers, StatusCode::SERVICE_UNAVAILABLE, "Too many pages are open.");
        return ([(header::RETRY_AFTER, "5")], full).into_response();
    };
    let tour = place.ok().and_then(|Query(place)| place.tour);
    let events = changes(WatchStream::from_changes(web.painter.watch()), tour, seat);
    let until_stopped = events.take_until(web.stopping.cancelled_owned());
    Sse::new(until_stopped).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)).into_response()
}

fn changes(
    frames: impl Stream<Item = Frame>,
    tour: Option<String>,
    seat: OwnedSemaphorePermit,
) -> impl Stream<Item = Result<Event, Infallible>> {
    let mut sent = Sent { keys: HashMap::new(), tour, _seat: seat };
    frames.flat_map(move |frame| stream::iter(sent.news(&frame)))
}

/// What a page has.
struct Sent {
    keys: HashMap<String, u64>,
    tour: Option<String>,
    _seat: OwnedSemaphorePermit,
}

impl Sent {
    fn news(&mut self, frame: &Frame) -> Vec<Result<Event, Infallible>> {
        // Of replicas that went, nothing has to be remembered.
        self.keys.retain(|id, _| frame.iter().any(|part| part.id == *id));
        let wanted: Vec<&Part> = frame.iter().filter(|part| self.concerns(part)).collect();
        let changed = wanted.into_iter().filter(|part| self.keys.insert(part.id.clone(), part.key) != Some(part.key));
        changed.filter_map(|part| event(part).map(Ok)).collect()
    }

    /// Of the tours only the one that is open.
    fn concerns(&self, part: &Part) -> bool {
        let of_tour = part.id.strip_prefix("checks-").or_else(|| part.id.strip_prefix("trace-"));
        of_tour.is_none_or(|name| self.tour.as_deref() == Some(name))
    }
}

fn event(part: &Part) -> Option<Event> {
    Event::default().event("part").json_data(serde_json::json!({"id": part.id, "html": part.html})).ok()
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use tokio::sync::Semaphore;

    use super::*;

    fn part(id: &str, key: u64) -> Part {
        Part { id: id.to_owned(), html: String::new(), key }
    }

    #[tokio::test]
    async fn only_what_changed_is_sent_again() {
        let seat = Arc::new(Semaphore::new(1)).try_acquire_owned().unwrap();
        let frames = [
            vec![part("events", 1), part("checks-a", 1), part("checks-b", 1)],
            vec![part("events", 1), part("checks-a", 2), part("checks-b", 2)],
            vec![part("checks-a", 2)],
            vec![part("events", 1), part("checks-a", 2)],
        ];
        let frames = stream::iter(frames.map(Arc::new));
        let sent: Vec<_> = changes(frames, Some("a".to_owned()), seat).collect().await;
        // Both at first, then the tour's, then what had gone and came back.
        assert_eq!(sent.len(), 2 + 1 + 1);
    }
}
