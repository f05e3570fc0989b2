//! What is kept of a row: the message that answers it, ready to be sent.

use std::time::Duration;

use crm_cache::{Entry, Eviction, Policy};
use prost::Message;
use uuid::Uuid;

/// A row in the form in which it is answered.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Stored<M> {
    /// The row's version.
    pub version: u64,
    /// What it is worth.
    pub what: What<M>,
}

/// What a row is worth to whoever asks for it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum What<M> {
    /// The row, for whoever asks.
    Live(M),
    /// The row, which is marked as deleted.
    Deleted(M),
    /// Nothing: another record stands for it.
    Merged(Uuid),
}

impl<M> Stored<M> {
    /// The row, unless it is marked as deleted.
    pub(crate) fn live(&self) -> Option<&M> {
        if let What::Live(message) = &self.what { Some(message) } else { None }
    }

    /// The row, deleted or not.
    pub(crate) fn message(&self) -> Option<&M> {
        if let What::Live(message) | What::Deleted(message) = &self.what { Some(message) } else { None }
    }

    /// The record that stands for it.
    pub(crate) fn winner(&self) -> Option<Uuid> {
        if let What::Merged(winner) = self.what { Some(winner) } else { None }
    }
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
const LAYOUT: u8 = 2;
/// Layout, what it is worth, version.
const HEAD: usize = 1 + 1 + 8;

impl<M: Message + Default + 'static> Entry for Stored<M> {
    fn version(&self) -> u64 {
        self.version
    }

    fn encode(&self) -> Vec<u8> {
        let (mark, body) = match &self.what {
            What::Live(message) => (0, message.encode_to_vec()),
            What::Deleted(message) => (1, message.encode_to_vec()),
            What::Merged(winner) => (2, winner.as_bytes().to_vec()),
        };
        [&[LAYOUT, mark], self.version.to_be_bytes().as_slice(), &body].concat()
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let (head, body) = bytes.split_at_checked(HEAD)?;
        let ([LAYOUT, mark], version) = head.split_first_chunk::<2>()? else { return None };
        let version = u64::from_be_bytes(version.try_into().ok()?);
        let what = match mark {
            0 => What::Live(M::decode(body).ok()?),
            1 => What::Deleted(M::decode(body).ok()?),
            2 => What::Merged(Uuid::from_slice(body).ok()?),
            _ => return None,
        };
        Some(Self { version, what })
    }

    fn weight(&self) -> u32 {
        // Each text has a buffer of its own, so a message takes more than its encoding.
        let bytes = size_of::<Self>() + 2 * self.message().map_or(0, Message::encoded_len);
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
        for what in [What::Live(message.clone()), What::Deleted(message), What::Merged(Uuid::from_u128(7))] {
            let entry = Stored { version: u64::MAX - 1, what };
            assert_eq!(Stored::decode(&entry.encode()), Some(entry));
        }
    }

    #[test]
    fn strange_bytes_are_a_miss() {
        let what = What::Live(pb::Account { name: "Acme".into(), ..Default::default() });
        let entry = Stored { version: 1, what };
        let bytes = entry.encode();
        for length in 0..HEAD {
            assert_eq!(Stored::<pb::Account>::decode(&bytes[..length]), None);
        }
        let mut other_layout = bytes.clone();
        other_layout[0] = 9;
        assert_eq!(Stored::<pb::Account>::decode(&other_layout), None);
        let mut unknown = bytes.clone();
        unknown[1] = 3;
        assert_eq!(Stored::<pb::Account>::decode(&unknown), None);
        // Neither is what was cut off.
        let redirect = Stored::<pb::Account> { version: 1, what: What::Merged(Uuid::from_u128(7)) }.encode();
        assert_eq!(Stored::<pb::Account>::decode(&redirect[..redirect.len() - 1]), None);
        assert_eq!(Stored::<pb::Account>::decode(&[&bytes[..], &[0xff]].concat()), None);
    }
}
