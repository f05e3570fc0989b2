//! What only the start of a process needed.
//!
//! A process begins by running through much of the program once: arguments, descriptors, settings, connections. Each page
//! that it touches brings fifteen neighbours along, and all of them count as the process's memory for as long as it lives,
//! though they are the file's own pages, which all processes share. So it gives them back, once; what it works with comes
//! again by itself, from the page cache, by a fault of a microsecond.

use std::ffi::c_void;
use std::fs;
use std::path::Path;
use std::ptr::NonNull;
use std::time::Duration;

use nix::sys::mman::{MmapAdvise, madvise};
use tokio::time::sleep;

/// By then connections stand and the first calls have been answered.
const AFTER: Duration = Duration::from_secs(10);

/// Gives back the program's pages, when the start is over. Dropped before, nothing has happened.
pub(crate) async fn give_back() {
    sleep(AFTER).await;
    let bytes: usize = pages_of_program().into_iter().map(forget).sum();
    tracing::debug!(bytes, "pages of the start given back");
}

/// Where in memory, from and to.
type Range = (usize, usize);

/// Code and constants of the program, as the kernel has mapped them from its file.
fn pages_of_program() -> Vec<Range> {
    let Ok(program) = fs::read_link("/proc/self/exe") else { return Vec::new() };
    let maps = fs::read_to_string("/proc/self/maps").unwrap_or_default();
    maps.lines().filter_map(|line| unwritten(line, &program)).collect()
}

/// The range of a line of `/proc/self/maps`, if it maps this file and was never written: code, and the constants at the file's
/// beginning. Others that can only be read now were written when the program was linked into its place.
fn unwritten(line: &str, program: &Path) -> Option<Range> {
    let mut fields = line.split_ascii_whitespace();
    let (range, rights, offset) = (fields.next()?, fields.next()?, fields.next()?);
    let is_first = u64::from_str_radix(offset, 16) == Ok(0);
    let is_unwritten = rights == "r-xp" || (rights == "r--p" && is_first);
    let is_ours = fields.nth(2).map(Path::new) == Some(program);
    let (from, to) = range.split_once('-')?;
    let parse = |text| usize::from_str_radix(text, 16).ok();
    (is_unwritten && is_ours).then_some((parse(from)?, parse(to)?))
}

/// Answers how many bytes were given back.
fn forget((from, to): Range) -> usize {
    let (Some(start), Some(length)) = (NonNull::new(from as *mut c_void), to.checked_sub(from)) else { return 0 };
    // SAFETY: a mapping of a file, private, readable only and never written, but by a debugger, whose
    // breakpoints go with the pages: the kernel forgets where its pages are in
    // memory, and finds the same ones in the file when the next instruction or constant of them is asked for.
    match unsafe { madvise(start, length, MmapAdvise::MADV_DONTNEED) } {
        Ok(()) => length,
        Err(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_first_constants_of_the_program_are_given_back_and_nothing_that_was_written() {
        let program = Path::new("/opt/crm");
        for (line, is_given_back) in [
            ("1000-2000 r--p 00000000 08:01 7    /opt/crm", true),
            ("2000-5000 r-xp 00001000 08:01 7    /opt/crm", true),
            ("5000-6000 r--p 00004000 08:01 7    /opt/crm", false),
            ("6000-7000 rw-p 00005000 08:01 7    /opt/crm", false),
            ("8000-9000 r-xp 00001000 08:01 9    /lib/libc.so.6", false),
            ("9000-a000 rw-p 00000000 00:00 0", false),
            ("a000-b000 r-xp 00000000 00:00 0    [vdso]", false),
            ("", false),
        ] {
            assert_eq!(unwritten(line, program).is_some(), is_given_back, "{line}");
        }
        assert_eq!(unwritten("2000-5000 r-xp 00001000 08:01 7 /opt/crm", program), Some((0x2000, 0x5000)));
    }

    #[test]
    fn whoever_gives_back_its_own_pages_goes_on() {
        let pages = pages_of_program();
        assert_eq!(pages.len(), 2, "{pages:?}");
        let expected: usize = pages.iter().map(|(from, to)| to - from).sum();
        assert_eq!(pages.into_iter().map(forget).sum::<usize>(), expected);
        assert!(!pages_of_program().is_empty());
    }
}
