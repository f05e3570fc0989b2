//! One copy of each repeated string, counted, gone with its last user.
//!
//! Names, keys and services repeat; so do most values (`GET`, `customers`, an SQL statement), but not all: ids are different
//! each time, and a table entry costs more than the text itself. So each key may bring in a bounded number of distinct
//! values; further ones are stored inline by the caller.

use std::{collections::HashMap, sync::Arc};

/// Distinct values one key may hold in the table.
const VALUES_PER_KEY: u32 = 128;
/// What a table entry takes besides its text: slot, map entry, the shared string's header and the allocator's.
const ENTRY_BYTES: usize = 96;

/// A string's place in the table, valid while it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) struct Symbol(pub(crate) u32);

struct Entry {
    text: Arc<str>,
    holders: u32,
    /// Distinct values that this string, as a key, has brought in.
    values: u32,
    /// The key that brought this value in; held until the value goes.
    key: Option<Symbol>,
}

/// The table.
#[derive(Default)]
pub(crate) struct Interner {
    places: HashMap<Arc<str>, Symbol>,
    entries: Vec<Option<Entry>>,
    free: Vec<Symbol>,
    bytes: usize,
}

impl Interner {
    /// Holds `text` once more; each hold ends with one [`release`](Self::release).
    pub(crate) fn hold(&mut self, text: &str) -> Symbol {
        match self.find(text) {
            Some(symbol) => self.hold_again(symbol),
            None => self.add(text, None),
        }
    }

    /// Holds a value of `key`, unless the value is new and the key has brought in its share.
    pub(crate) fn hold_value(&mut self, key: Symbol, text: &str) -> Option<Symbol> {
        if let Some(symbol) = self.find(text) {
            return Some(self.hold_again(symbol));
        }
        let owner = self.entry_mut(key).filter(|entry| entry.values < VALUES_PER_KEY)?;
        owner.values += 1;
        owner.holders += 1;
        Some(self.add(text, Some(key)))
    }

    /// Gives up one hold.
    pub(crate) fn release(&mut self, symbol: Symbol) {
        let Some(entry) = self.entry_mut(symbol) else { return };
        entry.holders -= 1;
        if entry.holders == 0 {
            self.remove(symbol);
        }
    }

    /// The text behind a held symbol.
    pub(crate) fn text(&self, symbol: Symbol) -> &str {
        let entry = self.entries.get(index(symbol)).and_then(Option::as_ref);
        entry.map_or("", |entry| &entry.text)
    }

    /// The symbol of a text that someone holds.
    pub(crate) fn find(&self, text: &str) -> Option<Symbol> {
        self.places.get(text).copied()
    }

    /// Bytes that the table takes, estimated.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn entry_mut(&mut self, symbol: Symbol) -> Option<&mut Entry> {
        self.entries.get_mut(index(symbol))?.as_mut()
    }

    fn hold_again(&mut self, symbol: Symbol) -> Symbol {
        if let Some(entry) = self.entry_mut(symbol) {
            entry.holders += 1;
        }
        symbol
    }

    fn add(&mut self, text: &str, key: Option<Symbol>) -> Symbol {
        let text: Arc<str> = text.into();
        self.bytes += text.len() + ENTRY_BYTES;
        let symbol = self.free.pop().unwrap_or_else(|| self.grow());
        self.places.insert(Arc::clone(&text), symbol);
        if let Some(slot) = self.entries.get_mut(index(symbol)) {
            *slot = Some(Entry { text, holders: 1, values: 0, key });
        }
        symbol
    }

    fn grow(&mut self) -> Symbol {
        // The byte limit ends growth long before 2^32 entries of ≥ 96 bytes each.
        let symbol = Symbol(u32::try_from(self.entries.len()).unwrap_or(u32::MAX));
        self.entries.push(None);
        symbol
    }

    fn remove(&mut self, symbol: Symbol) {
        let Some(entry) = self.entries.get_mut(index(symbol)).and_then(Option::take) else { return };
        self.bytes -= entry.text.len() + ENTRY_BYTES;
        self.places.remove(&entry.text);
        self.free.push(symbol);
        if let Some(key) = entry.key {
            if let Some(owner) = self.entry_mut(key) {
                owner.values -= 1;
            }
            self.release(key);
        }
    }
}

fn index(symbol: Symbol) -> usize {
    usize::try_from(symbol.0).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn same_text_is_one_symbol_until_the_last_release() {
        let mut strings = Interner::default();
        let first = strings.hold("customers");
        assert_eq!(strings.hold("customers"), first);
        strings.release(first);
        assert_eq!(strings.text(first), "customers");
        strings.release(first);
        assert_eq!((strings.find("customers"), strings.bytes()), (None, 0));
    }

    #[test]
    fn key_with_ever_new_values_stops_filling_the_table() {
        let mut strings = Interner::default();
        let key = strings.hold("request.id");
        let held: Vec<_> = (0..1000).filter_map(|id| strings.hold_value(key, &id.to_string())).collect();
        assert_eq!(held.len(), usize::try_from(VALUES_PER_KEY).unwrap());
        strings.release(key);
        held.into_iter().for_each(|symbol| strings.release(symbol));
        assert_eq!(strings.bytes(), 0);
        assert!(strings.places.is_empty());
    }

    #[test]
    fn value_outliving_its_key_does_not_touch_the_next_owner_of_the_place() {
        let mut strings = Interner::default();
        let key = strings.hold("key");
        let value = strings.hold_value(key, "value").unwrap();
        strings.release(key);
        assert_eq!(strings.text(key), "key", "a value keeps its key");
        strings.release(value);
        assert_eq!(strings.find("key"), None);
    }
}
