//! Which exporters are wanted.

use super::collector::{self, Collector};
use super::environment::Environment;

const TRACES: &str = "OTEL_TRACES_EXPORTER";

/// Where spans go; `None` without a collector, or if they are not wanted. Everything is read either way, so that what is
/// wrong is told whether it matters or not.
pub(super) fn read(env: &mut Environment) -> Option<Collector> {
    others(env);
    let disabled = is_disabled(env);
    let wanted = wanted(env);
    let collector = collector::read(env, wanted == Some(true));
    collector.filter(|_| !disabled && wanted != Some(false))
}

fn is_disabled(env: &mut Environment) -> bool {
    const DISABLED: &str = "OTEL_SDK_DISABLED";
    let disabled = env.is_true(&[DISABLED]);
    if disabled {
        env.refuse(
            DISABLED,
            Some("true"),
            "no span is recorded, but metrics and logs are kept: the operator needs them",
        );
    }
    disabled
}

/// Whether spans are to be exported, if the variable says so.
fn wanted(env: &mut Environment) -> Option<bool> {
    let names = env.list(TRACES)?;
    for name in names.iter().filter(|name| !matches!(&***name, "otlp" | "none")) {
        env.refuse(TRACES, Some(name), "it is not known here: spans are exported over OTLP/gRPC, or not at all");
    }
    if names.iter().any(|name| name == "otlp") {
        return Some(true);
    }
    names.iter().any(|name| name == "none").then_some(false)
}

/// Metrics and logs have no exporter but their own.
fn others(env: &mut Environment) {
    for (variable, own, instead) in [
        ("OTEL_METRICS_EXPORTER", "prometheus", "metrics are read from /metrics of the admin port, and not pushed"),
        ("OTEL_LOGS_EXPORTER", "none", "logs are not exported: they are written to standard error"),
    ] {
        for name in env.list(variable).unwrap_or_default() {
            if name != own {
                env.refuse(variable, Some(&name), instead);
            }
        }
    }
}
