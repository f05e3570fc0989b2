//! Each policy's distribution, on slots without connections.

use futures_util::future::BoxFuture;
use http::{Request, Response};
use tonic::body::Body;

use super::*;
use crate::connection::SendError;
use crate::discovery::Endpoint;

struct NoLink;

impl Connection for NoLink {
    fn send(&self, _request: Request<Body>) -> BoxFuture<'static, Result<Response<Body>, SendError>> {
        Box::pin(std::future::pending())
    }
    fn is_closed(&self) -> bool {
        false
    }
    fn closed(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::pending())
    }
}

fn slots(weights: &[u32], now: Instant) -> Vec<Arc<Slot>> {
    let slot = |(at, weight): (usize, &u32)| {
        let endpoint = Endpoint::new(format!("10.0.0.{at}:80")).weight(*weight);
        let replica = Arc::new(Replica::new(u32::try_from(at).unwrap(), "test", &endpoint, now));
        Arc::new(Slot { replica, link: Arc::new(NoLink), warming: None })
    };
    weights.iter().enumerate().map(slot).collect()
}

const DRAWS: usize = 40_000;

/// Shares of each slot over many picks, without load changing.
fn shares(policy: Policy, slots: &[Arc<Slot>], avoid: &[u32], now: Instant) -> Vec<f64> {
    let dice = Dice::new(Some(42));
    let picker = build(policy, slots, &dice);
    let mut counts = vec![0_u32; slots.len()];
    for key in 0..DRAWS as u64 {
        let ask = Ask { now, key: Some(key), avoid, may_fail: false };
        counts[picker.pick(slots, &ask, &dice).unwrap()] += 1;
    }
    counts.into_iter().map(|count| f64::from(count) / DRAWS as f64).collect()
}

fn check(policy: Policy, slots: &[Arc<Slot>], avoid: &[u32], expected: &[f64]) {
    let shares = shares(policy, slots, avoid, Instant::now());
    for (share, expected) in shares.iter().zip(expected) {
        assert!((share - expected).abs() < 0.025, "{policy}: {shares:?} instead of {expected:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_policy_spreads_evenly_over_equal_endpoints() {
    let slots = slots(&[1, 1, 1, 1], Instant::now());
    for policy in Policy::ALL {
        check(policy, &slots, &[], &[0.25; 4]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_policy_leaves_out_what_was_tried_before() {
    let slots = slots(&[1, 1, 1], Instant::now());
    for policy in Policy::ALL {
        check(policy, &slots, &[1], &[0.5, 0.0, 0.5]);
    }
}

#[tokio::test(start_paused = true)]
async fn every_policy_has_nothing_to_offer_when_all_were_tried() {
    let slots = slots(&[1, 1], Instant::now());
    let dice = Dice::new(Some(1));
    for policy in Policy::ALL {
        let ask = Ask { now: Instant::now(), key: None, avoid: &[0, 1], may_fail: false };
        assert_eq!(build(policy, &slots, &dice).pick(&slots, &ask, &dice), None, "{policy}");
        assert_eq!(build(policy, &[], &dice).pick(&[], &ask, &dice), None, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn weights_count_where_they_are_promised() {
    let slots = slots(&[3, 1], Instant::now());
    check(Policy::WeightedRoundRobin, &slots, &[], &[0.75, 0.25]);
    check(Policy::ConsistentHash, &slots, &[], &[0.75, 0.25]);
}

#[tokio::test(start_paused = true)]
async fn smooth_round_robin_spreads_a_heavy_endpoint_over_the_round() {
    let slots = slots(&[5, 1, 1], Instant::now());
    let dice = Dice::new(Some(1));
    let picker = build(Policy::WeightedRoundRobin, &slots, &dice);
    let ask = Ask { now: Instant::now(), key: None, avoid: &[], may_fail: false };
    let round: Vec<usize> = (0..7).map(|_| picker.pick(&slots, &ask, &dice).unwrap()).collect();
    assert_eq!(round, [0, 0, 1, 0, 2, 0, 0]);
}

#[tokio::test(start_paused = true)]
async fn round_robin_takes_turns() {
    let slots = slots(&[1, 1, 1], Instant::now());
    let dice = Dice::new(Some(1));
    let picker = build(Policy::RoundRobin, &slots, &dice);
    let ask = Ask { now: Instant::now(), key: None, avoid: &[], may_fail: false };
    let turns: Vec<usize> = (0..6).map(|_| picker.pick(&slots, &ask, &dice).unwrap()).collect();
    assert_eq!(turns[..3], turns[3..]);
    assert_eq!(turns[..3].iter().sum::<usize>(), 3);
}

#[tokio::test(start_paused = true)]
async fn least_request_leaves_the_busiest_alone() {
    let now = Instant::now();
    let slots = slots(&[1, 1, 1], now);
    for _ in 0..10 {
        slots[0].replica.load.begin(now);
    }
    assert_eq!(shares(Policy::LeastRequest, &slots, &[], now)[0], 0.0);
}

#[tokio::test(start_paused = true)]
async fn peak_ewma_leaves_the_slowest_alone_until_it_is_forgotten() {
    let now = Instant::now();
    let slots = slots(&[1, 1, 1, 1], now);
    for (slot, millis) in slots.iter().zip([100, 2, 2, 2]) {
        slot.replica.load.sample(Duration::from_millis(millis), now);
    }
    assert_eq!(shares(Policy::PeakEwma, &slots, &[], now)[0], 0.0);
}

#[tokio::test(start_paused = true)]
async fn same_key_goes_to_the_same_endpoint_and_few_keys_move_when_one_leaves() {
    let now = Instant::now();
    let (all, dice) = (slots(&[1; 5], now), Dice::new(Some(1)));
    let fewer: Vec<Arc<Slot>> = all[..4].to_vec();
    let (before, after) = (build(Policy::ConsistentHash, &all, &dice), build(Policy::ConsistentHash, &fewer, &dice));
    let mut moved = 0;
    for key in 0..10_000 {
        let ask = Ask { now, key: Some(key), avoid: &[], may_fail: false };
        let first = before.pick(&all, &ask, &dice).unwrap();
        assert_eq!(before.pick(&all, &ask, &dice), Some(first));
        moved += u32::from(first != 4 && after.pick(&fewer, &ask, &dice) != Some(first));
    }
    assert!(moved < 600, "{moved} of 10,000 keys moved although their endpoint stayed");
}

#[tokio::test(start_paused = true)]
async fn one_hot_key_spills_over_when_its_endpoint_is_full() {
    let now = Instant::now();
    let dice = Dice::new(Some(1));
    // Its owner takes a quarter more than the share that its weight gives it.
    for (weights, most) in [([1, 1, 1, 1], 126), ([5, 1, 1, 1], 313)] {
        let slots = slots(&weights, now);
        let picker = build(Policy::ConsistentHash, &slots, &dice);
        let pick = |key| picker.pick(&slots, &Ask { now, key: Some(key), avoid: &[], may_fail: false }, &dice).unwrap();
        let hot = (0..).find(|key| pick(*key) == 0).unwrap();
        for _ in 0..400 {
            slots[pick(hot)].replica.load.begin(now);
        }
        let owned = slots[0].replica.load.in_flight();
        assert!((most - 13..=most).contains(&owned), "{owned} of 400, weights {weights:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn warming_endpoint_begins_with_a_tenth_and_grows() {
    let now = Instant::now();
    let window = Duration::from_secs(10);
    let fresh = slots(&[1, 1], now);
    let warming = Slot { warming: Some(Warming { from: now, window }), ..Slot::clone_of(&fresh[0]) };
    let slots = vec![Arc::new(warming), Arc::clone(&fresh[1])];
    for policy in [Policy::Random, Policy::RoundRobin, Policy::WeightedRoundRobin] {
        let early = shares(policy, &slots, &[], now)[0];
        let late = shares(policy, &slots, &[], now + window)[0];
        assert!(early < 0.13, "{policy} gave {early} at once");
        assert!((late - 0.5).abs() < 0.015, "{policy} gave {late} in the end");
    }
}

impl Slot {
    fn clone_of(other: &Self) -> Self {
        Self { replica: Arc::clone(&other.replica), link: Arc::clone(&other.link), warming: other.warming }
    }
}
