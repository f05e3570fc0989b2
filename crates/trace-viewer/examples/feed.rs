//! Feeds a running viewer as busy services would and tells its throughput: `feed ADDRESS TRACES`.

use std::time::{Instant, SystemTime, UNIX_EPOCH};

use opentelemetry_proto::tonic::{
    collector::trace::v1::{ExportTraceServiceRequest, trace_service_client::TraceServiceClient},
    common::v1::{AnyValue, KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{ResourceSpans, ScopeSpans, Span},
};

const BATCH: u64 = 100;
const SPANS_PER_TRACE: u64 = 6;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:4317".to_owned());
    let traces: u64 = arguments.next().map_or(Ok(100_000), |text| text.parse())?;
    let mut client = TraceServiceClient::connect(format!("http://{address}")).await?;
    let (started, run) = (Instant::now(), now_ns());
    for first in (1..=traces).step_by(100) {
        let spans = (first..first + BATCH)
            .flat_map(|trace| (1..=SPANS_PER_TRACE).map(move |id| span(run, trace, id)))
            .collect();
        client.export(request(spans)).await?;
    }
    let seconds = started.elapsed().as_secs_f64();
    let spans = u32::try_from(traces * SPANS_PER_TRACE)?;
    println!("{spans} spans in {seconds:.1} s: {:.0} a second", f64::from(spans) / seconds);
    Ok(())
}

fn request(spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource { attributes: vec![tag("service.name", "customers".to_owned())], ..Resource::default() };
    let scope_spans = vec![ScopeSpans { spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }],
    }
}

/// Ten attributes: most of them the same in each span, two different each time.
fn span(run: u64, trace: u64, id: u64) -> Span {
    let start = now_ns();
    let fixed = (0..8).map(|n| tag(&format!("crm.attribute.{n}"), format!("value {n} of kind {}", id % 4)));
    let own = ["crm.account.id", "crm.request.id"]
        .map(|key| tag(key, format!("{:032x}", u128::from(run) << 64 | u128::from(trace))));
    Span {
        trace_id: (u128::from(run) << 64 | u128::from(trace)).to_be_bytes().to_vec(),
        span_id: (trace << 8 | id).to_be_bytes().to_vec(),
        parent_span_id: if id == 1 { Vec::new() } else { (trace << 8 | (id - 1)).to_be_bytes().to_vec() },
        name: format!("crm.customers.v1.ContactService/Method{id}"),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_000_000,
        attributes: fixed.chain(own).collect(),
        ..Span::default()
    }
}

fn tag(key: &str, text: String) -> KeyValue {
    let value = Some(AnyValue { value: Some(Value::StringValue(text)) });
    KeyValue { key: key.to_owned(), value, ..KeyValue::default() }
}

fn now_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or_default()
}
