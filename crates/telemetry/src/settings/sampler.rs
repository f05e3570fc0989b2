//! Which traces are recorded.

use opentelemetry_sdk::trace::Sampler;

use super::environment::Environment;

const SAMPLER: &str = "OTEL_TRACES_SAMPLER";
const ARGUMENT: &str = "OTEL_TRACES_SAMPLER_ARG";

/// What the variables say; all traces, but for those that the caller does not record, if they say nothing of use.
pub(super) fn read(env: &mut Environment) -> Sampler {
    let name = env.text(SAMPLER).map(|name| name.to_ascii_lowercase());
    let argument = env.text(ARGUMENT);
    let name = name.unwrap_or_else(|| "parentbased_always_on".to_owned());
    let (root, is_parent_based) = match name.strip_prefix("parentbased_") {
        Some(root) => (root, true),
        None => (&*name, false),
    };
    let root = match root {
        "always_on" => Some(Sampler::AlwaysOn),
        "always_off" => Some(Sampler::AlwaysOff),
        "traceidratio" => Some(Sampler::TraceIdRatioBased(ratio(env, argument.as_deref()))),
        _ => None,
    };
    if let (Some(argument), false) = (&argument, matches!(root, Some(Sampler::TraceIdRatioBased(_)))) {
        env.refuse(ARGUMENT, Some(argument), format!("{name} has no argument"));
    }
    match root {
        Some(root) if is_parent_based => Sampler::ParentBased(Box::new(root)),
        Some(root) => root,
        None => {
            env.refuse(SAMPLER, Some(&name), "it is not known here: parentbased_always_on is used");
            Sampler::ParentBased(Box::new(Sampler::AlwaysOn))
        }
    }
}

fn ratio(env: &mut Environment, argument: Option<&str>) -> f64 {
    let Some(text) = argument else { return 1.0 };
    let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
    if ratio.is_none() {
        env.refuse(ARGUMENT, Some(text), "it is no number from 0 to 1: 1 is used");
    }
    ratio.unwrap_or(1.0)
}
