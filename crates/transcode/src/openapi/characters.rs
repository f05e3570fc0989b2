//! Characters as classes of regular expressions.

use std::fmt::Write;
use std::ops::RangeInclusive;

type Ranges = [RangeInclusive<u32>];

/// What no line of text holds, beside the last two of each plane: control characters, what breaks lines or turns the
/// direction of text, and what is no character.
const FORBIDDEN: [RangeInclusive<u32>; 7] = [
    0x0..=0x1f,
    0x7f..=0x9f,
    0x2028..=0x202e,
    0x2066..=0x2069,
    // Halves of pairs.
    0xd800..=0xdfff,
    0xfdd0..=0xfdef,
    0xfff9..=0xfffb,
];

/// What does not show: blanks, and Unicode's default-ignorables.
const UNSEEN: [RangeInclusive<u32>; 22] = [
    0x20..=0x20,
    0xa0..=0xa0,
    0xad..=0xad,
    0x34f..=0x34f,
    0x61c..=0x61c,
    0x115f..=0x1160,
    0x1680..=0x1680,
    0x17b4..=0x17b5,
    0x180b..=0x180f,
    0x2000..=0x200f,
    0x202f..=0x202f,
    0x205f..=0x206f,
    0x2800..=0x2800,
    0x3000..=0x3000,
    0x3164..=0x3164,
    0xfe00..=0xfe0f,
    0xfeff..=0xfeff,
    0xffa0..=0xffa0,
    0xfff0..=0xfff8,
    0x1_bca0..=0x1_bca3,
    0x1_d173..=0x1_d17a,
    0xe_0000..=0xe_0fff,
];

/// All that a line of text may hold.
pub(super) fn of_text() -> String {
    all_but(&[&FORBIDDEN])
}

/// What shows of it.
pub(super) fn that_show() -> String {
    all_but(&[&FORBIDDEN, &UNSEEN])
}

/// The class names what it leaves out, not what it holds: programs that make texts of a class list what it names.
fn all_but(left_out: &[&Ranges]) -> String {
    let last_of_planes = (0..=0x10).map(|plane| (plane << 16) + 0xfffe..=(plane << 16) + 0xffff);
    let mut left_out: Vec<_> = left_out.iter().copied().flatten().cloned().chain(last_of_planes).collect();
    left_out.sort_unstable_by_key(|range| *range.start());
    let mut class = "[^".to_owned();
    for range in left_out {
        push(&mut class, *range.start(), *range.end());
    }
    class + "]"
}

fn push(class: &mut String, first: u32, last: u32) {
    *class += &spelled(first);
    if first < last {
        class.push('-');
        *class += &spelled(last);
    }
}

/// An escape up to U+FFFF; beyond, the character itself: ECMA-262 and Python, which most programs that try patterns are
/// written in, have no escape in common there.
fn spelled(code: u32) -> String {
    match char::from_u32(code) {
        Some(character) if code > 0xffff => character.to_string(),
        _ => {
            let mut escape = String::new();
            let _ = write!(escape, "\\u{code:04x}");
            escape
        }
    }
}
