//! Who sends the calls.

use crm_balance::{
    Client, ClientSettings, Discovery, EjectionSettings, HealthCheck, Policy, RetrySettings, Switch, Upstream,
};

/// A client over gateways, given as `host:port`. It judges nobody and sheds nothing: those behind judge health and eject,
/// and what they do is to be seen. Dead connections alone are passed over.
#[must_use]
pub fn client<'a>(gateways: impl IntoIterator<Item = &'a str>, retry: RetrySettings) -> Client {
    let never = EjectionSettings { enabled: Switch::off(), ..EjectionSettings::default() };
    let upstream = Upstream::builder("gateway", Discovery::of(gateways))
        .policy(Policy::RoundRobin)
        .health(HealthCheck::Off)
        .ejection(never)
        .build();
    let mut settings = ClientSettings { retry, ..ClientSettings::default() };
    settings.shed.enabled = Switch::off();
    crm_balance::client(upstream, settings)
}
