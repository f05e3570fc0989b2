//! From values to places on the paper, and which values get a grid line.

/// Maps values to coordinates, evenly or by their logarithm.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scale {
    low: f64,
    high: f64,
    log: bool,
    from: f64,
    to: f64,
}

impl Scale {
    /// Values `low..=high` go to coordinates `from..=to`, evenly. Without an extent of its own it gets one of 1.
    pub(crate) fn linear((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let high = if high > low { high } else { low + 1.0 };
        Self { low, high, log: false, from, to }
    }

    /// The same by logarithm; what is below `low` goes to its place.
    pub(crate) fn logarithmic((low, high): (f64, f64), (from, to): (f64, f64)) -> Self {
        let low = if low > 0.0 { low } else { f64::MIN_POSITIVE };
        let high = if high > low { high } else { low * 10.0 };
        Self { low, high, log: true, from, to }
    }

    /// Where a value lies; never outside the paper.
    pub(crate) fn at(&self, value: f64) -> f64 {
        let value = value.clamp(self.low, self.high);
        let share = if self.log {
            (value / self.low).ln() / (self.high / self.low).ln()
        } else {
            (value - self.low) / (self.high - self.low)
        };
        self.from + share * (self.to - self.from)
    }

    /// Values for grid lines: about `wanted` round ones.
    pub(crate) fn ticks(&self, wanted: u32) -> Vec<f64> {
        if self.log { self.decades() } else { self.rounds(wanted) }
    }

    fn rounds(&self, wanted: u32) -> Vec<f64> {
        let step = round_up((self.high - self.low) / f64::from(wanted.max(1)));
        let first = (self.low / step).ceil();
        let ticks = (0..=wanted * 2 + 2).map(|n| (first + f64::from(n)) * step);
        ticks.take_while(|tick| *tick <= self.high + step * 1e-6).collect()
    }

    fn decades(&self) -> Vec<f64> {
        let few = self.high / self.low <= 200.0;
        let factors: &[f64] = if few { &[1.0, 2.0, 5.0] } else { &[1.0] };
        let first = self.low.log10().floor();
        let powers = (0..40).map(|n| 10_f64.powf(first + f64::from(n))).take_while(|power| *power <= self.high);
        let ticks = powers.flat_map(|power| factors.iter().map(move |factor| power * factor));
        ticks.filter(|tick| (self.low * 0.999..=self.high * 1.001).contains(tick)).collect()
    }
}

/// The next of 1, 2, 5, 10, 20, … (or their fractions) that is not smaller.
pub(crate) fn round_up(value: f64) -> f64 {
    if !(value.is_finite() && value > 0.0) {
        return 1.0;
    }
    let power = 10_f64.powf(value.log10().floor());
    let factors = [1.0, 2.0, 5.0, 10.0];
    factors.iter().map(|factor| factor * power).find(|round| *round >= value * 0.999_999).unwrap_or(power * 10.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_and_inside() {
        let ticks = |scale: Scale| scale.ticks(4);
        assert_eq!(ticks(Scale::linear((0.0, 100.0), (0.0, 1.0))), [0.0, 50.0, 100.0]);
        assert_eq!(ticks(Scale::linear((-60.0, 0.0), (0.0, 1.0))), [-60.0, -40.0, -20.0, 0.0]);
        assert_eq!(ticks(Scale::logarithmic((1.0, 10_000.0), (0.0, 1.0))), [1.0, 10.0, 100.0, 1000.0, 10_000.0]);
        assert_eq!(ticks(Scale::logarithmic((1.0, 20.0), (0.0, 1.0))), [1.0, 2.0, 5.0, 10.0, 20.0]);
    }

    #[test]
    fn hostile_extents_do_no_harm() {
        for (low, high) in [(0.0, 0.0), (5.0, 5.0), (0.0, f64::MIN_POSITIVE), (0.0, 1e300)] {
            for scale in [Scale::linear((low, high), (0.0, 9.0)), Scale::logarithmic((low, high), (0.0, 9.0))] {
                assert!((0.0..=9.0).contains(&scale.at(low)), "{scale:?}");
                assert!(scale.ticks(5).len() < 200, "{scale:?}");
            }
        }
    }

    #[test]
    fn values_outside_stay_on_the_paper() {
        let scale = Scale::logarithmic((1.0, 100.0), (0.0, 10.0));
        assert_eq!((scale.at(0.0), scale.at(10.0), scale.at(1e9)), (0.0, 5.0, 10.0));
    }
}
