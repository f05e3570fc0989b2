//! `crm`: every process of the platform, and the commands that run, fill, load and inspect it.

mod api;
mod cli;
mod duration;
mod failure;
mod fault;
mod http;
mod import;
mod keys;
mod lab;
mod load;
mod migrate;
mod places;
mod policy;
mod probe;
mod processes;
mod program;
mod seed;
mod serve;
mod services;
mod settings;
mod start;
mod status;
mod token;
mod up;

use std::process::ExitCode;

use clap::Parser;

use self::api::Api;
use self::cli::{Cli, Command, Import, Role};
use self::failure::Failure;
use self::places::Places;
use self::processes::Deed;

fn main() -> ExitCode {
    name_process();
    let cli = Cli::parse();
    // Processes that serve tell it in their logs.
    if !matches!(cli.command, Command::Serve { .. }) {
        settings::unknown().iter().for_each(|line| eprintln!("crm: {line}"));
    }
    match run(cli) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("crm: {failure}");
            failure.exit_code()
        }
    }
}

/// Children are started by a path that survives a rebuild, whose last part is no name.
fn name_process() {
    // A name is for people: without it everything works.
    let _ = std::fs::write("/proc/self/comm", "crm");
}

fn run(cli: Cli) -> Result<(), Failure> {
    let threads = worker_threads(&cli.command)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build();
    runtime.map_err(|error| anyhow::anyhow!("cannot start the runtime: {error}"))?.block_on(dispatch(cli))
}

/// Two, which a demo machine can spare; a gateway's number can be set, as it carries every call.
fn worker_threads(command: &Command) -> Result<usize, Failure> {
    match command {
        Command::Serve { role: Role::Gateway } => {
            crm_gateway::worker_threads().map_err(|error| Failure::Usage(error.to_string()))
        }
        _ => Ok(2),
    }
}

async fn dispatch(cli: Cli) -> Result<(), Failure> {
    let places = Places::new(cli.dir);
    match cli.command {
        Command::Up(options) => up::run(&places, options).await,
        Command::Down { wipe } => up::down(&places, wipe).await,
        Command::Status { json, prometheus } => {
            let form = if json { status::Form::Json } else { status::Form::Table };
            status::show(&places, if prometheus { status::Form::Prometheus } else { form }).await
        }
        Command::Token(request) => token::print(&places, &request),
        Command::Seed(seed) => seed::run(&places, seed.amount(), &seed.tenant, seed.service.as_deref()).await,
        Command::Import(Import::CrmSales { folder, tenant, json }) => {
            let api = Api::connect(&places, &tenant).await?;
            import::crm_sales(&api, &folder, json.as_deref()).await
        }
        Command::Load(options) => load::run(&places, options).await,
        Command::Lab(cli::Lab::Balancing(options)) => lab::balancing(options).await,
        Command::Lab(cli::Lab::Customers(options)) => lab::customers(options).await,
        Command::Lab(cli::Lab::Journal(options)) => lab::journal(options).await,
        Command::Lab(cli::Lab::Tours(options)) => lab::tours(&places, &options).await,
        Command::Lab(cli::Lab::Watch(options)) => lab::watch(options).await,
        Command::Policy { service, policy } => policy::set(&places, &service, &policy).await,
        Command::Fault(options) => fault::run(&places, &options).await,
        Command::Kill(options) => processes::run(&places, Deed::Kill, &options).await,
        Command::Pause(options) => processes::run(&places, Deed::Pause, &options).await,
        Command::Restart(options) => processes::run(&places, Deed::Restart, &options).await,
        Command::Migrate => migrate::run().await,
        Command::Keys => keys::write_missing(&places),
        Command::Probe { admin } => probe::ready(admin).await,
        Command::Serve { role } => serve::run(role).await,
    }
}
