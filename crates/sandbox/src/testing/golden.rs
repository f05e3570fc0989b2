//! Texts that are kept beside the test that writes them.
#![allow(clippy::unwrap_used, reason = "for tests alone")]

use std::{env, fs};

/// `file` holds `written`. With `UPDATE_GOLDEN=1` it is written instead.
///
/// # Panics
/// It does not.
pub fn check_golden(file: &str, written: &str) {
    if env::var_os("UPDATE_GOLDEN").is_some() {
        fs::write(file, written).unwrap();
    }
    let kept = fs::read_to_string(file).unwrap_or_default();
    for (written, kept) in written.lines().zip(kept.lines()) {
        assert_eq!(written, kept, "with UPDATE_GOLDEN=1 this test writes {file}");
    }
    assert_eq!(written.len(), kept.len(), "with UPDATE_GOLDEN=1 this test writes {file}");
}
