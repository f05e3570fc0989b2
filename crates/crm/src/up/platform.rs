//! The platform from its start to its end.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use crm_sandbox::child::{ChildSignal, Program};
use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::addresses::Addresses;
use super::keeper::{Progress, keep};
use super::notice::{print, say};
use super::orders::{self, Desk};
use super::ready::until_connected;
use super::stages::{Stage, Stages};
use super::state::{Board, State};
use super::stores::{self, Urls};
use super::unit::Unit;
use super::{environment, servers, table};
use crate::cli::{SeedChoice, Up};
use crate::failure::Failure;
use crate::places::Places;
use crate::{keys, program};

/// For the processes, once the stores are there.
const START_PATIENCE: Duration = Duration::from_secs(60);

/// Starts everything, waits for `stop`, stops everything.
pub(super) async fn run(
    places: &Places,
    options: &Up,
    started: Instant,
    stop: CancellationToken,
) -> Result<(), Failure> {
    keys::write_missing(places)?;
    let addresses = Addresses::reserve(options)?;
    let board = Arc::new(Board::new(places, initial_state(&addresses)));
    let (desk, stages) = (Desk::default(), Stages::default());
    let mut platform = Platform { places, options, addresses, board, desk: desk.clone(), stages, waiting: Vec::new() };
    let living = tokio::select! {
        result = platform.live(started) => result,
        never = orders::serve(places, desk) => match never {},
        () = stop.cancelled() => Ok(()),
    };
    say("stopping");
    platform.stages.shut_down().await;
    say("stopped; the data stay");
    living
}

struct Platform<'a> {
    places: &'a Places,
    options: &'a Up,
    addresses: Addresses,
    board: Arc<Board>,
    desk: Desk,
    stages: Stages,
    /// What has to be ready before the platform is.
    waiting: Vec<watch::Receiver<Progress>>,
}

impl Platform<'_> {
    /// Everything up to the table; then as long as it is let.
    async fn live(&mut self, started: Instant) -> Result<(), Failure> {
        self.start().await?;
        self.wait_until_ready().await?;
        self.board.update(|state| {
            state.ready = true;
            state.ready_after_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX);
        });
        say(format!("ready after {:.1} s", started.elapsed().as_secs_f64()));
        self.seed().await?;
        if let Some(scenario) = &self.options.load {
            self.keep(Stage::Load, environment::load(self.places, scenario));
        }
        self.board.update(|state| state.announced = true);
        print(&table::render(self.places, &self.board.snapshot()));
        std::future::pending().await
    }

    /// Viewer and console need nobody to start; the services need both stores. A gateway could start at any time, but would
    /// by now try to reach the services only once a second.
    async fn start(&mut self) -> Result<(), Failure> {
        self.keep(Stage::Viewer, environment::viewer(self.places, &self.addresses));
        self.keep(Stage::Viewer, environment::console(self.places, &self.addresses));
        let (database, redis) = tokio::join!(stores::open_database(self.places), stores::open_redis(self.places));
        // Whichever has started is to be kept, and thereby stopped, even if the other one has not.
        let redis = redis.map(|(server, url)| (self.keep_store(server, "redis"), url));
        let database = database.map(|database| (self.keep_store(database.server, "postgres"), database.urls));
        let urls = Urls { databases: database?.1, redis: redis?.1 };
        self.board.update(|state| state.database_urls.clone_from(&urls.databases));
        for (service, replicas) in self.addresses.services.clone() {
            for (number, replica) in (0..).zip(replicas) {
                let replica = (service, number, replica);
                self.keep(Stage::Services, environment::service(self.places, &self.addresses, replica, &urls));
            }
        }
        for (replica, gateway) in (0..).zip(self.addresses.gateways.clone()) {
            self.keep(Stage::Gateways, environment::gateway(self.places, &self.addresses, replica, gateway));
        }
        Ok(())
    }

    fn keep(&mut self, stage: Stage, unit: Unit) {
        let (progress, task) = keep(unit, Arc::clone(&self.board), &self.desk, self.stages.stop(stage));
        self.waiting.push(progress);
        self.stages.spawn(stage, task);
    }

    fn keep_store(&mut self, server: Option<impl servers::Server>, role: &'static str) {
        if let Some(server) = server {
            let task = servers::keep(
                server,
                role,
                (Arc::clone(&self.board), self.desk.clone()),
                self.stages.stop(Stage::Stores),
            );
            self.stages.spawn(Stage::Stores, task);
        }
    }

    async fn wait_until_ready(&mut self) -> Result<(), Failure> {
        let all = async {
            for progress in &mut self.waiting {
                let reached = progress.wait_for(|progress| *progress != Progress::Starting).await;
                if let Ok(Progress::Hopeless(reason)) = reached.as_deref() {
                    return Err(Failure::Other(anyhow::anyhow!("{reason}")));
                }
            }
            for gateway in &self.addresses.gateways {
                until_connected(gateway.control).await;
            }
            Ok(())
        };
        timeout(START_PATIENCE, all).await.unwrap_or_else(|_| {
            let (patience, logs) = (START_PATIENCE.as_secs(), self.places.root().join("logs"));
            Err(Failure::Other(anyhow::anyhow!("not ready after {patience} s; see {}", logs.display())))
        })
    }

    /// In a process of its own, so that its memory goes when it is done. Its progress shows where ours does.
    async fn seed(&self) -> Result<(), Failure> {
        let size = match self.options.seed {
            SeedChoice::None => return Ok(()),
            SeedChoice::Demo => "demo",
            SeedChoice::Large => "large",
        };
        let mut command = program::this();
        command.args(["seed", size, "--dir"]).arg(self.places.root());
        for variable in environment::hidden() {
            command.env_remove(variable);
        }
        let seeding = Program::new("seed", command).attached().death_signal(ChildSignal::SIGTERM).spawn();
        let status = seeding.map_err(anyhow::Error::from)?.wait().await;
        if status.success() { Ok(()) } else { Err(Failure::Other(anyhow::anyhow!("seeding ended with {status}"))) }
    }
}

fn initial_state(addresses: &Addresses) -> State {
    State {
        supervisor: std::process::id(),
        ready: false,
        announced: false,
        ready_after_ms: 0,
        gateways: addresses.gateways.iter().map(|gateway| gateway.public).collect(),
        control: addresses.gateways.first().map(|gateway| gateway.control),
        controls: addresses.gateways.iter().map(|gateway| gateway.control).collect(),
        console: Some(addresses.console.page),
        viewer: Some(addresses.viewer.pages),
        otlp: Some(addresses.viewer.otlp),
        otlp_http: Some(addresses.viewer.otlp_http),
        database_urls: BTreeMap::new(),
        processes: Vec::new(),
    }
}
