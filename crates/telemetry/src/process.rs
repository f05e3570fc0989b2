//! What the operating system says about this process.

use std::fs;

use crate::{metrics, names};

/// `USER_HZ` of Linux: the unit of `/proc/self/stat` on every architecture that we run on.
const TICKS_PER_SECOND: f64 = 100.0;

/// Resident set size in bytes; nothing where there is no `/proc`.
pub fn resident_bytes() -> Option<u64> {
    parse_resident(&fs::read_to_string("/proc/self/status").ok()?)
}

/// User and system time in seconds since the process began; nothing where there is no `/proc`.
fn cpu_seconds() -> Option<f64> {
    parse_cpu(&fs::read_to_string("/proc/self/stat").ok()?)
}

pub(crate) fn register() {
    #[allow(clippy::cast_precision_loss, reason = "memory sizes stay far below 2^53")]
    metrics::observe_gauge(&names::PROCESS_RESIDENT_MEMORY, |gauge| {
        if let Some(bytes) = resident_bytes() {
            gauge.observe(bytes as f64, &[]);
        }
    });
    metrics::observe_counter(&names::PROCESS_CPU, |counter| {
        if let Some(seconds) = cpu_seconds() {
            counter.observe(seconds, &[]);
        }
    });
}

fn parse_resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kibibytes.checked_mul(1024)
}

fn parse_cpu(stat: &str) -> Option<f64> {
    // The command stands in brackets and may hold spaces and brackets itself: count from its end.
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace().skip(11);
    let user: f64 = fields.next()?.parse().ok()?;
    let system: f64 = fields.next()?.parse().ok()?;
    Some((user + system) / TICKS_PER_SECOND)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn resident_memory_is_read_in_kibibytes() {
        assert_eq!(parse_resident("Name:\tcrm\nVmRSS:\t   12 kB\nThreads:\t4\n"), Some(12 * 1024));
        assert_eq!(parse_resident("Name:\tcrm\n"), None);
        assert_eq!(parse_resident("VmRSS: many kB"), None);
    }

    #[test]
    fn cpu_time_survives_a_command_with_brackets() {
        let stat = "1 (a) b) c) S 0 1 1 0 -1 4194560 1 2 3 4 150 50 0 0 20 0 8 0 1 2 3";
        assert_eq!(parse_cpu(stat), Some(2.0));
        assert_eq!(parse_cpu("garbage"), None);
    }

    #[test]
    fn this_process_uses_memory() {
        assert!(resident_bytes().is_none_or(|bytes| bytes > 1024 * 1024));
    }
}
