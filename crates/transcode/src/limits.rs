//! What a request may cost.

/// Bounds on what a caller can make this crate do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Longest JSON body, in bytes.
    pub body_bytes: usize,
    /// Deepest nesting of JSON objects and arrays.
    pub json_depth: usize,
    /// Most violations reported; later faults are counted as one.
    pub violations: usize,
}

impl Default for Limits {
    /// 1 MiB, 32 levels, 50 violations.
    fn default() -> Self {
        Self { body_bytes: 1 << 20, json_depth: 32, violations: 50 }
    }
}
