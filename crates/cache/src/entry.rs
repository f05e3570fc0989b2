//! What can be cached.

/// A value that knows its version.
pub trait Entry: Send + Sync + Sized + 'static {
    /// Grows with each change of the value, starting at 1 or more: a fill with an older version than was invalidated is refused.
    fn version(&self) -> u64;
    /// Bytes for the shared tier.
    fn encode(&self) -> Vec<u8>;
    /// The value of those bytes; `None` (another release wrote them, or they are damaged) counts as a miss.
    fn decode(bytes: &[u8]) -> Option<Self>;
    /// Bytes that the value takes in this process, roughly.
    fn weight(&self) -> u32;
}
