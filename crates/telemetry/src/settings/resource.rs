//! Who sends the spans.

use opentelemetry::KeyValue;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;

use super::environment::{Environment, percent_decoded};

const ATTRIBUTES: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SERVICE_NAME: &str = "service.name";

/// The service's name, and everything that is said of the process. What `OTEL_RESOURCE_ATTRIBUTES` says is not overwritten,
/// but for the name, of which `OTEL_SERVICE_NAME` says more.
pub(super) fn read(env: &mut Environment, service: &str, replica: Option<&str>) -> (String, Resource) {
    let given = attributes(env);
    let of = |key: &str| given.iter().rfind(|(given, _)| given == key).map(|(_, value)| value.clone());
    let service = env.text("OTEL_SERVICE_NAME").or_else(|| of(SERVICE_NAME)).unwrap_or_else(|| service.to_owned());
    let own = [
        ("service.namespace", Some("bellwether")),
        ("service.version", Some(env!("CARGO_PKG_VERSION"))),
        ("service.instance.id", replica),
    ];
    let own = own.into_iter().filter_map(|(key, value)| Some(KeyValue::new(key, value?.to_owned())));
    // The later one of two is kept.
    let resource = Resource::builder_empty()
        .with_detector(Box::new(TelemetryResourceDetector))
        .with_attributes(own)
        .with_attributes(given.iter().map(|(key, value)| KeyValue::new(key.clone(), value.clone())))
        .with_attribute(KeyValue::new(SERVICE_NAME, service.clone()))
        .build();
    (service, resource)
}

/// All of it or nothing, as the specification has it. The values are not shown: somebody may keep anything there.
fn attributes(env: &mut Environment) -> Vec<(String, String)> {
    let Some(text) = env.text(ATTRIBUTES) else { return Vec::new() };
    let entries = (1..).zip(text.split(',')).filter(|(_, entry)| !entry.trim().is_empty());
    let parsed: Result<_, usize> = entries.map(|(number, entry)| parse(entry).ok_or(number)).collect();
    parsed.unwrap_or_else(|number| {
        env.refuse(ATTRIBUTES, None, format!("entry {number} is not key=value, percent-encoded: all are left out"));
        Vec::new()
    })
}

fn parse(entry: &str) -> Option<(String, String)> {
    let (key, value) = entry.split_once('=')?;
    let (key, value) = (percent_decoded(key.trim())?, percent_decoded(value.trim())?);
    (!key.is_empty()).then_some((key, value))
}
