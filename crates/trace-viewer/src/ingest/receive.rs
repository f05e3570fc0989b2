//! A decoded request goes into the store, a chunk of spans at a time.

use super::{
    convert,
    wire::{ExportRequest, ExportResponse, PartialSuccess, ResourceSpans},
};
use crate::{
    app::App,
    clock,
    refusal::Refusal,
    span::{NewProcess, NewSpan},
    store::Inserted,
};

/// Spans stored under one lock, so that readers wait microseconds even during a large request.
const CHUNK: usize = 64;
/// The part of the memory that one request may fill, as a divisor: the rest stays with the traces that were there.
const EXPORT_SHARE: usize = 2;

/// What became of a request's spans.
#[derive(Default)]
struct Outcome {
    kept: usize,
    /// By reason, in the order of [`Refusal::ALL`].
    refused: [i64; Refusal::ALL.len()],
}

impl Outcome {
    /// How many more spans the request may bring.
    fn room(&self, app: &App) -> usize {
        (app.config.max_spans / EXPORT_SHARE).saturating_sub(self.kept)
    }

    fn refuse(&mut self, app: &App, refusal: Refusal) {
        app.counters.refused(refusal);
        for (slot, _) in self.refused.iter_mut().zip(Refusal::ALL).filter(|(_, known)| *known == refusal) {
            *slot += 1;
        }
    }

    fn into_response(self) -> ExportResponse {
        let reasons = self.refused.iter().zip(Refusal::ALL).filter(|(count, _)| **count > 0);
        let told: Vec<_> = reasons.map(|(count, refusal)| format!("{count} × {}", refusal.message())).collect();
        let partial = PartialSuccess { rejected_spans: self.refused.iter().sum(), error_message: told.join("; ") };
        ExportResponse { partial_success: (partial.rejected_spans > 0).then_some(partial) }
    }
}

/// Keeps what can be kept, and says how many spans could not.
pub(super) async fn receive(app: &App, request: ExportRequest) -> ExportResponse {
    let mut outcome = Outcome::default();
    for sender in request.resource_spans {
        receive_from(app, sender, &mut outcome).await;
    }
    outcome.into_response()
}

async fn receive_from(app: &App, sender: ResourceSpans, outcome: &mut Outcome) {
    let process = convert::process(sender.resource);
    let now_ns = clock::now_ns();
    let mut chunk = Vec::with_capacity(CHUNK);
    for scope in sender.scope_spans {
        let tags = convert::scope_tags(scope.scope);
        for raw in scope.spans {
            match convert::span(raw, &tags, now_ns) {
                Ok(span) => chunk.push(span),
                Err(refusal) => outcome.refuse(app, refusal),
            }
            if chunk.len() == CHUNK {
                store(app, &process, std::mem::take(&mut chunk), outcome);
                tokio::task::yield_now().await;
            }
        }
    }
    store(app, &process, chunk, outcome);
}

fn store(app: &App, process: &NewProcess, mut spans: Vec<NewSpan>, outcome: &mut Outcome) {
    let over = spans.split_off(spans.len().min(outcome.room(app)));
    if !spans.is_empty() {
        let inserted = app.store.write().insert(process.clone(), spans);
        for inserted in inserted {
            match inserted {
                Inserted::Kept => {
                    outcome.kept += 1;
                    app.counters.kept();
                }
                Inserted::Duplicate => app.counters.duplicate(),
                Inserted::TraceFull => outcome.refuse(app, Refusal::TraceFull),
            }
        }
    }
    for span in over {
        app.store.write().refuse(span.trace);
        outcome.refuse(app, Refusal::ExportFull);
    }
}
