//! Sets of keys, fetched before the load begins, and which of them is asked for next.

use rand::Rng;
use rand_distr::{Distribution, Zipf};

use super::pace::unit;
use super::scenario::Popularity;

/// Keys and the law by which they are drawn.
pub(crate) struct Keys {
    keys: Vec<String>,
    zipf: Option<Zipf<f64>>,
}

impl Keys {
    /// `None` if there are no keys to draw from.
    pub(super) fn new(keys: Vec<String>, popularity: Popularity) -> Option<Self> {
        if keys.is_empty() {
            return None;
        }
        let zipf = match popularity {
            Popularity::Uniform => None,
            Popularity::Zipf(exponent) => Zipf::new(as_f64(keys.len()), exponent).ok(),
        };
        Some(Self { keys, zipf })
    }

    /// The next key.
    pub(super) fn draw(&self, rng: &mut impl Rng) -> &str {
        let position = match &self.zipf {
            // Ranks begin at 1.
            Some(zipf) => zipf.sample(rng) - 1.0,
            None => unit(rng) * as_f64(self.keys.len()),
        };
        self.keys.get(floor(position)).map_or("", String::as_str)
    }
}

/// Exact for any number of keys that fits in memory.
#[allow(clippy::cast_precision_loss, reason = "below 2^52")]
fn as_f64(count: usize) -> f64 {
    count as f64
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positions are within 0 and the count")]
fn floor(position: f64) -> usize {
    position as usize
}

#[cfg(test)]
mod tests {
    use rand::SeedableRng;
    use rand::rngs::StdRng;

    use super::*;

    fn share_of_first(popularity: Popularity) -> f64 {
        let keys = Keys::new((0..100).map(|n| n.to_string()).collect(), popularity).unwrap();
        let mut rng = StdRng::seed_from_u64(3);
        let hits = (0..20_000).filter(|_| keys.draw(&mut rng) == "0").count();
        hits as f64 / 20_000.0
    }

    #[test]
    fn zipf_asks_for_the_first_key_far_more_often_than_uniform() {
        let uniform = share_of_first(Popularity::Uniform);
        assert!((0.007..0.013).contains(&uniform), "{uniform}");
        // The harmonic sum of 100 is 5.19.
        let zipf = share_of_first(Popularity::Zipf(1.0));
        assert!((0.18..0.205).contains(&zipf), "{zipf}");
    }

    #[test]
    fn no_keys_are_nothing_to_draw_from() {
        assert!(Keys::new(Vec::new(), Popularity::Uniform).is_none());
    }
}
