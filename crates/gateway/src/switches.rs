//! What can be flipped while the gateway runs, to see what it is worth.

use crm_balance::Switch;
use crm_server::compression;
use http::HeaderMap;

/// One switch as the control API shows it.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub(crate) struct SwitchState {
    name: &'static str,
    on: bool,
    meaning: &'static str,
}

/// All switches of a gateway; every one starts on.
#[derive(Debug)]
pub(crate) struct Switches {
    /// Whether idempotent calls that failed after they were sent are tried again.
    pub(crate) retries: Switch,
    /// Whether replicas that fail are taken out.
    pub(crate) ejection: Switch,
    /// Whether calls that would only queue are refused.
    pub(crate) shedding: Switch,
    /// Whether answers go out in gzip to callers who ask for it.
    pub(crate) compression: Switch,
    /// Whether answers tell their trace's id.
    pub(crate) trace_header: Switch,
}

impl Default for Switches {
    fn default() -> Self {
        Self {
            retries: Switch::on(),
            ejection: Switch::on(),
            shedding: Switch::on(),
            compression: Switch::on(),
            trace_header: Switch::on(),
        }
    }
}

impl Switches {
    /// All of them, by name.
    pub(crate) fn all(&self) -> Vec<SwitchState> {
        self.entries().map(|(name, meaning, switch)| SwitchState { name, on: switch.is_on(), meaning }).to_vec()
    }

    /// One of them, or `None` if there is none of the name.
    pub(crate) fn get(&self, name: &str) -> Option<SwitchState> {
        self.all().into_iter().find(|switch| switch.name == name)
    }

    /// Flips one; says how it stands then.
    pub(crate) fn set(&self, name: &str, on: bool) -> Option<SwitchState> {
        let entries = self.entries();
        let (_, _, switch) = entries.iter().find(|(known, ..)| *known == name)?;
        switch.set(on);
        self.get(name)
    }

    /// Whether the answer to a request may be packed.
    pub(crate) fn pack_for(&self, asked: &HeaderMap) -> bool {
        self.compression.is_on() && compression::is_asked_for(asked)
    }

    fn entries(&self) -> [(&'static str, &'static str, &Switch); 5] {
        [
            (
                "retries",
                "idempotent calls that failed after they were sent are tried again on another replica",
                &self.retries,
            ),
            ("ejection", "a replica that fails its calls is taken out, and returns by a probe", &self.ejection),
            ("shedding", "calls that would only queue are refused at once", &self.shedding),
            (
                "compression",
                "messages over gRPC, lists and documents go out in gzip to who asks for it",
                &self.compression,
            ),
            ("trace_header", "answers carry x-trace-id and traceresponse", &self.trace_header),
        ]
    }
}
