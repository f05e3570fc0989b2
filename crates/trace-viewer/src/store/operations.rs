//! Which services have which operations, kept in step with the spans: a service disappears with its last span.

use std::collections::HashMap;

use super::{
    interner::{Interner, Symbol},
    packed::PackedSpan,
};
use crate::span::Kind;

/// What one counted operation takes in the map.
const ENTRY_BYTES: usize = 48;

/// Live spans counted by service, operation and kind. Symbols here are held by the counted spans.
#[derive(Default)]
pub(crate) struct Operations {
    services: HashMap<Symbol, HashMap<(Symbol, Kind), u32>>,
    entries: usize,
}

impl Operations {
    pub(crate) fn add(&mut self, span: &PackedSpan) {
        let count = self.services.entry(span.service).or_default().entry((span.name, span.kind)).or_insert(0);
        self.entries += usize::from(*count == 0);
        *count += 1;
    }

    pub(crate) fn remove(&mut self, span: &PackedSpan) {
        let Some(operations) = self.services.get_mut(&span.service) else { return };
        let Some(count) = operations.get_mut(&(span.name, span.kind)) else { return };
        *count -= 1;
        if *count == 0 {
            operations.remove(&(span.name, span.kind));
            self.entries -= 1;
        }
        if operations.is_empty() {
            self.services.remove(&span.service);
        }
    }

    /// Names of the services, sorted.
    pub(crate) fn services(&self, strings: &Interner) -> Vec<String> {
        let mut names: Vec<_> = self.services.keys().map(|name| strings.text(*name).to_owned()).collect();
        names.sort_unstable();
        names
    }

    /// Operations of a service with their kinds, sorted.
    pub(crate) fn of_service(&self, service: &str, strings: &Interner) -> Vec<(String, Kind)> {
        let operations = strings.find(service).and_then(|service| self.services.get(&service));
        let keys = operations.into_iter().flat_map(HashMap::keys);
        let mut found: Vec<_> = keys.map(|(name, kind)| (strings.text(*name).to_owned(), *kind)).collect();
        found.sort_unstable();
        found
    }

    pub(crate) fn bytes(&self) -> usize {
        self.entries * ENTRY_BYTES
    }
}
