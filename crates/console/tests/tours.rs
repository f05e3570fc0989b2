//! Tours without a page: whatever happens, what was broken is healed.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod support;

use std::time::Duration;

use crm_console::Config;
use crm_console::tour::{PlayError, Player, Tour, parse};
use support::{Gateway, PATIENCE, replica};
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;

const BROKEN: [&str; 2] = [
    "PUT /upstreams/customers/policy {\"policy\":\"peak_ewma\"}",
    "PUT /upstreams/customers/replicas/0/fault {\"delay_ms\":100,\"for_s\":120}",
];
const HEALED: [&str; 2] =
    ["DELETE /upstreams/customers/replicas/all/fault", "PUT /upstreams/customers/policy {\"policy\":\"round_robin\"}"];

/// Two replicas that get the same number of calls whatever is done to them.
async fn gateway() -> Gateway {
    let gateway = Gateway::start(vec![replica(0, "ready"), replica(1, "ready")]).await;
    gateway.change(|truth| truth.policy = "round_robin".to_owned());
    gateway
}

fn player(gateway: &Gateway) -> Player {
    Player::new(&Config::of(vec![gateway.address.to_string().parse().unwrap()]))
}

fn slow_replica(for_s: u32) -> Tour {
    let text = include_str!("../tours/slow-replica.toml").replace("for_s = 30", &format!("for_s = {for_s}"));
    parse("slow", &text).unwrap()
}

async fn no_terminal(line: &str) -> Result<(), String> {
    Err(format!("nothing is to be typed: {line}"))
}

async fn until_told(gateway: &Gateway, lines: usize) {
    let wait = async {
        while gateway.told().len() < lines {
            sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(PATIENCE, wait).await.expect("told in time");
}

#[tokio::test]
async fn what_is_not_seen_is_told_and_healed_and_the_policy_put_back() {
    let gateway = gateway().await;
    let played = player(&gateway).play(&slow_replica(6), no_terminal, &CancellationToken::new()).await.unwrap();
    let held: Vec<bool> = played.checks.iter().map(|check| check.held).collect();
    assert_eq!(held, [false, true, true], "share, failures, healed: {played:?}");
    assert_eq!(gateway.told(), [BROKEN, HEALED].concat());
}

#[tokio::test]
async fn the_policy_that_a_tour_found_comes_back_whatever_the_file_says() {
    let gateway = gateway().await;
    let tour = parse("change", include_str!("../tours/policy-change.toml")).unwrap();
    let played = player(&gateway).play(&tour, no_terminal, &CancellationToken::new()).await.unwrap();
    assert!(played.held(), "{played:?}");
    assert_eq!(gateway.told()[1..], HEALED[1..], "no fault was there to heal");
}

#[tokio::test]
async fn who_stops_a_tour_finds_everything_healed_even_if_that_takes_several_tries() {
    let gateway = gateway().await;
    let (player, tour, stop) = (player(&gateway), slow_replica(600), CancellationToken::new());
    let interrupt = async {
        until_told(&gateway, BROKEN.len()).await;
        gateway.change(|truth| truth.refusal = Some("busy".to_owned()));
        stop.cancel();
        sleep(Duration::from_millis(1_500)).await;
        gateway.change(|truth| truth.refusal = None);
    };
    let (played, ()) = tokio::join!(player.play(&tour, no_terminal, &stop), interrupt);
    assert!(matches!(played, Err(PlayError::Stopped)), "{played:?}");
    assert_eq!(gateway.told(), [BROKEN, HEALED].concat());
}

#[tokio::test]
async fn what_cannot_be_healed_is_told_beside_why_the_tour_ended() {
    let gateway = gateway().await;
    let tour = parse("killed", include_str!("../tours/killed-replica.toml")).unwrap();
    let terminal = async |_: &str| {
        gateway.change(|truth| truth.refusal = Some("not today".to_owned()));
        Err("no such process".to_owned())
    };
    let player = player(&gateway).with_patience(Duration::from_secs(10));
    let error = player.play(&tour, terminal, &CancellationToken::new()).await.unwrap_err().to_string();
    assert!(
        error.contains("no such process") && error.contains("healing failed: the gateway says: not today"),
        "{error}"
    );
}

#[tokio::test]
async fn nothing_is_broken_where_nothing_works() {
    let nobody = Config::of(vec!["http://127.0.0.1:1".parse().unwrap()]);
    let player = Player::new(&nobody).with_patience(Duration::from_secs(1));
    let played = player.play(&slow_replica(6), no_terminal, &CancellationToken::new()).await;
    assert!(matches!(&played, Err(PlayError::NotCalm(why)) if why.contains("no gateway")), "{played:?}");
}
