//! `crm lab tours`: the live room's tours, played by a program on the platform that runs in the folder.

use std::path::Path;
use std::time::Duration;

use crm_console::Config;
use crm_console::tour::{self, PlayError, Played, Player, Tour};
use tokio::process::Command;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::cli::Tours;
use crate::failure::Failure;
use crate::places::Places;
use crate::{load, program, status, up};

/// How lines for the terminal begin.
const THIS: &str = "./crm ";
/// The commands that a tour may ask for: those that break something, or heal it.
const ALLOWED: [&str; 5] = ["fault", "kill", "pause", "policy", "restart"];
/// How long such a command may take.
const PATIENCE: Duration = Duration::from_secs(60);

pub(crate) async fn run(places: &Places, options: &Tours) -> Result<(), Failure> {
    let tours = chosen(&options.tours)?;
    let player = Player::new(&config(places).await?);
    let stop = crm_server::process::shutdown_signal().child_token();
    let loading = stop.child_token();
    let load = (!options.no_load).then(|| {
        let (load, stop) = (load::beside(places.clone(), options.rate, loading.clone()), stop.clone());
        tokio::spawn(async move {
            let ended = load.await;
            // Without it there is nothing to see.
            stop.cancel();
            ended
        })
    });
    let played = play_all(places, &player, &tours, &stop).await;
    loading.cancel();
    let Some(load) = load else { return played };
    // A load that failed must not hide what may still be broken.
    let loaded = load.await.unwrap_or_else(|error| Err(Failure::Other(error.into())));
    match (played, loaded) {
        (Err(played), Err(load)) => Err(Failure::Check(format!("{load}\n{played}"))),
        (played, loaded) => loaded.and(played),
    }
}

/// All of them, whatever becomes of one; unless told to stop, or something may still be broken.
async fn play_all(places: &Places, player: &Player, tours: &[Tour], stop: &CancellationToken) -> Result<(), Failure> {
    let mut failed = Vec::new();
    for tour in tours {
        println!("{}: {}\n  break   {}", tour.name, tour.title, tour.breaking.text);
        match player.play(tour, async |line: &str| type_line(places, line).await, stop).await {
            Ok(played) => {
                print(&played);
                println!("  heal    {}", tour.heal.text);
                if !played.held() {
                    failed.push(format!("{}: not everything that is expected was seen", tour.name));
                }
            }
            Err(error) => {
                failed.push(format!("{}: {error}", tour.name));
                if matches!(error, PlayError::Stopped | PlayError::Unhealed { .. }) {
                    break;
                }
            }
        }
    }
    if failed.is_empty() { Ok(()) } else { Err(Failure::Check(failed.join("\n"))) }
}

fn print(played: &Played) {
    for check in &played.checks {
        println!("  {}  {} ({})", if check.held { "seen  " } else { "UNSEEN" }, check.say, check.actual);
    }
    println!("  read    {}", played.trace.as_deref().unwrap_or("no such call was found"));
}

/// All that ship, or those that are named: by their names, or by files.
fn chosen(named: &[String]) -> Result<Vec<Tour>, Failure> {
    if named.is_empty() {
        return Ok(tour::all().to_vec());
    }
    named.iter().map(|name| find(name)).collect()
}

fn find(name: &str) -> Result<Tour, Failure> {
    if let Some(tour) = tour::all().iter().find(|tour| tour.name == name) {
        return Ok(tour.clone());
    }
    let file = Path::new(name);
    if !file.is_file() {
        let names: Vec<&str> = tour::all().iter().map(|tour| tour.name.as_str()).collect();
        return Err(Failure::Usage(format!("no tour {name}; there are {}, or name a file", names.join(", "))));
    }
    let usage = |error: &dyn std::fmt::Display| Failure::Usage(format!("{name}: {error}"));
    let text = std::fs::read_to_string(file).map_err(|error| usage(&error))?;
    let stem = file.file_stem().unwrap_or_default().to_string_lossy();
    tour::parse(&stem, &text).map_err(|error| usage(&error))
}

async fn config(places: &Places) -> Result<Config, Failure> {
    let link = |address: &String| address.parse().map_err(|error| Failure::Usage(format!("{address}: {error}")));
    let controls = status::controls(places).await?.iter().map(link).collect::<Result<_, _>>()?;
    // The viewer of the folder knows nothing of a platform elsewhere.
    let viewer = if status::is_elsewhere() { None } else { up::status(places).await?.viewer };
    Ok(Config { viewer: viewer.as_ref().map(link).transpose()?, ..Config::of(controls) })
}

/// Does what a tour asks a person to type: nothing but what breaks and heals, in this platform.
async fn type_line(places: &Places, line: &str) -> Result<(), String> {
    let words: Vec<&str> = line.strip_prefix(THIS).unwrap_or_default().split_whitespace().collect();
    let is_allowed = words.first().is_some_and(|word| ALLOWED.contains(word)) && !line.contains("--dir");
    if !is_allowed {
        return Err(format!("{line}: a tour may ask for {THIS}{}, without --dir", ALLOWED.join("|")));
    }
    if status::is_elsewhere() {
        return Err(format!("{line}: the processes of a platform elsewhere are out of reach"));
    }
    println!("  $ {line}");
    let mut command = Command::from(program::this());
    // In a group of its own, so that Ctrl-C ends the tour and not what has been begun.
    command.args(words).env("CRM_DIR", places.root()).kill_on_drop(true).process_group(0);
    let output = timeout(PATIENCE, command.output()).await.map_err(|_| format!("{line}: takes too long"))?;
    let output = output.map_err(|error| format!("{line}: {error}"))?;
    let (status, said) = (output.status, String::from_utf8_lossy(&output.stderr));
    if status.success() { Ok(()) } else { Err(format!("{line}: {status}: {}", said.trim())) }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn tours_are_found_by_name_or_file_and_others_are_told_what_there_is() {
        assert_eq!(chosen(&[]).unwrap().len(), tour::all().len());
        assert_eq!(find("killed-replica").unwrap().name, "killed-replica");
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../console/tours/slow-replica.toml");
        assert_eq!(find(file).unwrap().name, "slow-replica");
        let text = |name| find(name).unwrap_err().to_string();
        assert!(text("none").contains("slow-replica"));
        assert!(text(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).contains("unknown field"));
    }

    #[test]
    fn help_names_what_ships() {
        let mut cli = crate::cli::Cli::command();
        let lab = cli.find_subcommand_mut("lab").unwrap();
        let help = lab.find_subcommand_mut("tours").unwrap().render_long_help().to_string();
        for tour in tour::all() {
            assert!(help.contains(&format!("`{}`", tour.name)), "{} is not in {help}", tour.name);
        }
    }

    #[tokio::test]
    async fn a_tour_can_ask_for_nothing_but_what_breaks_and_heals() {
        let places = Places::new(None);
        for line in ["rm -r x", "./crm down --wipe", "./crm", "./crm kill redis --dir /tmp/x", "./crm kill;ls --dir=x"]
        {
            let error = type_line(&places, line).await.unwrap_err();
            assert!(error.contains("a tour may ask for"), "{error}");
        }
    }
}
