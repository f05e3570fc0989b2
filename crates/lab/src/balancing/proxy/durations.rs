//! How long our gateway's calls took by its own clock, which neither the way to it nor the generator can lengthen.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::time::Duration;

use http::Method;

use super::control::ask;
use crate::balancing::error::LabError;

/// Its histogram of all calls: how many took up to each bound, from its start on. Bounds are in microseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::balancing) struct Durations(BTreeMap<u64, u64>);

const BUCKET: &str = "rpc_server_call_duration_seconds_bucket{";

impl Durations {
    pub(super) async fn of(admin: SocketAddr) -> Result<Self, LabError> {
        let text = ask(admin, Method::GET, "/metrics", String::new()).await?;
        Ok(Self::parse(&String::from_utf8_lossy(&text)))
    }

    /// Buckets in the text form of Prometheus, those of all methods together.
    fn parse(text: &str) -> Self {
        let mut counts = BTreeMap::new();
        for line in text.lines().filter_map(|line| line.strip_prefix(BUCKET)) {
            if let Some((bound, count)) = bucket(line) {
                *counts.entry(bound).or_default() += count;
            }
        }
        Self(counts)
    }

    /// The upper bound, in milliseconds, of the bucket that holds the 99th percentile of the calls that ended since;
    /// `None` if none did.
    pub(in crate::balancing) fn p99_ms_since(&self, earlier: &Self) -> Option<f64> {
        let since = |bound: &u64, count: &u64| count.saturating_sub(earlier.0.get(bound).copied().unwrap_or(0));
        let all = self.0.last_key_value().map(|(bound, count)| since(bound, count)).filter(|all| *all > 0)?;
        let (bound, _) = self.0.iter().find(|(bound, count)| since(bound, count) * 100 >= all * 99)?;
        // What has no bound does not fit, either.
        Some(u32::try_from(*bound).map_or(f64::INFINITY, |micros| f64::from(micros) / 1e3))
    }
}

/// The bucket without a bound.
const BEYOND: u64 = u64::MAX;

/// `…le="0.005"} 17`: bound and count.
fn bucket(line: &str) -> Option<(u64, u64)> {
    let (labels, count) = line.rsplit_once("} ")?;
    let (_, bound) = labels.split_once("le=\"")?;
    let bound = match bound.split('"').next()? {
        "+Inf" => BEYOND,
        seconds => u64::try_from(Duration::try_from_secs_f64(seconds.parse().ok()?).ok()?.as_micros()).ok()?,
    };
    Some((bound, count.trim().parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(fast: u64, slow: u64, slower: u64) -> String {
        let bucket = |method: &str, bound: &str, count: u64| {
            format!("rpc_server_call_duration_seconds_bucket{{method=\"{method}\",le=\"{bound}\"}} {count}\n")
        };
        let (up_to, all) = (fast + slow, fast + slow + slower);
        let one = [("0.00025", fast), ("0.01", up_to), ("+Inf", all)].map(|(bound, count)| bucket("a/B", bound, count));
        format!("# HELP x y\n{}{}rpc_server_call_duration_seconds_sum 7\n", one.concat(), bucket("c/D", "0.00025", 1))
    }

    #[test]
    fn the_percentile_is_that_of_the_calls_in_between_and_breaks_its_limit_if_they_were_slow() {
        let check = |before: (u64, u64, u64), after: (u64, u64, u64), expected: Option<f64>| {
            let read = |(fast, slow, slower)| Durations::parse(&text(fast, slow, slower));
            assert_eq!(read(after).p99_ms_since(&read(before)), expected, "{before:?} {after:?}");
        };
        check((0, 0, 0), (99, 1, 0), Some(0.25));
        check((0, 0, 0), (98, 2, 0), Some(10.0));
        check((0, 0, 500), (100, 0, 500), Some(0.25));
        check((0, 0, 0), (90, 0, 10), Some(f64::INFINITY));
        check((5, 5, 5), (5, 5, 5), None);
        assert_eq!(Durations::parse("").p99_ms_since(&Durations::parse("")), None);
    }
}
