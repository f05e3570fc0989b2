//! What the environment says: the variables are OpenTelemetry's own, so that any collector's guide applies.
//!
//! Each of them is either followed as OpenTelemetry's specification has it, or named in a [`Warning`] with what happens
//! instead. None of them keeps a process from running.

mod batching;
mod collector;
mod endpoint;
pub(crate) mod environment;
mod exporters;
mod limits;
mod resource;
mod sampler;

use tracing_subscriber::filter::Targets;

pub(crate) use batching::Batching;
pub(crate) use collector::Collector;
pub(crate) use environment::{Environment, Warning};
pub(crate) use limits::Limits;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::Sampler;

use crate::propagation::Propagation;

/// How much is logged when `RUST_LOG` says nothing.
const DEFAULT_FILTER: &str = "info";

#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) service: String,
    pub(crate) replica: Option<String>,
    pub(crate) resource: Resource,
    /// Where spans go; `None` when they go nowhere.
    pub(crate) collector: Option<Collector>,
    pub(crate) batching: Batching,
    pub(crate) sampler: Sampler,
    pub(crate) limits: Limits,
    pub(crate) propagation: Propagation,
    pub(crate) filter: Targets,
    /// What was set and is not followed, to be logged once logging works.
    pub(crate) warnings: Vec<Warning>,
}

impl Settings {
    pub(crate) fn from_env(service: &str) -> Self {
        Self::read(service, Environment::of_this_process())
    }

    fn read(service: &str, mut environment: Environment) -> Self {
        let env = &mut environment;
        let replica = env.text("CRM_REPLICA");
        let (service, resource) = resource::read(env, service, replica.as_deref());
        Self {
            filter: filter(env),
            service,
            replica,
            resource,
            collector: exporters::read(env),
            batching: Batching::read(env),
            sampler: sampler::read(env),
            limits: Limits::read(env),
            propagation: Propagation::read(env),
            warnings: environment.into_warnings(),
        }
    }
}

fn filter(env: &mut Environment) -> Targets {
    let text = env.text("RUST_LOG").unwrap_or_else(|| DEFAULT_FILTER.to_owned());
    text.parse().unwrap_or_else(|_| {
        env.refuse("RUST_LOG", Some(&text), "it is no list of target=level: info is used");
        Targets::new().with_default(tracing::Level::INFO)
    })
}

#[cfg(test)]
mod tests;
