//! What the shared tier holds under a key.
//!
//! Layout: kind (1 byte) · version (8, big-endian) · payload. Scripts in Redis compare versions by the first nine bytes, so
//! those stay where they are; the payload is the entry's own affair.

use crate::Entry;

const VALUE: u8 = b'v';
const ABSENT: u8 = b'n';
const TOMBSTONE: u8 = b't';
pub(crate) const HEAD: usize = 9;

/// What was found under a key.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Record<V> {
    Value(V),
    /// There is no such thing.
    Absent,
    /// Nothing usable: no record, a tombstone, or bytes that cannot be decoded.
    Nothing,
}

impl<V: Entry> Record<V> {
    /// Never fails: what another release wrote, or what is damaged, is nothing.
    pub(crate) fn decode(bytes: &[u8]) -> Self {
        let Some((head, payload)) = bytes.split_at_checked(HEAD) else { return Self::Nothing };
        match head.first() {
            Some(&VALUE) => V::decode(payload).map_or(Self::Nothing, Self::Value),
            Some(&ABSENT) => Self::Absent,
            _ => Self::Nothing,
        }
    }
}

/// The value, or that there is none. Absence has version 0: any write that is known of refuses it.
pub(crate) fn of<V: Entry>(value: Option<&V>) -> Vec<u8> {
    match value {
        Some(value) => record(VALUE, value.version(), &value.encode()),
        None => record(ABSENT, 0, &[]),
    }
}

/// Refuses fills older than `version`, for as long as it lives.
pub(crate) fn tombstone(version: u64) -> Vec<u8> {
    record(TOMBSTONE, version, &[])
}

fn record(kind: u8, version: u64, payload: &[u8]) -> Vec<u8> {
    let mut record = Vec::with_capacity(HEAD + payload.len());
    record.push(kind);
    record.extend_from_slice(&version.to_be_bytes());
    record.extend_from_slice(payload);
    record
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, PartialEq, Eq)]
    struct Text(String);

    impl Entry for Text {
        fn version(&self) -> u64 {
            7
        }

        fn encode(&self) -> Vec<u8> {
            self.0.clone().into_bytes()
        }

        fn decode(bytes: &[u8]) -> Option<Self> {
            String::from_utf8(bytes.to_vec()).ok().map(Self)
        }

        fn weight(&self) -> u32 {
            0
        }
    }

    #[test]
    fn records_come_back_and_all_else_is_nothing() {
        let check = |bytes: &[u8], expected: Record<Text>| assert_eq!(Record::decode(bytes), expected, "{bytes:?}");
        check(&of(Some(&Text("é".to_owned()))), Record::Value(Text("é".to_owned())));
        check(&of(Some(&Text(String::new()))), Record::Value(Text(String::new())));
        check(&of::<Text>(None), Record::Absent);
        check(&tombstone(9), Record::Nothing);
        check(b"", Record::Nothing);
        check(b"v1234567", Record::Nothing);
        check(b"v12345678\xff", Record::Nothing);
        check(b"x12345678text", Record::Nothing);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
            let _ = Record::<Text>::decode(&bytes);
        }
    }
}
