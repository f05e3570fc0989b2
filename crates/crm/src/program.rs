//! This very program, to be started once more.

use std::os::unix::process::CommandExt;
use std::process::Command;

/// A command that runs the program that is running.
///
/// Its path would not do: somebody who builds while a platform runs replaces the file, and the path then ends in
/// ` (deleted)`. This name leads to what runs, whatever became of the file.
pub(crate) fn this() -> Command {
    let mut command = Command::new("/proc/self/exe");
    if let Some(name) = std::env::args_os().next() {
        command.arg0(name);
    }
    command
}
