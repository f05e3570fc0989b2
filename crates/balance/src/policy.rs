//! The names of the balancing policies, as the control API and the configuration spell them.

use std::fmt;
use std::str::FromStr;

/// How the next endpoint is chosen among those that may take a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Policy {
    /// Any endpoint, with equal chance.
    Random,
    /// One after the other.
    RoundRobin,
    /// One after the other, in proportion to the weights and without bursts (nginx's smooth weighted round robin).
    WeightedRoundRobin,
    /// The less loaded of two at random (Mitzenmacher, "The Power of Two Choices", 2001).
    LeastRequest,
    /// The cheaper of two at random, where cost is peak latency × calls in flight (Finagle's peak EWMA).
    #[default]
    PeakEwma,
    /// The same endpoint for the same key (Maglev, NSDI 2016), with bounded load (Mirrokni et al., 2016).
    ConsistentHash,
}

impl Policy {
    /// Every policy, in the order in which a person is offered them.
    pub const ALL: [Self; 6] = [
        Self::Random,
        Self::RoundRobin,
        Self::WeightedRoundRobin,
        Self::LeastRequest,
        Self::PeakEwma,
        Self::ConsistentHash,
    ];

    /// The stable name: `peak_ewma`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::RoundRobin => "round_robin",
            Self::WeightedRoundRobin => "weighted_round_robin",
            Self::LeastRequest => "least_request",
            Self::PeakEwma => "peak_ewma",
            Self::ConsistentHash => "consistent_hash",
        }
    }
}

impl fmt::Display for Policy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl serde::Serialize for Policy {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

impl<'de> serde::Deserialize<'de> for Policy {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let name = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        name.parse().map_err(serde::de::Error::custom)
    }
}

/// The name is none of the six policies.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("policy must be one of random, round_robin, weighted_round_robin, least_request, peak_ewma, consistent_hash")]
pub struct UnknownPolicy;

impl FromStr for Policy {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL.into_iter().find(|policy| policy.name() == name).ok_or(UnknownPolicy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_reads_back_as_its_policy() {
        for policy in Policy::ALL {
            assert_eq!(policy.to_string().parse(), Ok(policy));
            let json = serde_json::to_value(policy).unwrap();
            assert_eq!(serde_json::from_value::<Policy>(json).unwrap(), policy);
        }
    }

    #[test]
    fn unknown_name_is_refused_with_the_list_of_known_ones() {
        let refused = "fastest".parse::<Policy>().unwrap_err();
        assert!(refused.to_string().contains("consistent_hash"));
    }
}
