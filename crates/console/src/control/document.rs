//! What `GET /upstreams` answers. Fields that a gateway does not send are absent here, too.

use crm_balance::{CallsSnapshot, Policy, ReplicaSnapshot};
use serde::Deserialize;

/// All upstreams of a gateway.
#[derive(Debug, Clone, Default, Deserialize)]
pub(crate) struct Document {
    pub(crate) upstreams: Vec<Upstream>,
    #[serde(default)]
    pub(crate) faults: Faults,
}

/// Whether faults may be put into replicas.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
pub(crate) struct Faults {
    #[serde(default)]
    pub(crate) allowed: bool,
}

/// One upstream.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Upstream {
    pub(crate) name: String,
    pub(crate) policy: Policy,
    pub(crate) panic: bool,
    pub(crate) calls: CallsSnapshot,
    pub(crate) replicas: Vec<Replica>,
}

/// One replica, and the fault that was put into it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub(crate) struct Replica {
    #[serde(flatten)]
    pub(crate) seen: ReplicaSnapshot,
    #[serde(default)]
    pub(crate) fault: Option<InjectedFault>,
}

/// A fault on demand.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(crate) struct InjectedFault {
    pub(crate) delay_ms: u64,
    pub(crate) error_rate: f64,
    pub(crate) code: Option<String>,
    pub(crate) hang: bool,
    pub(crate) fail_fast: bool,
}

impl InjectedFault {
    /// In words: `answers 100 ms late`.
    pub(crate) fn words(&self) -> String {
        let mut parts = Vec::new();
        if self.fail_fast {
            parts.push("fails at once".to_owned());
        }
        if self.hang {
            parts.push("hangs".to_owned());
        }
        if self.delay_ms > 0 {
            parts.push(format!("answers {} ms late", self.delay_ms));
        }
        if self.error_rate > 0.0 {
            parts.push(format!("fails {:.0} % of its calls", self.error_rate * 100.0));
        }
        if parts.is_empty() { "has a fault".to_owned() } else { parts.join(", ") }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_that_knows_no_faults_is_understood() {
        let replica = r#"{"ordinal":0,"address":"a:1","state":"ready","reason":null,"weight":1,"share":0.5,"rate":4.5,
            "latency_ms_ewma":26.0,"p50_ms":1.8,"p99_ms":57.6,"in_flight":0,"ejections":0,"calls":64,"failures":0}"#;
        let calls = r#"{"ok":1,"errors":0,"cancelled":0,"retries":0,"shed":0,"p50_ms":1.0,"p99_ms":2.0}"#;
        let text = format!(
            r#"{{"upstreams":[{{"name":"customers","key":"k","policy":"peak_ewma","panic":false,"calls":{calls},"replicas":[{replica}]}}]}}"#
        );
        let document: Document = serde_json::from_str(&text).unwrap();
        assert!(!document.faults.allowed);
        assert_eq!(document.upstreams[0].replicas[0].seen.calls, 64);
        let with = text.replace(r#""failures":0"#, r#""failures":0,"fault":{"delay_ms":100,"for_s":60}"#);
        let document: Document = serde_json::from_str(&with).unwrap();
        assert_eq!(document.upstreams[0].replicas[0].fault.as_ref().unwrap().words(), "answers 100 ms late");
    }
}
