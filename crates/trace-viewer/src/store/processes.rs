//! The senders of spans, each kept once while a span of theirs is.

use std::collections::HashMap;

use prost::Message;

use super::{
    interner::{Interner, Symbol},
    packed::{PackedTag, pack_tags, release_tags},
};
use crate::span::NewProcess;

/// What an entry takes besides its packed form, which is there twice.
const ENTRY_BYTES: usize = 128;

/// One sender, packed like a span's body.
#[derive(Clone, PartialEq, Message)]
pub(crate) struct Process {
    #[prost(uint32, tag = "1")]
    service: u32,
    #[prost(message, repeated, tag = "2")]
    pub(crate) tags: Vec<PackedTag>,
}

impl Process {
    pub(crate) fn service(&self) -> Symbol {
        Symbol(self.service)
    }
}

struct Entry {
    packed: Box<[u8]>,
    process: Process,
    holders: u32,
}

/// The table of senders. Equal ones are found by their packed form: held symbols are equal exactly when their texts are.
#[derive(Default)]
pub(crate) struct Processes {
    places: HashMap<Box<[u8]>, u32>,
    entries: Vec<Option<Entry>>,
    free: Vec<u32>,
    bytes: usize,
}

impl Processes {
    /// Holds the process once more, or for the first time; each hold ends with one [`release`](Self::release).
    pub(crate) fn hold(&mut self, new: NewProcess, strings: &mut Interner) -> u32 {
        let process = Process { service: strings.hold(&new.service).0, tags: pack_tags(new.tags, strings) };
        let packed = process.encode_to_vec().into_boxed_slice();
        if let Some(&place) = self.places.get(&packed) {
            release_process(&process, strings);
            self.hold_again(place);
            return place;
        }
        self.bytes += entry_bytes(&packed);
        let place = self.free.pop().unwrap_or_else(|| self.grow());
        self.places.insert(packed.clone(), place);
        if let Some(slot) = self.entries.get_mut(index(place)) {
            *slot = Some(Entry { packed, process, holders: 1 });
        }
        place
    }

    pub(crate) fn hold_again(&mut self, place: u32) {
        if let Some(Some(entry)) = self.entries.get_mut(index(place)) {
            entry.holders += 1;
        }
    }

    pub(crate) fn release(&mut self, place: u32, strings: &mut Interner) {
        let Some(slot) = self.entries.get_mut(index(place)) else { return };
        let Some(entry) = slot else { return };
        entry.holders -= 1;
        if entry.holders > 0 {
            return;
        }
        if let Some(entry) = slot.take() {
            self.bytes -= entry_bytes(&entry.packed);
            self.places.remove(&entry.packed);
            self.free.push(place);
            release_process(&entry.process, strings);
        }
    }

    pub(crate) fn get(&self, place: u32) -> Option<&Process> {
        self.entries.get(index(place))?.as_ref().map(|entry| &entry.process)
    }

    /// Bytes that the table takes, estimated.
    pub(crate) fn bytes(&self) -> usize {
        self.bytes
    }

    fn grow(&mut self) -> u32 {
        self.entries.push(None);
        u32::try_from(self.entries.len() - 1).unwrap_or(u32::MAX)
    }
}

fn release_process(process: &Process, strings: &mut Interner) {
    strings.release(process.service());
    release_tags(&process.tags, strings);
}

/// The packed form twice, and decoded tags at about four times their packed size.
fn entry_bytes(packed: &[u8]) -> usize {
    packed.len() * 6 + ENTRY_BYTES
}

fn index(place: u32) -> usize {
    usize::try_from(place).unwrap_or(usize::MAX)
}
