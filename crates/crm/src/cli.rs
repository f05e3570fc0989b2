//! The command line: every command, flag and default, and nothing else.

mod breaking;
mod role;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use crm_resource::seed::Amount;

pub(crate) use self::breaking::{FaultRequest, Processes};
pub(crate) use self::role::Role;

/// Bellwether: a CRM platform that can be watched working.
#[derive(Debug, Parser)]
#[command(name = "crm", version, disable_help_subcommand = true)]
pub(crate) struct Cli {
    /// Folder with data, logs, keys and state; two folders are two independent platforms.
    #[arg(long, env = "CRM_DIR", global = true, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the whole platform: private Postgres and Redis, services, gateway, trace viewer
    Up(Up),
    /// Stop the platform that runs in the folder
    Down {
        /// Remove its data, keys and logs as well
        #[arg(long)]
        wipe: bool,
    },
    /// Show what runs where
    Status {
        /// For programs: one JSON object
        #[arg(long)]
        json: bool,
        /// A configuration for Prometheus that scrapes every process
        #[arg(long, conflicts_with = "json")]
        prometheus: bool,
    },
    /// Print a token for the public API
    Token(TokenRequest),
    /// Fill a tenant, or forty, with generated data
    Seed(Seed),
    /// Bring in somebody else's data through the public API
    #[command(subcommand)]
    Import(Import),
    /// Load the platform with a scenario and judge the result
    Load(Load),
    /// Make an experiment: a table of what holds under which fault, and a verdict
    #[command(subcommand)]
    Lab(Lab),
    /// Switch the balancing policy of a service
    Policy {
        /// Service, such as `customers`
        service: String,
        /// `random`, `round_robin`, `weighted_round_robin`, `least_request`, `peak_ewma` or `consistent_hash`
        policy: String,
    },
    /// Break a replica through the control API: slow, failing, silent; or heal it
    Fault(FaultRequest),
    /// Kill processes of the platform (SIGKILL); they are started again
    Kill(Processes),
    /// Stop processes in the middle of what they do, for a while
    Pause(Processes),
    /// Let processes end what they have begun, and start them again
    Restart(Processes),
    /// Create or update the database's schemas and roles, then end
    Migrate,
    /// Write the platform's keys and passwords into the folder, once, then end
    Keys,
    /// Answer with exit code 0 if the process with this admin address is ready (for health checks)
    Probe {
        /// Address of its admin port
        #[arg(env = "CRM_ADMIN_LISTEN")]
        admin: std::net::SocketAddr,
    },
    /// Run one process of the platform, configured by the environment
    Serve {
        /// Which one
        #[arg(value_parser = role::parser())]
        role: Role,
    },
}

#[derive(Debug, Args)]
pub(crate) struct Up {
    /// Replicas of each service
    #[arg(long, default_value_t = 2, value_parser = clap::value_parser!(u16).range(1..=16), value_name = "N")]
    pub(crate) replicas: u16,
    /// Gateways
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=4), value_name = "N")]
    pub(crate) gateways: u16,
    /// Data to start with, if the platform has none
    #[arg(long, value_enum, default_value_t = SeedChoice::None)]
    pub(crate) seed: SeedChoice,
    /// Scenario to keep running while the platform is up
    #[arg(long, value_name = "SCENARIO")]
    pub(crate) load: Option<String>,
    /// Return as soon as the platform is ready
    #[arg(long)]
    pub(crate) detach: bool,
    /// The well-known ports, or free ones throughout
    #[arg(long, value_enum, default_value_t = Ports::Fixed)]
    pub(crate) ports: Ports,
}

#[derive(Debug, Args)]
pub(crate) struct TokenRequest {
    /// Tenant: a UUID or a short name
    #[arg(long, default_value = "demo")]
    pub(crate) tenant: String,
    /// User
    #[arg(long, default_value = "ada")]
    pub(crate) user: String,
    /// `admin`, `manager`, `agent`, `viewer` (reads only) or `requester`
    #[arg(long, default_value = "agent")]
    pub(crate) role: String,
    /// Lifetime, such as `30m`, `12h` or `7d`
    #[arg(long, default_value = "12h", value_parser = crate::duration::parse)]
    pub(crate) ttl: std::time::Duration,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Import {
    /// The public "CRM Sales Opportunities" practice data set: a folder with its CSV files
    CrmSales {
        /// The folder
        folder: PathBuf,
        /// Tenant to import into
        #[arg(long, default_value = "crm-sales")]
        tenant: String,
        /// Write the report as JSON to this file
        #[arg(long, value_name = "FILE")]
        json: Option<PathBuf>,
    },
}

#[derive(Debug, Default, Args)]
pub(crate) struct Load {
    /// A file, the name of one in `load-tests/`, or one that is built in: `gentle`, `lookups`, `sales-team`
    pub(crate) scenario: String,
    /// Calls per second, instead of the scenario's
    #[arg(long)]
    pub(crate) rate: Option<f64>,
    /// Length, such as `30s`, instead of the scenario's
    #[arg(long, value_parser = crate::duration::parse)]
    pub(crate) duration: Option<std::time::Duration>,
    /// Gateways to send to (host:port), instead of the platform's own
    #[arg(long, value_delimiter = ',', value_name = "A,B")]
    pub(crate) target: Vec<String>,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Start over until told to stop, and wait for data where there are none yet
    #[arg(long)]
    pub(crate) forever: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Lab {
    /// Balancing policies against faults, beside nginx, HAProxy and Envoy where they are installed
    Balancing(Balancing),
    /// A million contacts on a scratch platform: loading them, type-ahead, duplicates, timelines, lists
    Customers(Customers),
    /// A journal of ten million changes on a scratch platform: what histories, followers and the sweep cost
    Journal(Journal),
    /// The tours of the live room, on the platform in the folder: break, watch, heal, and a verdict
    Tours(Tours),
    /// Two hundred watchers and a hundred changes a second on a scratch platform: how late each is told, and in how much memory
    Watch(Watch),
}

#[derive(Debug, Args)]
pub(crate) struct Customers {
    /// A first look within four minutes: 100,000 contacts, shorter loads
    #[arg(long)]
    pub(crate) quick: bool,
    /// Contacts, instead of a million
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=10_000_000), value_name = "N")]
    pub(crate) contacts: Option<u32>,
    /// Length of the load
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600), value_name = "N")]
    pub(crate) seconds: Option<u32>,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as one page to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Watch {
    /// A first look: 5 s of changes instead of 30
    #[arg(long)]
    pub(crate) quick: bool,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Tours {
    /// Names (`slow-replica`, `failing-replica`, `killed-replica`, `policy-change`) or files; all that ship unless given
    #[arg(value_name = "TOUR")]
    pub(crate) tours: Vec<String>,
    /// Reads a second that are made meanwhile
    #[arg(long, default_value = "50", value_name = "N")]
    pub(crate) rate: f64,
    /// Make none: something else loads the platform
    #[arg(long, conflicts_with = "rate")]
    pub(crate) no_load: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Balancing {
    /// A first look in four minutes: three policies, shorter parts, one run
    #[arg(long)]
    pub(crate) quick: bool,
    /// Policies to try, instead of all
    #[arg(long = "policy", num_args = 1.., value_delimiter = ',', value_name = "POLICY")]
    pub(crate) policies: Vec<crm_balance::Policy>,
    /// Faults to try: `none`, `slow`, `fails_at_once`, `fails_30_percent`, `paused`, `killed_and_back`, which are all that
    /// is tried if none is named; `all_down`, `all_failing`, `overload`, `noise`, `killed_writes`, `paused_writes`
    #[arg(long = "fault", num_args = 1.., value_delimiter = ',', value_name = "FAULT")]
    pub(crate) faults: Vec<crm_lab::balancing::FaultScenario>,
    /// The other faults, from `all_down` on, in 12 minutes. There policies do not matter and peers are not compared: our
    /// default policy shows them alone, unless others are named
    #[arg(long, conflicts_with = "faults")]
    pub(crate) alone: bool,
    /// Our default policy with this switched off, too: `ejection`, `retries`, `shedding`
    #[arg(long = "without", num_args = 1.., value_delimiter = ',', value_name = "SWITCH")]
    pub(crate) without: Vec<crm_lab::balancing::Defence>,
    /// Peers to try, instead of those that are installed: `nginx`, `haproxy`, `envoy`
    #[arg(long = "peer", num_args = 1.., value_delimiter = ',', value_name = "PEER")]
    pub(crate) peers: Vec<crm_lab::balancing::Peer>,
    /// Our own policies only
    #[arg(long, conflicts_with = "peers")]
    pub(crate) no_peers: bool,
    /// Envoy's program, if it is not on the path
    #[arg(long, value_name = "FILE")]
    pub(crate) envoy: Option<PathBuf>,
    /// Repetitions of each cell, of which the worst counts
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=20), value_name = "N")]
    pub(crate) runs: u32,
    /// Length of each fault, but for kills: their three seconds stand
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600), value_name = "N")]
    pub(crate) seconds: Option<u32>,
    /// Calls a second; `overload` has its own rates
    #[arg(long, default_value_t = 800, value_parser = clap::value_parser!(u32).range(10..=20_000), value_name = "N")]
    pub(crate) rate: u32,
    /// Cells that are played at a time; each adds its load to the machine
    #[arg(long, value_parser = clap::value_parser!(u8).range(1..=16), value_name = "N")]
    pub(crate) lanes: Option<u8>,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as one page with charts to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Journal {
    /// A first look within four minutes: a million changes, shorter loads
    #[arg(long)]
    pub(crate) quick: bool,
    /// Changes to fill the journal with, instead of ten million
    #[arg(long, value_parser = clap::value_parser!(u32).range(1_000..=100_000_000), value_name = "N")]
    pub(crate) entries: Option<u32>,
    /// Length of each load
    #[arg(long, value_parser = clap::value_parser!(u32).range(1..=600), value_name = "N")]
    pub(crate) seconds: Option<u32>,
    /// Calls a second
    #[arg(long, default_value_t = 200, value_parser = clap::value_parser!(u32).range(10..=20_000), value_name = "N")]
    pub(crate) rate: u32,
    /// Write the result as JSON to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) json: Option<PathBuf>,
    /// Write the result as one page to this file
    #[arg(long, value_name = "FILE")]
    pub(crate) html: Option<PathBuf>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeedChoice {
    None,
    Demo,
    Large,
}

#[derive(Debug, Args)]
pub(crate) struct Seed {
    /// How much
    #[arg(value_enum, default_value_t = SeedSize::Demo)]
    pub(crate) size: SeedSize,
    /// Tenant to fill; of a large set the one that has half of it, beside NAME-2 to NAME-40
    #[arg(long, default_value = "demo", value_name = "NAME")]
    pub(crate) tenant: String,
    /// Contacts of a large set, with a tenth as many accounts and three times as many activities
    #[arg(long, default_value_t = LARGE, value_parser = clap::value_parser!(u32).range(100..=10_000_000), value_name = "N")]
    pub(crate) contacts: u32,
    /// Service whose data alone are generated, such as `customers`
    #[arg(long, value_name = "NAME")]
    pub(crate) service: Option<String>,
}

/// Contacts of a large set, unless it is told otherwise.
pub(crate) const LARGE: u32 = 1_000_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum SeedSize {
    /// 20,000 accounts, 200,000 contacts, 60,000 activities: to look at
    Demo,
    /// 100,000 accounts, 1,000,000 contacts, 3,000,000 activities: to measure with
    Large,
}

impl Seed {
    /// As services understand it.
    pub(crate) fn amount(&self) -> Amount {
        match self.size {
            SeedSize::Demo => Amount::Demo,
            SeedSize::Large => Amount::Large(self.contacts),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Ports {
    Fixed,
    Auto,
}
