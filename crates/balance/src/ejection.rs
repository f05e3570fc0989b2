//! When an endpoint is taken out for failing, for how long, and what it takes to return.
//!
//! After Envoy's outlier detection, with two differences: each endpoint is judged alone, and it returns through one probe
//! instead of all at once.

use std::time::Duration;

use tokio::time::Instant;

use crate::dice::Dice;
use crate::replica::{Outcome, Recent};
use crate::settings::EjectionSettings;

/// Why an endpoint is ejected; also the metric's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    ConsecutiveFailures,
    SuccessRate,
    ProbeFailed,
}

impl Verdict {
    pub(crate) const fn reason(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive failures",
            Self::SuccessRate => "success rate",
            Self::ProbeFailed => "probe failed",
        }
    }

    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::ConsecutiveFailures => "consecutive_failures",
            Self::SuccessRate => "success_rate",
            Self::ProbeFailed => "probe_failed",
        }
    }
}

/// Judges an endpoint after an attempt that made `consecutive` failures in a row.
pub(crate) fn judge(
    settings: &EjectionSettings,
    recent: &Recent,
    outcome: Outcome,
    consecutive: u32,
    now: Instant,
) -> Option<Verdict> {
    if !matches!(outcome, Outcome::Failed | Outcome::TimedOut) || !settings.enabled.is_on() {
        return None;
    }
    if consecutive >= settings.consecutive_failures {
        return Some(Verdict::ConsecutiveFailures);
    }
    let samples = recent.judged(settings.window, now);
    let judged = samples.served + samples.failed;
    let rate = f64::from(samples.served) / f64::from(judged.max(1));
    (judged >= settings.min_samples && rate < settings.success_rate).then_some(Verdict::SuccessRate)
}

/// What an endpoint's past failures mean for its return.
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    /// Doubles the time once for each.
    level: u32,
    /// Until when it is out; stays set until a probe succeeded.
    until: Option<Instant>,
    /// When it last returned.
    returned: Option<Instant>,
    /// By reason, for the metric.
    pub(crate) counts: [u64; 3],
}

impl Sentence {
    /// Passes the next, longer sentence.
    pub(crate) fn pass(&mut self, settings: &EjectionSettings, verdict: Verdict, dice: &Dice, now: Instant) -> Instant {
        self.forgive(settings, now);
        let longest = settings.max_time.as_secs_f64();
        let grown = settings.base_time.as_secs_f64() * f64::from(2_u32.saturating_pow(self.level.min(20)));
        let time = grown.min(longest) * (1.0 + settings.jitter * dice.unit());
        let until = now + Duration::from_secs_f64(time);
        self.level += 1;
        self.until = Some(until);
        self.counts[verdict as usize] += 1;
        until
    }

    /// One level less for each `max_time` in good standing.
    fn forgive(&mut self, settings: &EjectionSettings, now: Instant) {
        let Some(returned) = self.returned.take() else { return };
        let standing = now.saturating_duration_since(returned).as_secs_f64();
        // A quotient of times; too large a one saturates, which forgives everything.
        let levels = (standing / settings.max_time.as_secs_f64().max(0.001)) as u32;
        self.level = self.level.saturating_sub(levels);
    }

    /// The probe succeeded.
    pub(crate) fn lift(&mut self, now: Instant) {
        self.until = None;
        self.returned = Some(now);
    }

    /// Until when it is out, if it still has to prove itself.
    pub(crate) fn until(&self) -> Option<Instant> {
        self.until
    }

    pub(crate) fn ejections(&self) -> u64 {
        self.counts.iter().sum()
    }
}

/// Whether one more may be out, given how many are known, out, and ready (this one included).
pub(crate) fn may_eject(settings: &EjectionSettings, known: usize, out: usize, ready: usize) -> bool {
    // One of two, or of three at a third, may be out: a share above nothing allows one.
    let least = if settings.max_ejected > 0.0 { 1.0 } else { 0.0 };
    let most = (known as f64 * settings.max_ejected).floor().max(least);
    ready > 1 && (out + 1) as f64 <= most
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(sentence: &mut Sentence, settings: &EjectionSettings, now: Instant) -> f64 {
        let dice = Dice::new(Some(1));
        (sentence.pass(settings, Verdict::SuccessRate, &dice, now) - now).as_secs_f64()
    }

    #[tokio::test(start_paused = true)]
    async fn sentences_double_up_to_the_longest_with_jitter_and_are_forgiven_in_good_standing() {
        let settings = EjectionSettings::default();
        let (now, mut sentence) = (Instant::now(), Sentence::default());
        for expected in [2.0, 4.0, 8.0, 16.0, 30.0, 30.0] {
            let time = seconds(&mut sentence, &settings, now);
            assert!((expected..expected * 1.1).contains(&time), "{time} for {expected}");
        }
        sentence.lift(now);
        let later = now + settings.max_time * 10;
        assert!(seconds(&mut sentence, &settings, later) < 2.2);
    }

    #[test]
    fn last_healthy_one_and_more_than_half_are_never_out() {
        let settings = EjectionSettings::default();
        let cases = [
            ((1, 0, 1), false),
            ((2, 0, 2), true),
            ((2, 1, 1), false),
            ((3, 0, 3), true),
            ((3, 1, 2), false),
            ((4, 1, 3), true),
            ((4, 2, 2), false),
            ((4, 0, 1), false),
        ];
        for ((known, out, ready), expected) in cases {
            assert_eq!(may_eject(&settings, known, out, ready), expected, "{known} known, {out} out, {ready} ready");
        }
        let nobody = EjectionSettings { max_ejected: 0.0, ..settings };
        assert!(!may_eject(&nobody, 4, 0, 4));
    }

    #[tokio::test(start_paused = true)]
    async fn success_rate_needs_its_floor_of_samples() {
        let settings = EjectionSettings { consecutive_failures: 1_000, ..EjectionSettings::default() };
        let now = Instant::now();
        let recent = Recent::new(now);
        for sample in 1..settings.min_samples {
            let consecutive = recent.record(Outcome::Failed, now);
            assert_eq!(judge(&settings, &recent, Outcome::Failed, consecutive, now), None, "after {sample}");
        }
        let consecutive = recent.record(Outcome::Failed, now);
        assert_eq!(judge(&settings, &recent, Outcome::Failed, consecutive, now), Some(Verdict::SuccessRate));
    }
}
