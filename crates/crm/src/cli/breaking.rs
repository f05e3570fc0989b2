//! Commands that break something on purpose, and heal it.

use std::time::Duration;

use clap::{ArgGroup, Args};

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("what").required(true).multiple(true).args(["delay", "error_rate", "hang", "fail_fast", "heal"]))]
pub(crate) struct FaultRequest {
    /// `customers/0`, `customers` (each of its replicas), or `all`
    pub(crate) target: String,
    /// Calls wait this long, holding one of the replica's places, such as `100ms`
    #[arg(long, value_parser = crate::duration::parse)]
    pub(crate) delay: Option<Duration>,
    /// This part of the calls fails, 0 to 1
    #[arg(long, value_name = "PART")]
    pub(crate) error_rate: Option<f64>,
    /// What they fail with; `UNAVAILABLE` unless given
    #[arg(long)]
    pub(crate) code: Option<String>,
    /// No call is answered
    #[arg(long)]
    pub(crate) hang: bool,
    /// Every call fails at once
    #[arg(long)]
    pub(crate) fail_fast: bool,
    /// How long, such as `30s`; until healed unless given
    #[arg(long = "for", value_name = "TIME", value_parser = crate::duration::parse)]
    pub(crate) lasts: Option<Duration>,
    /// End the fault
    #[arg(long, conflicts_with_all = ["delay", "error_rate", "code", "hang", "fail_fast", "lasts"])]
    pub(crate) heal: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Processes {
    /// `customers/0`, `customers` (each of its replicas), or `all` (services and gateways)
    pub(crate) target: String,
    /// How long it stays so, such as `3s`; a pause lasts 3 s unless given, a death no longer than a restart takes
    #[arg(long, value_parser = crate::duration::parse, conflicts_with_all = ["until_healed", "heal"])]
    pub(crate) hold: Option<Duration>,
    /// It stays so until `--heal`
    #[arg(long, conflicts_with_all = ["rolling", "heal"])]
    pub(crate) until_healed: bool,
    /// One after the other, each when the one before is ready again
    #[arg(long, conflicts_with = "heal")]
    pub(crate) rolling: bool,
    /// End what holds it down or pauses it
    #[arg(long)]
    pub(crate) heal: bool,
}
