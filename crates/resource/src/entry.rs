//! What is kept of a row: the message that answers it, ready to be sent.

use std::time::Duration;

use crm_cache::{Entry, Eviction, Policy};
use prost::Message;

/// A row in the form in which it is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored<M> {
    /// The row's version.
    pub version: u64,
    /// Whether the row is marked as deleted.
    pub deleted: bool,
    /// The row.
    pub message: M,
}

/// How long a replica's own memory keeps an entry: shorter than it takes to notice a colleague's change.
pub(crate) const FIRST_TIER_TTL: Duration = Duration::from_secs(5);

/// How long entries live, and how many.
pub(crate) fn policy(name: &'static str, l1_bytes: u64, l1_ttl: Duration) -> Policy {
    Policy {
        // A record is changed a few times a day and read in bursts while someone works with it. Writes invalidate,
        // so this bounds memory, not staleness.
        ttl: Duration::from_secs(10 * 60),
        // Ids are made here and nobody asks for one before it exists: only mistakes and probes get here, and these
        // come in bursts.
        negative_ttl: Duration::from_secs(30),
        // Records that were filled together, by an import or a restart, expire over a minute and not at once.
        jitter: 0.1,
        l1_bytes,
        l1_ttl,
        // An export or a nightly job that walks over everything shall not push out what people work with.
        l1_eviction: Eviction::LeastFrequentlyUsed,
        name,
    }
}

/// First byte of an encoded entry. Change it with the layout: older entries then count as misses.
const LAYOUT: u8 = 1;
/// Layout, deletion mark, version.
const HEAD: usize = 1 + 1 + 8;

impl<M: Message + Default + 'static> Entry for Stored<M> {
    fn version(&self) -> u64 {
        self.version
    }

    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(HEAD + self.message.encoded_len());
        bytes.extend([LAYOUT, u8::from(self.deleted)]);
        bytes.extend(self.version.to_be_bytes());
        bytes.extend(self.message.encode_to_vec());
        bytes
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, body) = bytes.split_at_checked(HEAD)?;
        let ([LAYOUT, deleted], version) = head.split_first_chunk::<2>()? else { return None };
        let version = u64::from_be_bytes(version.try_into().ok()?);
        let message = M::decode(body).ok()?;
        Some(Self { version, deleted: *deleted != 0, message })
    }

    fn weight(&self) -> u32 {
        // Each text has a buffer of its own, so a message takes more than its encoding.
        let bytes = size_of::<Self>() + 2 * self.message.encoded_len();
        u32::try_from(bytes).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use crm_proto::customers as pb;

    use super::*;

    #[test]
    fn entries_come_back_as_they_were() {
        let message = pb::Account { name: "Acme".into(), employees: Some(0), ..pb::Account::default() };
        let entry = Stored { version: u64::MAX - 1, deleted: true, message };
        assert_eq!(Stored::decode(&entry.encode()), Some(entry));
    }

    #[test]
    fn strange_bytes_are_a_miss() {
        let entry =
            Stored { version: 1, deleted: false, message: pb::Account { name: "Acme".into(), ..Default::default() } };
        let bytes = entry.encode();
        for length in 0..HEAD {
            assert_eq!(Stored::<pb::Account>::decode(&bytes[..length]), None);
        }
        let mut other_layout = bytes.clone();
        other_layout[0] = 9;
        assert_eq!(Stored::<pb::Account>::decode(&other_layout), None);
        assert_eq!(Stored::<pb::Account>::decode(&[&bytes[..], &[0xff]].concat()), None);
    }
}
