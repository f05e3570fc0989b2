//! One key.

use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument;

use super::{Cache, Inner};
use crate::first_tier::Known;
use crate::flight::{Landing, Leader, Role};
use crate::lookup::{self, Answer};
use crate::metrics::{Found, Load};
use crate::record::Record;
use crate::{Entry, Switch};

impl<V: Entry> Cache<V> {
    /// The value, from the nearest tier that has it, else from `load`.
    ///
    /// # Errors
    /// Those of `load` alone: a tier that fails counts as one that has nothing.
    pub async fn get<E, F>(&self, key: &str, load: impl FnOnce() -> F) -> Result<Option<Arc<V>>, E>
    where
        F: Future<Output = Result<Option<V>, E>>,
    {
        let span = lookup::span();
        let (result, answer) = self.inner.get(key, load).instrument(span.clone()).await;
        lookup::describe(&span, self.inner.policy.name, answer);
        result.map(Known::into_option)
    }
}

impl<V: Entry> Inner<V> {
    async fn get<E, F>(&self, key: &str, load: impl FnOnce() -> F) -> (Result<Known<V>, E>, Answer)
    where
        F: Future<Output = Result<Option<V>, E>>,
    {
        if let Some((known, found)) = self.look_here(key) {
            return (Ok(known), Answer::L1(found));
        }
        let leader = match self.take_off(key).await {
            Ok(leader) => leader,
            Err(known) => return (Ok(known), Answer::Shared),
        };
        let (result, answer) = self.fetch(key, load).await;
        match (leader, &result) {
            (Some(leader), Ok(known)) => leader.land(known.clone()),
            (Some(leader), Err(_)) => leader.fail(),
            (None, _) => {}
        }
        (result, answer)
    }

    /// The right to load, with or without followers; or what another's load has brought.
    async fn take_off(&self, key: &str) -> Result<Option<Leader<V>>, Known<V>> {
        let mut failed_before = false;
        while self.is_on(Switch::SingleFlight) {
            let follower = match self.flights.join(key) {
                Role::Leader(leader) => return Ok(Some(leader)),
                Role::Follower(follower) => follower,
            };
            match follower.wait().await {
                Landing::Known(known) => {
                    self.instruments.count_loads(Load::Shared, 1);
                    return Err(known);
                }
                Landing::Failed if failed_before => return Ok(None),
                Landing::Failed => failed_before = true,
                Landing::Deserted => {}
            }
        }
        Ok(None)
    }

    /// From the second tier, else by a load; the tiers that had nothing are filled.
    async fn fetch<E, F>(&self, key: &str, load: impl FnOnce() -> F) -> (Result<Known<V>, E>, Answer)
    where
        F: Future<Output = Result<Option<V>, E>>,
    {
        let ticket = self.tier.ticket(key);
        if let Some((known, found)) = self.look_in_redis(key).await {
            self.keep_here(key, &known, ticket);
            return (Ok(known), Answer::L2(found));
        }
        let started = Instant::now();
        let loaded = load().await;
        self.instruments.record_load(started.elapsed());
        match loaded {
            Ok(value) => {
                let value = value.map(Arc::new);
                self.instruments.count_loads(if value.is_some() { Load::Found } else { Load::Absent }, 1);
                let known = Known::of(value.as_ref());
                self.keep_here(key, &known, ticket);
                self.keep_in_redis(vec![(key.to_owned(), known.clone(), ticket)], started);
                (Ok(known), Answer::Loaded)
            }
            Err(error) => {
                self.instruments.count_loads(Load::Error, 1);
                (Err(error), Answer::Failed)
            }
        }
    }

    pub(super) fn look_here(&self, key: &str) -> Option<(Known<V>, Found)> {
        if !self.is_on(Switch::L1) {
            return None;
        }
        let known = self.tier.get(key).and_then(|known| self.heeded(known));
        self.instruments.count_l1(known.as_ref().map_or(Found::Miss, |(_, found)| *found));
        known
    }

    async fn look_in_redis(&self, key: &str) -> Option<(Known<V>, Found)> {
        let link = self.redis.link().filter(|_| self.is_on(Switch::L2))?;
        let bytes = link.get(self.policy.name, key).await?;
        let known = self.decode(bytes.as_deref());
        self.instruments.count_l2(known.as_ref().map_or(Found::Miss, |(_, found)| *found));
        known
    }

    pub(super) fn decode(&self, bytes: Option<&[u8]>) -> Option<(Known<V>, Found)> {
        match Record::<V>::decode(bytes?) {
            Record::Value(value) => self.heeded(Known::Value(Arc::new(value))),
            Record::Absent => self.heeded(Known::Absent),
            Record::Nothing => None,
        }
    }

    /// Absence counts only while the switch says so.
    fn heeded(&self, known: Known<V>) -> Option<(Known<V>, Found)> {
        match known {
            Known::Value(_) => Some((known, Found::Hit)),
            Known::Absent if self.is_on(Switch::Negative) => Some((known, Found::Negative)),
            Known::Absent => None,
        }
    }
}
