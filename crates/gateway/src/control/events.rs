//! `GET /events`: what happens among the replicas, as server-sent events.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::State,
    response::sse::{self, KeepAlive, Sse},
};
use crm_balance::Event;
use futures_util::{Stream, StreamExt, stream::select_all};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};

use super::state::Control;

/// A comment this often tells a silent stream from a dead one.
const KEEP_ALIVE: Duration = Duration::from_secs(15);

/// Every event of every upstream from now on. A reader that is too slow is told how many it missed.
pub(crate) async fn stream(State(control): State<Control>) -> Sse<impl Stream<Item = Result<sse::Event, Infallible>>> {
    let streams = control.table.all().iter().map(|routed| BroadcastStream::new(routed.upstream.subscribe()));
    let events = select_all(streams).filter_map(|received| async { as_sent(received).map(Ok) });
    // Without this the stream would hold up the gateway's end for ever.
    let until_stopped = events.take_until(control.stopping.cancelled_owned());
    Sse::new(until_stopped).keep_alive(KeepAlive::new().interval(KEEP_ALIVE))
}

fn as_sent(received: Result<Event, BroadcastStreamRecvError>) -> Option<sse::Event> {
    match received {
        Ok(event) => sse::Event::default().event("balance").json_data(event).ok(),
        Err(BroadcastStreamRecvError::Lagged(missed)) => {
            Some(sse::Event::default().event("missed").data(missed.to_string()))
        }
    }
}
