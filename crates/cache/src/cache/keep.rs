//! What a lookup leaves behind.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Inner;
use crate::first_tier::{Known, Ticket};
use crate::redis::Fill;
use crate::{Entry, Switch, record};

/// Life in the first tier while the writes of other replicas are not heard of.
const DEAF_LIFE: Duration = Duration::from_secs(1);
/// A load that took longer is not kept in the second tier: the tombstone that would refuse it may be gone by then.
const LONGEST_LOAD: Duration = Duration::from_secs(30);

impl<V: Entry> Inner<V> {
    pub(super) fn keep_here(&self, key: &str, known: &Known<V>, ticket: Ticket) {
        if !self.is_on(Switch::L1) || !self.is_worth_keeping(known) {
            return;
        }
        let mut life = match known {
            Known::Value(_) => self.policy.l1_ttl,
            Known::Absent => self.policy.negative_ttl.min(self.policy.l1_ttl),
        };
        if !self.redis.hears_others() {
            life = life.min(DEAF_LIFE);
        }
        self.tier.fill(key, known.clone(), self.policy.jittered(life), ticket);
    }

    /// In the background: the caller has its value already.
    pub(super) fn keep_in_redis(&self, all: Vec<(String, Known<V>, Ticket)>, load_began: Instant) {
        let Some(link) = self.redis.link().filter(|_| self.is_on(Switch::L2)) else { return };
        let Ok(permit) = Arc::clone(&self.fills).try_acquire_owned() else { return };
        let fills: Vec<Fill> = all
            .into_iter()
            .filter(|(_, known, ticket)| self.is_worth_keeping(known) && self.tier.is_valid(*ticket))
            .map(|(key, known, _)| self.fill(key, &known))
            .collect();
        if fills.is_empty() || load_began.elapsed() > LONGEST_LOAD {
            return;
        }
        let (link, cache, instruments) = (Arc::clone(link), self.policy.name, Arc::clone(&self.instruments));
        tokio::spawn(async move {
            let refused = link.fill(cache, &fills).await;
            if refused > 0 {
                instruments.count_refused_l2(refused);
            }
            drop(permit);
        });
    }

    fn fill(&self, key: String, known: &Known<V>) -> Fill {
        let (record, life) = match known {
            Known::Value(value) => (record::of(Some(value.as_ref())), self.policy.ttl),
            Known::Absent => (record::of::<V>(None), self.policy.negative_ttl),
        };
        Fill { key, record, life: self.policy.jittered(life) }
    }

    fn is_worth_keeping(&self, known: &Known<V>) -> bool {
        matches!(known, Known::Value(_)) || self.is_on(Switch::Negative)
    }
}
