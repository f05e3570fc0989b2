//! How much one span may hold.

use opentelemetry_sdk::trace::TracerProviderBuilder;

use super::environment::Environment;

/// Most attributes, events and links; `None` leaves the SDK's own limit, 128 each.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits {
    pub(super) attributes: Option<u32>,
    pub(super) events: Option<u32>,
    pub(super) links: Option<u32>,
    pub(super) event_attributes: Option<u32>,
    pub(super) link_attributes: Option<u32>,
}

impl Limits {
    pub(super) fn read(env: &mut Environment) -> Self {
        const OF_ALL: &str = "OTEL_ATTRIBUTE_COUNT_LIMIT";
        let mut limit = |names: &[&str]| {
            env.number(names, 0, "128 is used").map(|number| u32::try_from(number).unwrap_or(u32::MAX))
        };
        Self {
            attributes: limit(&["OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", OF_ALL]),
            events: limit(&["OTEL_SPAN_EVENT_COUNT_LIMIT"]),
            links: limit(&["OTEL_SPAN_LINK_COUNT_LIMIT"]),
            event_attributes: limit(&["OTEL_EVENT_ATTRIBUTE_COUNT_LIMIT"]),
            link_attributes: limit(&["OTEL_LINK_ATTRIBUTE_COUNT_LIMIT"]),
        }
    }

    /// Sets those that were given.
    pub(crate) fn apply(self, builder: TracerProviderBuilder) -> TracerProviderBuilder {
        type Set = fn(TracerProviderBuilder, u32) -> TracerProviderBuilder;
        let all: [(Option<u32>, Set); 5] = [
            (self.attributes, TracerProviderBuilder::with_max_attributes_per_span),
            (self.events, TracerProviderBuilder::with_max_events_per_span),
            (self.links, TracerProviderBuilder::with_max_links_per_span),
            (self.event_attributes, TracerProviderBuilder::with_max_attributes_per_event),
            (self.link_attributes, TracerProviderBuilder::with_max_attributes_per_link),
        ];
        all.into_iter().fold(builder, |builder, (limit, set)| match limit {
            Some(limit) => set(builder, limit),
            None => builder,
        })
    }
}
