//! What the environment says: the variables are OpenTelemetry's own, so that any collector's guide applies.

use std::env;

use tracing_subscriber::filter::Targets;

/// How much is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info";

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) service: String,
    pub(crate) replica: Option<String>,
    pub(crate) export: bool,
    pub(crate) filter: Targets,
    /// Something that was set and is not followed, to be logged once logging works.
    pub(crate) warnings: Vec<&'static str>,
}

impl Settings {
    pub(crate) fn from_env(service: &str) -> Self {
        Self::read(service, |name| env::var(name).ok().filter(|value| !value.is_empty()))
    }

    fn read(service: &str, get: impl Fn(&str) -> Option<String>) -> Self {
        let mut warnings = Vec::new();
        let filter = get("RUST_LOG").unwrap_or_else(|| DEFAULT_FILTER.to_owned());
        let filter = filter.parse().unwrap_or_else(|_| {
            warnings.push("RUST_LOG is not a list of target=level, info is used");
            Targets::new().with_default(tracing::Level::INFO)
        });
        if get("OTEL_EXPORTER_OTLP_PROTOCOL").is_some_and(|protocol| protocol != "grpc") {
            warnings.push("OTEL_EXPORTER_OTLP_PROTOCOL is not grpc, grpc is used");
        }
        Self {
            service: get("OTEL_SERVICE_NAME").unwrap_or_else(|| service.to_owned()),
            replica: get("CRM_REPLICA"),
            export: exports(&get),
            filter,
            warnings,
        }
    }
}

/// Spans are exported if an endpoint is named and nothing switches them off.
fn exports(get: &impl Fn(&str) -> Option<String>) -> bool {
    let endpoint = get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT").or_else(|| get("OTEL_EXPORTER_OTLP_ENDPOINT")).is_some();
    let disabled = get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let none = get("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
    endpoint && !disabled && !none
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(pairs: &[(&str, &str)]) -> Settings {
        Settings::read("customers", |name| {
            pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn nothing_is_exported_without_an_endpoint_or_when_switched_off() {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317");
        assert!(!settings(&[]).export);
        assert!(settings(&[endpoint]).export);
        assert!(settings(&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://127.0.0.1:4317")]).export);
        assert!(!settings(&[endpoint, ("OTEL_SDK_DISABLED", "TRUE")]).export);
        assert!(!settings(&[endpoint, ("OTEL_TRACES_EXPORTER", "none")]).export);
    }

    #[test]
    fn the_environment_may_rename_the_service() {
        assert_eq!(settings(&[]).service, "customers");
        assert_eq!(settings(&[("OTEL_SERVICE_NAME", "eu-customers")]).service, "eu-customers");
    }

    #[test]
    fn a_filter_that_cannot_be_read_falls_back_to_info() {
        let settings = settings(&[("RUST_LOG", "crm=loud")]);
        assert!(settings.filter.would_enable("crm", &tracing::Level::INFO));
        assert!(!settings.filter.would_enable("crm", &tracing::Level::DEBUG));
        assert_eq!(settings.warnings.len(), 1);
    }
}
