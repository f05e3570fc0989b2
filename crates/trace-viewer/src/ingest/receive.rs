//! A decoded request goes into the store, a chunk of spans at a time.

use super::{
    convert::{self, Refusal},
    wire::{ExportRequest, ExportResponse, PartialSuccess, ResourceSpans},
};
use crate::{
    app::App,
    clock,
    span::{NewProcess, NewSpan},
    store::Inserted,
};

/// Spans stored under one lock, so that readers wait microseconds even during a large request.
const CHUNK: usize = 64;

/// Refused spans by reason, in the order of [`Refusal::ALL`].
#[derive(Default)]
struct Refused([i64; Refusal::ALL.len()]);

impl Refused {
    fn count(&mut self, app: &App, refusal: Refusal) {
        app.counters.refused(refusal);
        for (slot, _) in self.0.iter_mut().zip(Refusal::ALL).filter(|(_, known)| *known == refusal) {
            *slot += 1;
        }
    }

    fn into_response(self) -> ExportResponse {
        let reasons = self.0.iter().zip(Refusal::ALL).filter(|(count, _)| **count > 0);
        let told: Vec<_> = reasons.map(|(count, refusal)| format!("{count} × {}", refusal.message())).collect();
        let partial = PartialSuccess { rejected_spans: self.0.iter().sum(), error_message: told.join("; ") };
        ExportResponse { partial_success: (partial.rejected_spans > 0).then_some(partial) }
    }
}

/// Keeps what can be kept, and says how many spans could not.
pub(super) async fn receive(app: &App, request: ExportRequest) -> ExportResponse {
    let mut refused = Refused::default();
    for sender in request.resource_spans {
        receive_from(app, sender, &mut refused).await;
    }
    refused.into_response()
}

async fn receive_from(app: &App, sender: ResourceSpans, refused: &mut Refused) {
    let process = convert::process(sender.resource);
    let now_ns = clock::now_ns();
    let mut chunk = Vec::with_capacity(CHUNK);
    for scope in sender.scope_spans {
        let tags = convert::scope_tags(scope.scope);
        for raw in scope.spans {
            match convert::span(raw, &tags, now_ns) {
                Ok(span) => chunk.push(span),
                Err(refusal) => refused.count(app, refusal),
            }
            if chunk.len() == CHUNK {
                store(app, &process, std::mem::take(&mut chunk), refused);
                tokio::task::yield_now().await;
            }
        }
    }
    store(app, &process, chunk, refused);
}

fn store(app: &App, process: &NewProcess, spans: Vec<NewSpan>, refused: &mut Refused) {
    if spans.is_empty() {
        return;
    }
    let outcomes = app.store.write().insert(process.clone(), spans);
    for outcome in outcomes {
        match outcome {
            Inserted::Kept => app.counters.kept(),
            Inserted::Duplicate => app.counters.duplicate(),
            Inserted::TraceFull => refused.count(app, Refusal::TraceFull),
        }
    }
}
