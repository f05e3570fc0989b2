//! What replicas tell each other.
//!
//! Layout: sender (8 bytes) · version (8, big-endian) · length of the cache's name (1) · name · key. A version of 0 and an
//! empty key mean all keys of that cache.

/// A key that was written by somebody.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message<'a> {
    pub(super) sender: u64,
    pub(super) version: u64,
    pub(super) cache: &'a str,
    pub(super) key: &'a str,
}

impl<'a> Message<'a> {
    pub(super) fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(17 + self.cache.len() + self.key.len());
        bytes.extend_from_slice(&self.sender.to_be_bytes());
        bytes.extend_from_slice(&self.version.to_be_bytes());
        // A longer name is cut; nobody has such a cache, so nobody heeds the message.
        let length = u8::try_from(self.cache.len()).unwrap_or(u8::MAX);
        bytes.push(length);
        bytes.extend_from_slice(&self.cache.as_bytes()[..usize::from(length)]);
        bytes.extend_from_slice(self.key.as_bytes());
        bytes
    }

    /// Nothing for bytes that are no message: anybody can publish anything.
    pub(super) fn decode(bytes: &'a [u8]) -> Option<Self> {
        let (sender, rest) = bytes.split_first_chunk::<8>()?;
        let (version, rest) = rest.split_first_chunk::<8>()?;
        let (&length, rest) = rest.split_first()?;
        let (cache, key) = rest.split_at_checked(usize::from(length))?;
        Some(Self {
            sender: u64::from_be_bytes(*sender),
            version: u64::from_be_bytes(*version),
            cache: str::from_utf8(cache).ok()?,
            key: str::from_utf8(key).ok()?,
        })
    }

    /// Whether the sender is `sender`, seen without decoding: a replica hears most of its own messages.
    pub(super) fn is_from(bytes: &[u8], sender: u64) -> bool {
        bytes.first_chunk::<8>() == Some(&sender.to_be_bytes())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn message_comes_back(sender: u64, version: u64, cache in "[a-z]{0,20}", key in "\\PC{0,40}") {
            let message = Message { sender, version, cache: &cache, key: &key };
            let bytes = message.encode();
            prop_assert_eq!(Message::decode(&bytes), Some(Message { sender, version, cache: &cache, key: &key }));
            prop_assert!(Message::is_from(&bytes, sender));
            prop_assert!(!Message::is_from(&bytes, sender.wrapping_add(1)));
        }

        #[test]
        fn no_bytes_panic(bytes in any::<Vec<u8>>()) {
            let _ = Message::decode(&bytes);
            let _ = Message::is_from(&bytes, 1);
        }
    }
}
