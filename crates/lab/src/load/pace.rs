//! When each call is due: steps, ramps, bursts, and the gaps between arrivals.

use std::time::{Duration, Instant};

use rand::{Rng, RngExt};
use rand_distr::{Distribution, Exp1};
use tokio::sync::mpsc;

use super::scenario::{Arrivals, Burst, Scenario, Step};

/// How long a stretch without any rate is passed over at a time.
const IDLE: Duration = Duration::from_millis(10);

/// The moments, from the start, at which calls are due.
pub(crate) struct Pace<R> {
    stretches: Vec<Step>,
    burst: Option<Burst>,
    arrivals: Arrivals,
    repeat: bool,
    at: Duration,
    rng: R,
}

impl<R: Rng> Pace<R> {
    /// `repeat` starts over when the stretches are through.
    pub(crate) fn new(scenario: &Scenario, repeat: bool, rng: R) -> Self {
        let (stretches, burst) = (scenario.stretches(), scenario.burst.clone());
        Self { stretches, burst, arrivals: scenario.arrivals, repeat, at: Duration::ZERO, rng }
    }

    /// Length of all stretches together.
    fn length(&self) -> Duration {
        self.stretches.iter().map(|step| step.length).sum()
    }

    /// Calls a second at a moment; `None` after the end.
    fn rate(&self, at: Duration) -> Option<f64> {
        let length = self.length();
        let mut into = if self.repeat { modulo(at, length) } else { at };
        for step in &self.stretches {
            if into < step.length {
                let share = into.as_secs_f64() / step.length.as_secs_f64();
                let rate = step.rate + (step.to.unwrap_or(step.rate) - step.rate) * share;
                return Some(rate * self.burst_factor(at));
            }
            into -= step.length;
        }
        None
    }

    fn burst_factor(&self, at: Duration) -> f64 {
        match &self.burst {
            Some(burst) if modulo(at, burst.every) < burst.length => burst.times,
            _ => 1.0,
        }
    }

    fn gap(&mut self) -> f64 {
        match self.arrivals {
            Arrivals::Even => 1.0,
            Arrivals::Poisson => Exp1.sample(&mut self.rng),
        }
    }
}

impl<R: Rng> Iterator for Pace<R> {
    type Item = Duration;

    fn next(&mut self) -> Option<Duration> {
        let mut due = self.gap();
        // A gap is used up at the rate of the moment, so that a long one does not jump over a step or a burst.
        loop {
            let rate = self.rate(self.at)?;
            let slice = IDLE.as_secs_f64();
            if rate * slice >= due {
                self.at += Duration::from_secs_f64(due / rate);
                return self.rate(self.at).map(|_| self.at);
            }
            due -= rate * slice;
            self.at += IDLE;
        }
    }
}

fn modulo(at: Duration, period: Duration) -> Duration {
    let nanos = at.as_nanos() % period.as_nanos().max(1);
    Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
}

/// Keeps the pace on a thread of its own, as the runtime's timer knows whole milliseconds only.
/// The thread ends when the scenario or its listener does.
pub(crate) fn keep(pace: Pace<impl Rng + Send + 'static>) -> std::io::Result<mpsc::UnboundedReceiver<Instant>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    std::thread::Builder::new().name("pace".into()).spawn(move || {
        let start = Instant::now();
        for due in pace.map(|at| start + at) {
            std::thread::sleep(due.saturating_duration_since(Instant::now()));
            if sender.send(due).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

/// A random number in [0, 1).
pub(super) fn unit(rng: &mut impl Rng) -> f64 {
    rng.random::<f64>()
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn moments(toml: &str) -> Vec<f64> {
        let text = format!("name = 't'\n{toml}\n[[calls]]\nname = 'c'\nrpc = 'a.B/C'");
        let scenario = Scenario::parse(&text).unwrap();
        Pace::new(&scenario, false, StdRng::seed_from_u64(7)).map(|at| at.as_secs_f64()).collect()
    }

    fn count(moments: &[f64], from: f64, to: f64) -> usize {
        moments.iter().filter(|at| (from..to).contains(*at)).count()
    }

    #[test]
    fn even_arrivals_have_equal_gaps() {
        let moments = moments("rate = 4\nduration = '2s'\narrivals = 'even'");
        assert_eq!(moments.len(), 7, "{moments:?}");
        assert!(moments.windows(2).all(|pair| (pair[1] - pair[0] - 0.25).abs() < 1e-9));
    }

    #[test]
    fn poisson_arrivals_keep_the_rate_on_average() {
        let moments = moments("rate = 1000\nduration = '10s'");
        assert!((9_700..10_300).contains(&moments.len()), "{}", moments.len());
    }

    #[test]
    fn steps_ramps_and_bursts_shape_the_rate() {
        let stepped = moments(
            "arrivals = 'even'\n[[steps]]\nrate = 100\nfor = '1s'\n[[steps]]\nrate = 0\nfor = '1s'\n[[steps]]\nrate = 0\nto = 200\nfor = '1s'",
        );
        assert!((99..=100).contains(&count(&stepped, 0.0, 1.0)));
        assert_eq!(count(&stepped, 1.001, 2.0), 0);
        assert!((97..=101).contains(&count(&stepped, 2.0, 3.0)), "{}", count(&stepped, 2.0, 3.0));
        let burst = moments(
            "rate = 100\nduration = '2s'\narrivals = 'even'\nburst = { every = '1s', for = '100ms', times = 10 }",
        );
        assert!((98..=102).contains(&count(&burst, 0.0, 0.1)), "{}", count(&burst, 0.0, 0.1));
        assert!((88..=92).contains(&count(&burst, 0.1, 1.0)));
    }
}
