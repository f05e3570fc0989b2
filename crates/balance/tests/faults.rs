//! What callers see of faults: the table that the load-balancing lab repeats on real processes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

mod fake;

use std::time::Duration;

use crm_balance::{ClientSettings, EjectionSettings, Phase, Policy, Switch, client};
use fake::*;
use tonic::Code;

#[tokio::test(start_paused = true)]
async fn every_policy_shares_a_healthy_upstream_fairly_and_fails_nothing() {
    for policy in Policy::ALL {
        let net = Net::of(4);
        let upstream = net.upstream().policy(policy).build();
        let seen = load(&plain(&upstream), 400, 5, false).await;
        assert_eq!(failed(&seen), 0, "{policy}");
        for ordinal in 0..4 {
            let share = share(&seen, ordinal);
            assert!((0.20..0.30).contains(&share), "{policy} gave replica {ordinal} {share}");
        }
    }
}

#[tokio::test(start_paused = true)]
async fn endpoint_that_fails_at_once_is_ejected_after_at_most_ten_failures() {
    for policy in Policy::ALL {
        let net = Net::of(4);
        let upstream = net.upstream().policy(policy).build();
        ready(&upstream).await;
        net.at(1).set(Mode::FailFast(Code::Internal));
        let seen = load(&plain(&upstream), 800, 2, false).await;
        assert!(failed(&seen) <= 10, "{policy} failed {}", failed(&seen));
        // Under peak EWMA its cost alone may keep calls away from it before five have failed.
        assert!(replica(&upstream, 1).ejections > 0 || policy == Policy::PeakEwma, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn peak_ewma_finds_a_failing_endpoint_guilty_though_it_shuns_it_and_no_caller_notices() {
    // The first failure is no trial's yet; and one in the trailers reaches the caller always, whose answer has begun.
    let cases = [
        (Mode::FailFast(Code::Unavailable), 0),
        (Mode::FailFast(Code::Internal), 2),
        (Mode::FailLate(Code::Unavailable), 10),
    ];
    for (mode, most) in cases {
        let net = Net::of(4);
        let upstream = net.upstream().policy(Policy::PeakEwma).build();
        let client = plain(&upstream);
        load(&client, 800, 2, true).await;
        net.at(1).set(mode.clone());
        let seen = load(&client, 800, 1, true).await;
        assert!(replica(&upstream, 1).ejections > 0, "{mode:?}: not ejected within a second");
        assert!(failed(&seen) <= most, "{mode:?}: {} calls failed", failed(&seen));
        net.at(1).set(SERVE);
        load(&client, 800, 8, true).await;
        let after = load(&client, 800, 2, true).await;
        assert!(share(&after, 1) > 0.2, "{mode:?}: share {} ten seconds after healing", share(&after, 1));
    }
}

#[tokio::test(start_paused = true)]
async fn failing_endpoint_that_may_not_be_ejected_does_not_attract_calls() {
    // Of three only one may be out; of four all may stay where the switch is off.
    for (count, failing, switch) in [(3, 2, Switch::on()), (4, 1, Switch::off())] {
        let net = Net::of(count);
        let ejection = EjectionSettings { enabled: switch.clone(), ..EjectionSettings::default() };
        let upstream = net.upstream().policy(Policy::PeakEwma).ejection(ejection).build();
        let client = plain(&upstream);
        load(&client, 400, 2, true).await;
        (0..failing).for_each(|at| net.at(at).set(Mode::FailFast(Code::Unavailable)));
        let seen = load(&client, 400, 10, true).await;
        let share = failed(&seen) as f64 / seen.len() as f64;
        assert!(share < 0.01, "{failing} of {count} failing, switch {switch:?}: {share} of the calls failed");
    }
}

#[tokio::test(start_paused = true)]
async fn endpoint_that_fails_thirty_percent_is_ejected_within_ten_seconds() {
    let cases =
        [(Policy::RoundRobin, false), (Policy::LeastRequest, false), (Policy::Random, false), (Policy::PeakEwma, true)];
    for (policy, retryable) in cases {
        let net = Net::of(4);
        let upstream = net.upstream().policy(policy).build();
        ready(&upstream).await;
        net.at(2).set(Mode::FailOneIn(3, Duration::from_millis(2)));
        load(&plain(&upstream), 200, 10, retryable).await;
        assert!(replica(&upstream, 2).ejections > 0, "{policy}");
    }
}

#[tokio::test(start_paused = true)]
async fn half_a_percent_of_noise_ejects_nobody_in_ten_minutes() {
    for retryable in [false, true] {
        let net = Net::of(4);
        let upstream = net.upstream().build();
        net.set_all(&Mode::FailOneIn(200, Duration::from_millis(2)));
        let seen = load(&plain(&upstream), 50, 600, retryable).await;
        for replica in upstream.replicas() {
            assert_eq!(replica.ejections, 0, "replica {}", replica.ordinal);
            assert!(share(&seen, replica.ordinal) > 0.15, "replica {}", replica.ordinal);
        }
    }
}

#[tokio::test(start_paused = true)]
async fn slow_endpoint_gets_almost_nothing_under_peak_ewma_and_its_fair_share_after_healing() {
    let net = Net::of(4);
    let upstream = net.upstream().policy(Policy::PeakEwma).build();
    let client = plain(&upstream);
    load(&client, 800, 5, false).await;
    net.at(3).set(Mode::Serve(Duration::from_millis(100)));
    let during = load(&client, 800, 20, false).await;
    net.at(3).set(SERVE);
    load(&client, 800, 30, false).await;
    let after = load(&client, 800, 10, false).await;
    assert!(share(&during, 3) <= 0.003, "share {} while slow", share(&during, 3));
    assert!(share(&after, 3) > 0.15, "share {} after healing", share(&after, 3));
    assert_eq!(failed(&during), 0);
}

#[tokio::test(start_paused = true)]
async fn killed_endpoint_costs_no_retryable_call_and_has_traffic_again_after_its_return() {
    for policy in Policy::ALL {
        let net = Net::of(4);
        let upstream = net.upstream().policy(policy).build();
        let client = plain(&upstream);
        ready(&upstream).await;
        let killer = async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            net.at(0).kill();
            tokio::time::sleep(Duration::from_secs(3)).await;
            net.at(0).revive();
        };
        let (seen, ()) = tokio::join!(load(&client, 400, 8, true), killer);
        assert_eq!(failed(&seen), 0, "{policy}");
        let returned = load(&client, 200, 5, true).await;
        assert!(share(&returned, 0) > 0.1, "{policy}: {} after return", share(&returned, 0));
    }
}

#[tokio::test(start_paused = true)]
async fn hung_endpoint_costs_next_to_nothing() {
    for (policy, retryable, most) in [(Policy::PeakEwma, false, 0.001), (Policy::LeastRequest, true, 0.001)] {
        let net = Net::of(4);
        let upstream = net.upstream().policy(policy).build();
        let client = plain(&upstream);
        load(&client, 800, 3, retryable).await;
        net.at(1).set(Mode::Hang);
        let seen = load(&client, 800, 10, retryable).await;
        net.at(1).set(SERVE);
        let share = failed(&seen) as f64 / seen.len() as f64;
        assert!(share <= most, "{policy} failed {share}");
    }
}

#[tokio::test(start_paused = true)]
async fn policy_changes_under_load_without_a_failed_call() {
    let net = Net::of(4);
    let upstream = net.upstream().build();
    let client = plain(&upstream);
    let switch = async {
        for policy in Policy::ALL.iter().cycle().take(60) {
            tokio::time::sleep(Duration::from_millis(50)).await;
            upstream.set_policy(*policy);
            assert_eq!(upstream.policy(), *policy);
        }
    };
    let (seen, ()) = tokio::join!(load(&client, 2_000, 4, false), switch);
    assert_eq!(failed(&seen), 0);
}

#[tokio::test(start_paused = true)]
async fn upstream_that_fails_everything_sees_little_more_than_its_calls() {
    let net = Net::of(4);
    let upstream = net.upstream().build();
    ready(&upstream).await;
    net.set_all(&Mode::FailFast(Code::Unavailable));
    let (per_second, seconds) = (400, 20);
    let seen = load(&plain(&upstream), per_second, seconds, true).await;
    let calls = (per_second * seconds) as f64;
    let floor = 10.0 * (seconds + 1) as f64;
    assert_eq!(failed(&seen), seen.len());
    assert!(net.calls() as f64 <= 1.2 * calls + floor, "{} attempts for {calls} calls", net.calls());
    net.set_all(&SERVE);
    let healed = load(&plain(&upstream), 800, 3, false).await;
    assert!(failed(&healed) < healed.len() / 100, "{} failed after healing", failed(&healed));
}

#[tokio::test(start_paused = true)]
async fn clients_of_one_upstream_share_its_retry_budget() {
    let net = Net::of(2);
    let upstream = net.upstream().build();
    ready(&upstream).await;
    net.set_all(&Mode::FailFast(Code::Unavailable));
    let clients = [(); 4].map(|()| plain(&upstream));
    let loads = clients.iter().map(|client| load(client, 25, 20, true));
    let calls: usize = futures_util::future::join_all(loads).await.iter().map(Vec::len).sum();
    let most = 1.2 * calls as f64 + 10.0 * 21.0;
    assert!(net.calls() as f64 <= most, "{} attempts for {calls} calls", net.calls());
}

#[tokio::test(start_paused = true)]
async fn without_any_endpoint_calls_fail_at_once_and_come_back_soon_after_it_does() {
    let net = Net::of(2);
    let upstream = net.upstream().build();
    let client = plain(&upstream);
    ready(&upstream).await;
    net.at(0).kill();
    net.at(1).kill();
    tokio::time::sleep(Duration::from_secs(5)).await;
    for seen in load(&client, 100, 1, true).await {
        assert_eq!(seen.code, Code::Unavailable);
        assert!(seen.elapsed <= Duration::from_millis(10), "{:?}", seen.elapsed);
    }
    net.at(0).revive();
    net.at(1).revive();
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(failed(&load(&client, 100, 1, false).await), 0);
}

#[tokio::test(start_paused = true)]
async fn returning_endpoint_starts_slowly() {
    let net = Net::of(2);
    let upstream = net.upstream().policy(Policy::RoundRobin).slow_start(Duration::from_secs(10)).build();
    let client = plain(&upstream);
    load(&client, 200, 11, true).await;
    net.at(0).kill();
    tokio::time::sleep(Duration::from_secs(1)).await;
    net.at(0).revive();
    until(|| replica(&upstream, 0).state == Phase::Ready).await;
    let shares = [share(&load(&client, 400, 2, true).await, 0), {
        load(&client, 400, 8, true).await;
        share(&load(&client, 400, 2, true).await, 0)
    }];
    assert!(shares[0] < 0.2 && shares[1] > 0.45, "{shares:?}");
}

#[tokio::test(start_paused = true)]
async fn three_times_the_slots_cost_little_goodput_and_calm_returns_soon() {
    let net = Net::of(4);
    let upstream = net.upstream().build();
    let client = client(upstream.clone(), ClientSettings::default());
    // Four endpoints, four slots each, 40 ms: 400 calls a second.
    net.set_all(&Mode::Slots(Duration::from_millis(40)));
    let peak = load(&client, 320, 5, false).await;
    assert_eq!(failed(&peak), 0);
    let over = load(&client, 1_200, 20, false).await;
    let goodput = (over.len() - failed(&over)) as f64 / 20.0;
    assert!(goodput >= 0.9 * 400.0, "{goodput} a second");
    tokio::time::sleep(Duration::from_secs(3)).await;
    assert_eq!(failed(&load(&client, 320, 5, false).await), 0);
}

#[tokio::test(start_paused = true)]
async fn endpoints_that_ask_to_reconnect_cost_no_call_even_a_lone_one() {
    for count in [1, 3] {
        let net = Net::of(count);
        let upstream = net.upstream().build();
        let client = plain(&upstream);
        ready(&upstream).await;
        let retire = async {
            for _ in 0..10 {
                tokio::time::sleep(Duration::from_millis(1_100)).await;
                (0..count).for_each(|at| net.at(at).retire());
            }
        };
        let (seen, ()) = tokio::join!(load(&client, 400, 12, false), retire);
        assert_eq!(failed(&seen), 0, "of {count}");
    }
}
