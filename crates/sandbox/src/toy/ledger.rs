//! What toys have been asked, in a file: it outlives a process that is killed.

use std::{
    fmt::Write as _,
    fs::{File, OpenOptions},
    io::{self, Write},
    path::Path,
};

/// A file that several toys may share.
#[derive(Debug)]
pub(super) struct Ledger(File);

impl Ledger {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        OpenOptions::new().create(true).append(true).open(path).map(Self)
    }

    /// One line, in one write: the system keeps lines of several processes apart, and a process is killed before its line
    /// or after it. A full disk loses lines, which the reader of the ledger will miss.
    pub(super) fn enter(&self, method: &str, message: &[u8]) {
        let mut line = format!("{method} ");
        for byte in message {
            let _ = write!(line, "{byte:02x}");
        }
        line.push('\n');
        let _ = (&self.0).write_all(line.as_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::TemporaryFolder;

    #[test]
    fn lines_of_several_writers_stand_one_after_the_other() {
        let folder = TemporaryFolder::new("ledger").unwrap();
        let path = folder.path().join("ledger");
        let (one, other) = (Ledger::open(&path).unwrap(), Ledger::open(&path).unwrap());
        one.enter("/a.B/C", &[0, 171]);
        other.enter("/a.B/D", &[]);
        one.enter("/a.B/C", &[1]);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "/a.B/C 00ab\n/a.B/D \n/a.B/C 01\n");
    }
}
