use super::*;

const WALL: SystemTime = SystemTime::UNIX_EPOCH;

fn tenant(number: u128) -> Uuid {
    Uuid::from_u128(number)
}

fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Told of these tenants, the second that of which they were told.
fn tell(pending: &mut Pending, tenants: &[u128], horizon: &str, at: Instant) {
    pending.tell(tenants.iter().copied().map(tenant), horizon.to_owned(), (at, WALL));
}

/// Whose turns are due now.
fn turns(pending: &mut Pending, now: Instant) -> Vec<u128> {
    std::iter::from_fn(|| pending.take(now)).map(|(tenant, _)| tenant.as_u128()).collect()
}

#[test]
fn a_tenant_has_one_turn_at_a_time_and_another_if_it_was_told_of_meanwhile() {
    let (mut pending, now) = (Pending::default(), Instant::now());
    tell(&mut pending, &[1, 2, 1], "a", now);
    assert_eq!(turns(&mut pending, now), [1, 2]);
    tell(&mut pending, &[1], "b", now);
    assert_eq!(turns(&mut pending, now), [0; 0]);
    pending.end(tenant(1), End::CaughtUp, now);
    pending.end(tenant(2), End::CaughtUp, now);
    assert_eq!(turns(&mut pending, now), [1]);
    pending.end(tenant(1), End::CaughtUp, now);
    assert_eq!((turns(&mut pending, now), pending.next_due()), (vec![], None));
}

#[test]
fn who_has_more_comes_after_who_waits() {
    let (mut pending, now) = (Pending::default(), Instant::now());
    tell(&mut pending, &[1], "a", now);
    assert_eq!(pending.take(now), Some((tenant(1), false)));
    tell(&mut pending, &[2], "b", now);
    pending.end(tenant(1), End::More, now + secs(1));
    assert_eq!(turns(&mut pending, now + secs(1)), [2, 1]);
}

#[test]
fn who_fails_waits_longer_each_time_and_nobody_else_does() {
    let (mut pending, mut now) = (Pending::default(), Instant::now());
    tell(&mut pending, &[1], "a", now);
    for pause in [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300] {
        assert_eq!(pending.take(now).map(|(tenant, _)| tenant), Some(tenant(1)));
        pending.end(tenant(1), End::Failed, now);
        // Being told of it again makes it no sooner.
        tell(&mut pending, &[1, 2], "b", now);
        assert_eq!((pending.take(now), pending.next_due()), (Some((tenant(2), false)), Some(now + secs(pause))));
        pending.end(tenant(2), End::CaughtUp, now);
        now += secs(pause);
    }
    assert_eq!(pending.take(now), Some((tenant(1), true)));
    pending.end(tenant(1), End::Halted, now);
    assert_eq!((pending.take(now), pending.take(now + secs(1))), (None, Some((tenant(1), true))));
    pending.end(tenant(1), End::More, now);
    assert_eq!(pending.take(now), Some((tenant(1), false)));
    pending.end(tenant(1), End::Taken, now);
    assert_eq!(pending.next_due(), Some(now + ASIDE));
    assert_eq!(pause(u32::MAX), LONGEST_PAUSE);
}

#[test]
fn a_horizon_is_settled_when_all_who_were_told_before_it_have_caught_up() {
    let (mut pending, now) = (Pending::default(), Instant::now());
    assert_eq!(pending.settled(), None);
    tell(&mut pending, &[], "a", now);
    assert_eq!((pending.settled().as_deref(), pending.settled()), (Some("a"), None));
    tell(&mut pending, &[1], "b", now);
    tell(&mut pending, &[2], "c", now);
    assert_eq!(turns(&mut pending, now), [1, 2]);
    pending.end(tenant(2), End::CaughtUp, now);
    assert_eq!(pending.settled(), None);
    for end in [End::Failed, End::Halted, End::More, End::Taken] {
        pending.end(tenant(1), end, now);
        assert_eq!((pending.settled(), turns(&mut pending, now + secs(9))), (None, vec![1]), "{end:?}");
    }
    // Told again during its turn: up to there it has caught up.
    tell(&mut pending, &[1], "d", now);
    pending.end(tenant(1), End::CaughtUp, now);
    assert_eq!(pending.settled().as_deref(), Some("c"));
    assert_eq!(turns(&mut pending, now), [1]);
    pending.end(tenant(1), End::CaughtUp, now);
    assert_eq!(pending.settled().as_deref(), Some("d"));
}

#[test]
fn horizons_that_cannot_be_settled_do_not_pile_up() {
    let (mut pending, now) = (Pending::default(), Instant::now());
    tell(&mut pending, &[1], "first", now);
    for nth in 0..1_000 {
        tell(&mut pending, &[], &nth.to_string(), now);
    }
    assert!(pending.settled().is_none() && pending.horizons.len() == MOST_HORIZONS);
    assert_eq!(turns(&mut pending, now), [1]);
    pending.end(tenant(1), End::CaughtUp, now);
    assert_eq!(pending.settled().as_deref(), Some("999"));
}

#[test]
fn the_lag_is_that_of_the_oldest_change_that_is_owed() {
    let (mut pending, now) = (Pending::default(), Instant::now());
    let lag = |pending: &Pending, at: u64| pending.lag(WALL + secs(at)).as_secs();
    assert_eq!(lag(&pending, 100), 0);
    pending.tell([tenant(1)], String::new(), (now, WALL + secs(10)));
    pending.tell([tenant(2)], String::new(), (now, WALL + secs(20)));
    assert_eq!((lag(&pending, 100), lag(&pending, 5)), (90, 0));
    assert_eq!(turns(&mut pending, now), [1, 2]);
    pending.found(tenant(2), WALL + secs(2));
    assert_eq!(lag(&pending, 100), 98);
    pending.tell([tenant(1)], String::new(), (now, WALL + secs(50)));
    pending.end(tenant(2), End::CaughtUp, now);
    assert_eq!(lag(&pending, 100), 90);
    pending.end(tenant(1), End::CaughtUp, now);
    assert_eq!(lag(&pending, 100), 50);
    pending.end(tenant(1), End::CaughtUp, now);
    assert_eq!(lag(&pending, 100), 0);
}
