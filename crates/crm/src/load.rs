//! `crm load`: plays a scenario and judges it.

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;
use crm_balance::RetrySettings;
use crm_lab::load::{LoadError, LoadReport, Options, Progress, Scenario, client};
use crm_server::token::Role;
use tokio_util::sync::CancellationToken;

use crate::cli::Load;
use crate::failure::Failure;
use crate::places::Places;
use crate::{api, token};

/// Scenarios that are part of the program, so that it runs without its source tree.
const BUILT_IN: [(&str, &str); 3] = [
    ("gentle", include_str!("../../../load-tests/gentle.toml")),
    LOOKUPS,
    ("sales-team", include_str!("../../../load-tests/sales-team.toml")),
];
const LOOKUPS: (&str, &str) = ("lookups", include_str!("../../../load-tests/lookups.toml"));

/// A load that goes on for as long as the platform is up needs a token that does, too.
const TOKEN_LIFETIME: Duration = Duration::from_secs(30 * 24 * 3600);

pub(crate) async fn run(places: &Places, options: Load) -> Result<(), Failure> {
    let scenario = scenario(&options)?;
    let gateways = if options.target.is_empty() { api::gateways(places).await? } else { options.target.clone() };
    let stop = crm_server::process::shutdown_signal();
    let start = start(places, &scenario, &gateways, options.forever, &stop)?;

    eprintln!("{}: {}", scenario.name, scenario.about);
    let report = play(&scenario, start).await?;
    print!("{report}");
    if let Some(path) = &options.json {
        write(path, &report).with_context(|| format!("cannot write {}", path.display()))?;
    }
    if report.passed() { Ok(()) } else { Err(Failure::Check(format!("{}: a threshold is broken", scenario.name))) }
}

/// Lookups that go on until told to stop, for something else to look at.
pub(crate) async fn beside(places: Places, rate: f64, stop: CancellationToken) -> Result<(), Failure> {
    let scenario = parse(LOOKUPS.0, LOOKUPS.1, &Load { rate: Some(rate), ..Load::default() })?;
    let gateways = api::gateways(&places).await?;
    let start = start(&places, &scenario, &gateways, true, &stop)?;
    match play(&scenario, start).await {
        // Told to stop before there was any data.
        Err(_) if stop.is_cancelled() => Ok(()),
        ended => ended.map(drop),
    }
}

/// What each attempt to run the scenario begins with.
fn start(
    places: &Places,
    scenario: &Scenario,
    gateways: &[String],
    repeat: bool,
    stop: &CancellationToken,
) -> Result<impl Fn() -> Options + use<>, Failure> {
    let token = token::sign(places, &scenario.tenant, "load", Role::Agent, TOKEN_LIFETIME)?;
    let client = client(gateways.iter().map(String::as_str), RetrySettings::off());
    let stop = stop.clone();
    Ok(move || Options {
        client: client.clone(),
        token: token.clone(),
        repeat,
        seed: crm_lab::seed::fresh(),
        stop: stop.clone(),
    })
}

/// Runs a scenario; one that repeats waits for data first.
async fn play(scenario: &Scenario, start: impl Fn() -> Options) -> Result<LoadReport, Failure> {
    loop {
        let options = start();
        let (repeat, stop) = (options.repeat, options.stop.clone());
        match crm_lab::load::run(scenario, options, progress(repeat)).await {
            Err(LoadError::Keys { .. }) if repeat && !stop.is_cancelled() => wait(&stop).await,
            other => return other.map_err(failure),
        }
    }
}

fn failure(error: LoadError) -> Failure {
    match error {
        LoadError::Request(fault) => Failure::Usage(fault),
        LoadError::Keys { .. } => Failure::Missing(format!("{error}; is there data? `crm seed`")),
        LoadError::Start(_) => Failure::Other(error.into()),
    }
}

/// Until there may be data: the load of a platform begins while it is still being seeded.
async fn wait(stop: &CancellationToken) {
    let _ = tokio::time::timeout(Duration::from_secs(2), stop.cancelled()).await;
}

fn write(path: &Path, report: &LoadReport) -> anyhow::Result<()> {
    Ok(std::fs::write(path, serde_json::to_vec_pretty(report)?)?)
}

fn scenario(options: &Load) -> Result<Scenario, Failure> {
    let (name, text) = text(&options.scenario)?;
    parse(&name, &text, options)
}

/// With the rate and length that were asked for.
fn parse(name: &str, text: &str, options: &Load) -> Result<Scenario, Failure> {
    let usage = |error| Failure::Usage(format!("{name}:\n{error}"));
    let mut scenario = Scenario::parse(text).map_err(usage)?;
    if options.rate.is_some() || options.duration.is_some() {
        let stretches = scenario.stretches();
        scenario.duration = options.duration.unwrap_or_else(|| stretches.iter().map(|step| step.length).sum());
        scenario.rate = options.rate.unwrap_or_else(|| stretches.first().map_or(0.0, |step| step.rate));
        scenario.steps.clear();
    }
    scenario.check().map_err(usage)?;
    Ok(scenario)
}

/// A file, a scenario in `load-tests/`, or one that is built in.
fn text(asked_for: &str) -> Result<(String, String), Failure> {
    let candidates = [PathBuf::from(asked_for), Path::new("load-tests").join(format!("{asked_for}.toml"))];
    if let Some(file) = candidates.iter().find(|file| file.is_file()) {
        let text =
            std::fs::read_to_string(file).map_err(|error| Failure::Usage(format!("{}: {error}", file.display())))?;
        return Ok((file.display().to_string(), text));
    }
    let built_in = BUILT_IN.iter().find(|(name, _)| *name == asked_for);
    let names = BUILT_IN.map(|(name, _)| name).join(", ");
    let (name, text) = built_in
        .ok_or_else(|| Failure::Usage(format!("no scenario {asked_for}; there are {names}, or name a file")))?;
    Ok(((*name).to_owned(), (*text).to_owned()))
}

fn progress(silent: bool) -> impl FnMut(Progress) + Send + 'static {
    let mut before = 0;
    move |now: Progress| {
        if !silent {
            let Progress { elapsed, calls, failed, dropped } = now;
            eprintln!(
                "{:>5.0} s {:>7}/s {calls:>9} calls {failed:>6} failed {dropped:>6} dropped",
                elapsed.as_secs_f64(),
                calls - before
            );
            before = calls;
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn help_names_what_is_built_in() {
        let mut cli = crate::cli::Cli::command();
        let help = cli.find_subcommand_mut("load").unwrap().render_long_help().to_string();
        for (name, text) in BUILT_IN {
            assert!(help.contains(&format!("`{name}`")), "{name} is not in {help}");
            Scenario::parse(text).unwrap();
        }
    }

    #[test]
    fn only_missing_data_is_told_to_be_missing() {
        let (set, reason) = ("account".to_owned(), "the tenant has none".to_owned());
        assert!(
            matches!(failure(LoadError::Keys { set, reason }), Failure::Missing(text) if text.contains("crm seed"))
        );
        assert!(matches!(failure(LoadError::Request("there is no method a.B/C".to_owned())), Failure::Usage(_)));
        assert!(matches!(failure(LoadError::Start("no thread".to_owned())), Failure::Other(_)));
    }
}
