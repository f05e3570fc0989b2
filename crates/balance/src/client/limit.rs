//! An adaptive limit on calls in flight: Netflix's Gradient2 (concurrency-limits, `Gradient2Limit`).
//!
//! When latency rises above its long-term average, calls are queueing somewhere, and more of them in flight do not mean more
//! of them done. The limit is then lowered in proportion; otherwise it grows by a little, as long as it is made use of.
//!
//! One that was lowered and that nobody presses any more says nothing of today: it comes back to where it began, with time.
//! Else whoever comes next, with more calls than the last ones, would be refused for what was long ago.

use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use crm_shares::{Holder, Refused, Share, Shares};
use parking_lot::Mutex;
use tokio::time::Instant;

use crate::settings::ShedSettings;

/// Samples are averaged over this long, and over at least so many of them, before the limit moves.
const WINDOW: Duration = Duration::from_millis(100);
const WINDOW_SAMPLES: u32 = 20;
/// Part of a window's average that enters the long-term one: a minute of memory.
const LONG_TERM: f64 = 1.0 / 600.0;
/// Windows at the start whose plain average is the first long-term one.
const WARM_UP: u32 = 10;
/// Calls by which the limit grows.
const HEADROOM: f64 = 4.0;
const SMOOTHING: f64 = 0.2;
/// How long a limit that nobody presses takes to come back to its first value from nothing.
const RECOVERY: Duration = Duration::from_secs(30);

pub(crate) struct Limit {
    settings: ShedSettings,
    limit: AtomicU32,
    in_flight: Shares,
    gradient: Mutex<Gradient>,
}

struct Gradient {
    limit: f64,
    long_seconds: f64,
    windows: u32,
    opened: Instant,
    /// Until when the limit has come back by itself, or been moved by what was measured.
    moved: Instant,
    sum_seconds: f64,
    samples: u32,
    most_in_flight: u32,
}

impl Limit {
    pub(super) fn new(settings: ShedSettings) -> Self {
        let gradient = Gradient {
            limit: settings.initial.into(),
            long_seconds: 0.0,
            windows: 0,
            opened: Instant::now(),
            moved: Instant::now(),
            sum_seconds: 0.0,
            samples: 0,
            most_in_flight: 0,
        };
        let limit = AtomicU32::new(settings.initial);
        Self { settings, limit, in_flight: Shares::new(usize::MAX), gradient: Mutex::new(gradient) }
    }

    /// Lets a call in, or not; it leaves when its place is dropped.
    pub(super) fn enter(&self, bulk: bool, whose: Holder) -> Result<Share, Refused> {
        if !self.settings.enabled.is_on() {
            return self.in_flight.take(None, 1);
        }
        let limit = self.rested(self.limit.load(Relaxed));
        if bulk {
            // A part of a place is one.
            let part = (f64::from(limit) * self.settings.bulk_share).ceil();
            return self.in_flight.take_within(part as usize, whose);
        }
        self.in_flight.take_of(limit as usize, whose)
    }

    /// The limit for whoever enters now: one that was lowered has recovered while nobody was there.
    fn rested(&self, limit: u32) -> u32 {
        if limit >= self.settings.initial || self.in_flight() > 0 {
            return limit;
        }
        let Some(mut gradient) = self.gradient.try_lock() else { return limit };
        gradient.recover(&self.settings, Instant::now());
        let limit = gradient.rounded();
        self.limit.store(limit, Relaxed);
        limit
    }

    /// Takes in how long a call went on that its deadline ended. What is shorter than usual says how much time its caller
    /// gave, not how long answers take.
    pub(super) fn sample_cut(&self, elapsed: Duration, now: Instant) {
        let usual = self.gradient.try_lock().map(|gradient| gradient.long_seconds);
        if usual.is_some_and(|usual| elapsed.as_secs_f64() > usual) {
            self.sample(elapsed, now);
        }
    }

    /// Takes in how long a call took.
    pub(super) fn sample(&self, elapsed: Duration, now: Instant) {
        // Whoever finds it taken leaves it: one sample more or less does not matter, waiting would.
        let Some(mut gradient) = self.gradient.try_lock() else { return };
        gradient.sum_seconds += elapsed.as_secs_f64();
        gradient.samples += 1;
        gradient.most_in_flight = gradient.most_in_flight.max(self.in_flight());
        if gradient.samples >= WINDOW_SAMPLES && now.saturating_duration_since(gradient.opened) >= WINDOW {
            let limit = gradient.close(&self.settings, now);
            self.limit.store(limit, Relaxed);
        }
    }

    /// Calls that it counts.
    pub(crate) fn in_flight(&self) -> u32 {
        u32::try_from(self.in_flight.taken()).unwrap_or(u32::MAX)
    }

    /// How many calls it lets be in flight.
    pub(crate) fn now(&self) -> u32 {
        self.limit.load(Relaxed)
    }
}

impl Gradient {
    fn close(&mut self, settings: &ShedSettings, now: Instant) -> u32 {
        let short = self.sum_seconds / f64::from(self.samples);
        self.learn(short);
        // A limit that is not made use of has not been tested, and so does not move. One tenant alone gets half of it, of
        // bulk three eighths, and the call whose end is sampled has left.
        let gradient = (settings.tolerance * self.long_seconds / short.max(1e-9)).clamp(0.5, 1.0);
        if f64::from(self.most_in_flight) * 4.0 >= self.limit {
            let target = self.limit * gradient + HEADROOM;
            let moved = self.limit * (1.0 - SMOOTHING) + target * SMOOTHING;
            self.limit = moved.clamp(settings.min.into(), settings.max.max(settings.min).into());
            self.moved = now;
        } else if gradient >= 1.0 {
            self.recover(settings, now);
        }
        (self.opened, self.sum_seconds, self.samples, self.most_in_flight) = (now, 0.0, 0, 0);
        self.rounded()
    }

    /// Comes back to the first value, as far as the time since the last move reaches.
    fn recover(&mut self, settings: &ShedSettings, now: Instant) {
        let (initial, rested) = (f64::from(settings.initial), now.saturating_duration_since(self.moved));
        let part = rested.as_secs_f64() / RECOVERY.as_secs_f64();
        self.limit = self.limit.max((self.limit + initial * part).min(initial));
        self.moved = now;
    }

    fn rounded(&self) -> u32 {
        // Between `min` and `max`, which are of this type.
        self.limit.round() as u32
    }

    fn learn(&mut self, short: f64) {
        self.windows = self.windows.saturating_add(1);
        let part = if self.windows <= WARM_UP { 1.0 / f64::from(self.windows) } else { LONG_TERM };
        self.long_seconds += (short - self.long_seconds) * part;
        // After an overload the long-term average is too high, and would tolerate the next one.
        if self.long_seconds > 2.0 * short {
            self.long_seconds *= 0.95;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Plays one window of samples with so many calls in flight.
    fn play(limit: &Limit, in_flight: usize, millis: u64, now: &mut Instant) {
        play_for(limit, (false, None), in_flight, millis, now);
    }

    fn play_for(limit: &Limit, (bulk, whose): (bool, Holder), in_flight: usize, millis: u64, now: &mut Instant) {
        let places: Vec<_> = (0..in_flight).filter_map(|_| limit.enter(bulk, whose).ok()).collect();
        *now += WINDOW;
        for _ in 0..WINDOW_SAMPLES {
            limit.sample(Duration::from_millis(millis), *now);
        }
        drop(places);
    }

    #[tokio::test(start_paused = true)]
    async fn queueing_lowers_the_limit_to_its_floor_and_calm_raises_it_again() {
        let limit = Limit::new(ShedSettings::default());
        let mut now = Instant::now();
        for _ in 0..20 {
            play(&limit, 200, 2, &mut now);
        }
        assert!(limit.now() >= 256, "calm lowered it to {}", limit.now());
        for _ in 0..40 {
            play(&limit, 400, 200, &mut now);
        }
        let lowered = limit.now();
        assert!(lowered < 64, "queueing left it at {lowered}");
        for _ in 0..100 {
            play(&limit, 400, 2, &mut now);
        }
        assert!(limit.now() > 2 * lowered);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_moves_for_one_tenant_alone_too() {
        for bulk in [false, true] {
            let limit = Limit::new(ShedSettings::default());
            let mut now = Instant::now();
            for _ in 0..20 {
                play_for(&limit, (bulk, Some(1)), 400, 2, &mut now);
            }
            let grown = limit.now();
            assert!(grown > 256, "calm left it at {grown}");
            for _ in 0..40 {
                play_for(&limit, (bulk, Some(1)), 400, 200, &mut now);
            }
            assert!(limit.now() < 64, "queueing left it at {}", limit.now());
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_that_were_given_little_time_do_not_make_others_look_slow() {
        let limit = Limit::new(ShedSettings::default());
        let mut now = Instant::now();
        for _ in 0..20 {
            play(&limit, 200, 20, &mut now);
            for _ in 0..500 {
                limit.sample_cut(Duration::from_millis(1), now);
            }
        }
        assert!(limit.now() >= 256, "{}", limit.now());
        // Those that wait longer than usual are evidence.
        for _ in 0..40 {
            let _places: Vec<_> = (0..200).filter_map(|_| limit.enter(false, None).ok()).collect();
            now += WINDOW;
            for _ in 0..WINDOW_SAMPLES {
                limit.sample_cut(Duration::from_millis(500), now);
            }
        }
        assert!(limit.now() < 256, "{}", limit.now());
    }

    /// One that hanging calls have lowered.
    fn lowered(now: &mut Instant) -> Limit {
        let limit = Limit::new(ShedSettings::default());
        for millis in [2].into_iter().cycle().take(20).chain([200].into_iter().cycle().take(60)) {
            play(&limit, 400, millis, now);
        }
        assert!(limit.now() < 64, "{}", limit.now());
        limit
    }

    #[tokio::test(start_paused = true)]
    async fn a_lowered_limit_recovers_under_little_traffic_but_not_while_that_is_slow() {
        let mut now = Instant::now();
        let limit = lowered(&mut now);
        let low = limit.now();
        for _ in 0..10 {
            play(&limit, 2, 2_000, &mut now);
        }
        assert_eq!(limit.now(), low);
        let mut before = low;
        for seconds in 1..=4 {
            for _ in 0..70 {
                play(&limit, 2, 2, &mut now);
            }
            assert!(limit.now() > before || limit.now() == 256, "{} after {seconds} times 7 s", limit.now());
            before = limit.now();
        }
        assert_eq!(limit.now(), 256);
    }

    #[tokio::test(start_paused = true)]
    async fn a_lowered_limit_has_recovered_for_whoever_comes_after_a_while_and_not_at_once() {
        let mut now = Instant::now();
        let limit = lowered(&mut now);
        tokio::time::advance(now - Instant::now()).await;
        let enter = || std::iter::from_fn(|| limit.enter(false, None).ok()).collect::<Vec<_>>();
        let at_once = enter();
        assert!(at_once.len() < 64, "{}", at_once.len());
        // While they are in flight nobody knows what it can bear.
        tokio::time::advance(RECOVERY).await;
        assert!(limit.enter(false, None).is_err());
        drop(at_once);
        assert_eq!(enter().len(), 256);
    }

    #[tokio::test(start_paused = true)]
    async fn slow_answers_to_few_calls_lower_nothing() {
        let limit = Limit::new(ShedSettings::default());
        let mut now = Instant::now();
        for millis in [2, 2, 2, 500, 500, 500, 500] {
            play(&limit, 10, millis, &mut now);
        }
        assert_eq!(limit.now(), 256);
    }

    #[test]
    fn bulk_is_refused_before_interactive() {
        let limit = Limit::new(ShedSettings { initial: 4, ..ShedSettings::default() });
        let _three: Vec<_> = (0..3).map(|_| limit.enter(true, None).unwrap()).collect();
        assert!(limit.enter(true, None).is_err());
        let fourth = limit.enter(false, None);
        assert!(fourth.is_ok());
        assert!(limit.enter(false, None).is_err());
        drop(fourth);
        assert!(limit.enter(false, None).is_ok());
        // Nor does a tenant of its own get it in.
        assert!(limit.enter(true, Some(1)).is_err());
    }

    #[test]
    fn however_many_calls_of_one_tenant_hang_others_are_let_in() {
        let limit = Limit::new(ShedSettings { initial: 100, ..ShedSettings::default() });
        let fill = |whose| std::iter::from_fn(|| limit.enter(false, Some(whose)).ok()).collect::<Vec<_>>();
        let hanging = fill(1);
        assert_eq!((hanging.len(), limit.enter(false, Some(1)).unwrap_err()), (50, Refused::Share));
        assert_eq!(fill(2).len(), 25);
        // As they end late, the limit falls below what is still in flight.
        limit.limit.store(10, Relaxed);
        assert!(limit.enter(false, None).is_err());
        assert_eq!(fill(2).len(), 5);
    }

    #[test]
    fn everybody_is_let_in_while_the_switch_is_off() {
        let settings = ShedSettings { initial: 1, ..ShedSettings::default() };
        let switch = settings.enabled.clone();
        let limit = Limit::new(settings);
        let _first = limit.enter(false, None);
        assert!(limit.enter(false, None).is_err());
        switch.set(false);
        assert!(limit.enter(false, Some(1)).is_ok());
    }
}
