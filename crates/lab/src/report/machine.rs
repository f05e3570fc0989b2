//! Where the figures come from: they mean little without.

use std::fs;
use std::process::Command;

use serde::Serialize;

/// The machine, as far as figures depend on it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Machine {
    /// Processors that this process may use.
    pub cpus: usize,
    /// Their model.
    pub cpu: String,
    /// Memory in MiB.
    pub memory_mb: u64,
    /// Kernel.
    pub kernel: String,
    /// Processes that wanted to run when the experiment began, over the last minute: a busy machine measures itself.
    pub load_before: f64,
}

impl Machine {
    /// This one.
    #[must_use]
    pub fn this() -> Self {
        let first = |path: &str| fs::read_to_string(path).unwrap_or_default();
        let load = first("/proc/loadavg");
        Self {
            cpus: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            cpu: field(&first("/proc/cpuinfo"), "model name"),
            memory_mb: field(&first("/proc/meminfo"), "MemTotal").trim_end_matches(" kB").parse().unwrap_or(0) / 1024,
            kernel: first("/proc/sys/kernel/osrelease").trim().to_owned(),
            load_before: load.split(' ').next().and_then(|load| load.parse().ok()).unwrap_or(0.0),
        }
    }
}

/// The value of the first line `name : value`.
fn field(text: &str, name: &str) -> String {
    let line = text.lines().find(|line| line.starts_with(name));
    line.and_then(|line| line.split_once(':'))
        .map_or_else(|| "unknown".to_owned(), |(_, value)| value.trim().to_owned())
}

/// The version of the source tree around the working directory, with a `+` if it was changed since.
#[must_use]
pub fn commit() -> String {
    let git = |arguments: &[&str]| {
        let output = Command::new("git").args(arguments).output().ok().filter(|output| output.status.success())?;
        Some(String::from_utf8(output.stdout).ok()?.trim().to_owned())
    };
    let Some(commit) = git(&["rev-parse", "--short=12", "HEAD"]) else { return "unknown".to_owned() };
    let changed = git(&["status", "--porcelain", "--untracked-files=no"]).is_some_and(|changes| !changes.is_empty());
    if changed { format!("{commit}+") } else { commit }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_machine_tells_what_it_is() {
        let machine = Machine::this();
        assert!(machine.cpus > 0 && machine.memory_mb > 0 && !machine.kernel.is_empty(), "{machine:?}");
        assert_eq!(field("a: 1\nb\t: 2 kB\n", "b"), "2 kB");
        assert_eq!(field("", "b"), "unknown");
    }
}
