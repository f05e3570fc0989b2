//! One run: fetch the keys, keep the pace, send, count.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use crm_balance::Client;
use crm_transcode::{Transcoder, frame};
use http::{HeaderMap, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use rand::SeedableRng;
use rand::rngs::StdRng;
use tokio::sync::{Semaphore, mpsc};
use tonic::body::Body;
use tower::ServiceExt;

use super::calls::{self, Calls, Ready, plain, transcoder};
use super::error::LoadError;
use super::keys::Keys;
use super::pace::{self, Pace};
use super::report::LoadReport;
use super::scenario::{KeySet, Scenario};
use super::tally::{Outcome, Tally};

/// Largest message that an answer may hold.
const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// What a run needs beside its scenario.
pub struct Options {
    /// Sends calls to the gateways.
    pub client: Client,
    /// Token of the scenario's tenant.
    pub token: String,
    /// Starts over at the end, until `stop` ends it.
    pub repeat: bool,
    /// Seed of the arrivals, the mix and the keys.
    pub seed: u64,
    /// Resolves when the run shall end early; what was sent by then is reported.
    pub stop: tokio_util::sync::CancellationToken,
}

/// Seen once a second while a run goes on.
#[derive(Debug, Clone, Copy)]
pub struct Progress {
    /// Since the start.
    pub elapsed: Duration,
    /// Calls finished.
    pub calls: u64,
    /// Of these failed.
    pub failed: u64,
    /// Not started, as too many were outstanding.
    pub dropped: u64,
}

/// Runs a scenario and reports what came back.
///
/// # Errors
/// If the scenario does not fit the API, or no keys can be fetched.
pub async fn run(
    scenario: &Scenario,
    options: Options,
    progress: impl FnMut(Progress) + Send + 'static,
) -> Result<LoadReport, LoadError> {
    calls::check(scenario)?;
    let sender = Arc::new(Sender::new(scenario, &options)?);
    let keys = fetch_keys(&sender, scenario).await?;
    let calls = Calls::new(&scenario.calls, keys)?;
    let tally = Tally::new(scenario.calls.len()).map_err(|error| LoadError::Start(error.to_string()))?;

    let (outcomes, received) = mpsc::unbounded_channel();
    let counting = tokio::spawn(count(tally, received, progress));
    let seconds = send_all(scenario, &options, calls, &sender, outcomes).await?;
    let tally = counting.await.map_err(|error| LoadError::Start(error.to_string()))?;
    Ok(LoadReport::new(scenario, &tally, seconds))
}

/// Starts each call when it is due; answers, when all have ended, how long calls were started.
async fn send_all(
    scenario: &Scenario,
    options: &Options,
    mut calls: Calls,
    sender: &Arc<Sender>,
    outcomes: mpsc::UnboundedSender<Event>,
) -> Result<f64, LoadError> {
    let mut rng = StdRng::seed_from_u64(options.seed);
    let pace = Pace::new(scenario, options.repeat, StdRng::seed_from_u64(options.seed.wrapping_add(1)));
    let mut due = pace::keep(pace).map_err(|error| LoadError::Start(error.to_string()))?;
    let room = Arc::new(Semaphore::new(scenario.max_in_flight));
    let started = Instant::now();
    loop {
        let at = tokio::select! {
            at = due.recv() => match at { Some(at) => at, None => break },
            () = options.stop.cancelled() => break,
        };
        let Ok(place) = Arc::clone(&room).try_acquire_owned() else {
            let _ = outcomes.send(Event::Dropped);
            continue;
        };
        let (call, sender, outcomes) = (calls.next(&mut rng)?, Arc::clone(sender), outcomes.clone());
        tokio::spawn(async move {
            let outcome = sender.timed(call, at).await;
            let _ = outcomes.send(Event::Done(outcome));
            drop(place);
        });
    }
    Ok(started.elapsed().as_secs_f64())
}

enum Event {
    Done(Outcome),
    Dropped,
}

/// Counts until the last sender is gone.
async fn count(
    mut tally: Tally,
    mut events: mpsc::UnboundedReceiver<Event>,
    mut progress: impl FnMut(Progress),
) -> Tally {
    let started = Instant::now();
    let mut next_report = Duration::from_secs(1);
    while let Some(event) = events.recv().await {
        match event {
            Event::Done(outcome) => tally.count(&outcome),
            Event::Dropped => tally.dropped += 1,
        }
        let elapsed = started.elapsed();
        if elapsed >= next_report {
            next_report = elapsed + Duration::from_secs(1);
            progress(Progress { elapsed, calls: tally.all.calls, failed: tally.all.failed, dropped: tally.dropped });
        }
    }
    tally
}

/// Sends requests with the headers that all calls share.
pub(crate) struct Sender {
    client: Client,
    headers: HeaderMap,
    /// The time each call may take, as `grpc-timeout`.
    timeout: HeaderValue,
}

impl Sender {
    pub(crate) fn new(scenario: &Scenario, options: &Options) -> Result<Self, LoadError> {
        let value = |text: String| HeaderValue::try_from(text).map_err(|error| LoadError::Request(error.to_string()));
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("application/grpc"));
        headers.insert("te", HeaderValue::from_static("trailers"));
        let mut token = value(format!("Bearer {}", options.token))?;
        token.set_sensitive(true);
        headers.insert("authorization", token);
        let timeout = value(format!("{}m", scenario.timeout.as_millis()))?;
        Ok(Self { client: options.client.clone(), headers, timeout })
    }

    /// Sends one call and times it from the moment it was due.
    pub(crate) async fn timed(&self, call: Ready, due: Instant) -> Outcome {
        let (index, lag) = (call.index, due.elapsed());
        let failure = self.call(call).await.err();
        Outcome { index, latency: due.elapsed(), lag, failure }
    }

    /// Sends one call and reads its answer to the end.
    async fn call(&self, call: Ready) -> Result<(), String> {
        let mut answer = self.send(&call.path, call.body, self.timeout.clone()).await?;
        while next_data(&mut answer).await?.is_some() {}
        Ok(())
    }

    /// Sends one call; answers the message that comes back.
    pub(crate) async fn message(&self, path: &str, body: Bytes) -> Result<Vec<u8>, String> {
        let mut answer = self.send(path, body, self.timeout.clone()).await?;
        let (mut decoder, mut message) = (frame::Decoder::new(MAX_MESSAGE_BYTES), Vec::new());
        while let Some(data) = next_data(&mut answer).await? {
            decoder.push(&data);
            if let Some(found) = decoder.next_message().map_err(|error| error.to_string())? {
                message = found.to_vec();
            }
        }
        Ok(message)
    }

    /// Sends one request and waits for the headers of its answer.
    async fn send(&self, path: &str, body: Bytes, timeout: HeaderValue) -> Result<Response<Body>, String> {
        let mut request = Request::new(Body::new(Full::new(body).map_err(|never| match never {})));
        *request.method_mut() = http::Method::POST;
        *request.uri_mut() = format!("http://gateway{path}").parse().map_err(|_| "bad path".to_owned())?;
        *request.headers_mut() = self.headers.clone();
        request.headers_mut().insert("grpc-timeout", timeout);
        self.client.clone().oneshot(request).await.map_err(|status| code_name(status.code()))
    }
}

/// More of an answer; `None` at its end if that is OK.
async fn next_data(answer: &mut Response<Body>) -> Result<Option<Bytes>, String> {
    let trailers = match answer.body_mut().frame().await {
        Some(frame) => match frame.map_err(|status| code_name(status.code()))?.into_data() {
            Ok(data) => return Ok(Some(data)),
            Err(frame) => frame.into_trailers().unwrap_or_default(),
        },
        None => HeaderMap::new(),
    };
    match status_of(&trailers).or_else(|| status_of(answer.headers())) {
        Some(tonic::Code::Ok) => Ok(None),
        Some(code) => Err(code_name(code)),
        None => Err(format!("HTTP {}", answer.status().as_u16())),
    }
}

fn status_of(headers: &HeaderMap) -> Option<tonic::Code> {
    headers.get("grpc-status").map(|value| tonic::Code::from_bytes(value.as_bytes()))
}

fn code_name(code: tonic::Code) -> String {
    format!("{code:?}")
}

async fn fetch_keys(sender: &Sender, scenario: &Scenario) -> Result<HashMap<String, Keys>, LoadError> {
    let transcoder = transcoder()?;
    let mut all = HashMap::new();
    for (name, set) in &scenario.keys {
        let failed = |reason: String| LoadError::Keys { set: name.clone(), reason };
        let request = plain(&transcoder, &set.rpc, &set.request)?;
        let keys = fetch(&transcoder, sender, set, request).await.map_err(failed)?;
        let keys = Keys::new(keys, set.popularity).ok_or_else(|| failed("the tenant has none".to_owned()))?;
        all.insert(name.clone(), keys);
    }
    Ok(all)
}

/// The field of each streamed message, up to as many as the set takes; the rest of the stream is not read.
async fn fetch(
    transcoder: &Transcoder,
    sender: &Sender,
    set: &KeySet,
    (body, response_type): (Bytes, String),
) -> Result<Vec<String>, String> {
    let mut answer = sender.send(&format!("/{}", set.rpc), body, HeaderValue::from_static("30S")).await?;
    let mut decoder = frame::Decoder::new(MAX_MESSAGE_BYTES);
    let mut keys = Vec::new();
    while let Some(data) = next_data(&mut answer).await? {
        decoder.push(&data);
        while let Some(message) = decoder.next_message().map_err(|error| error.to_string())? {
            keys.push(key_of(transcoder, &response_type, &message, &set.field)?);
            if keys.len() >= set.take {
                return Ok(keys);
            }
        }
    }
    Ok(keys)
}

fn key_of(transcoder: &Transcoder, message_type: &str, message: &[u8], field: &str) -> Result<String, String> {
    let json = transcoder.message_to_json(message_type, message).map_err(|error| error.to_string())?;
    let json: serde_json::Value = serde_json::from_slice(&json).map_err(|error| error.to_string())?;
    match json.get(field) {
        Some(serde_json::Value::String(key)) => Ok(key.clone()),
        _ => Err(format!("{message_type} has no text field {field:?}")),
    }
}
