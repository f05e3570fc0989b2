//! Several keys.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::Instant;

use tracing::Instrument;

use super::{Cache, Inner};
use crate::first_tier::{Known, Ticket};
use crate::lookup::{self, Answer};
use crate::metrics::{Found, Load};
use crate::{Entry, Switch};

/// What is known so far, and what is still to be found.
struct Search<V> {
    known: HashMap<String, Known<V>>,
    missing: Vec<(String, Ticket)>,
    answer: Answer,
}

impl<V: Entry> Cache<V> {
    /// The values of several keys, in their order, with at most one round trip to Redis and one load.
    ///
    /// `load` gets the keys that no tier has, each once, and answers those that exist. Loads of batches are not shared.
    ///
    /// # Errors
    /// Those of `load` alone.
    pub async fn get_many<E, F>(
        &self,
        keys: &[String],
        load: impl FnOnce(Vec<String>) -> F,
    ) -> Result<Vec<Option<Arc<V>>>, E>
    where
        F: Future<Output = Result<HashMap<String, V>, E>>,
    {
        let span = lookup::span_of_many();
        let mut search = self.inner.search_here(keys);
        let result = self.inner.find_missing(&mut search, load).instrument(span.clone()).await;
        lookup::describe_many(&span, self.inner.policy.name, keys.len(), search.answer);
        result?;
        let value = |key: &String| search.known.get(key).cloned().and_then(Known::into_option);
        Ok(keys.iter().map(value).collect())
    }
}

impl<V: Entry> Inner<V> {
    fn search_here(&self, keys: &[String]) -> Search<V> {
        let mut search =
            Search { known: HashMap::with_capacity(keys.len()), missing: Vec::new(), answer: Answer::L1(Found::Hit) };
        let mut seen = HashSet::with_capacity(keys.len());
        for key in keys.iter().filter(|key| seen.insert(key.as_str())) {
            match self.look_here(key) {
                Some((known, _)) => drop(search.known.insert(key.clone(), known)),
                None => search.missing.push((key.clone(), self.tier.ticket(key))),
            }
        }
        search
    }

    async fn find_missing<E, F>(&self, search: &mut Search<V>, load: impl FnOnce(Vec<String>) -> F) -> Result<(), E>
    where
        F: Future<Output = Result<HashMap<String, V>, E>>,
    {
        if !search.missing.is_empty() {
            search.answer = Answer::L2(Found::Hit);
            self.search_in_redis(search).await;
        }
        if search.missing.is_empty() {
            return Ok(());
        }
        search.answer = Answer::Failed;
        self.load_missing(search, load).await?;
        search.answer = Answer::Loaded;
        Ok(())
    }

    async fn search_in_redis(&self, search: &mut Search<V>) {
        let Some(link) = self.redis.link().filter(|_| self.is_on(Switch::L2)) else { return };
        let keys: Vec<&str> = search.missing.iter().map(|(key, _)| key.as_str()).collect();
        let Some(records) = link.get_many(self.policy.name, &keys).await else { return };
        let missing = std::mem::take(&mut search.missing);
        // An answer that is too short leaves the rest missing.
        let records = records.into_iter().chain(std::iter::repeat(None));
        for ((key, ticket), record) in missing.into_iter().zip(records) {
            let known = self.decode(record.as_deref());
            self.instruments.count_l2(known.as_ref().map_or(Found::Miss, |(_, found)| *found));
            match known {
                Some((known, _)) => {
                    self.keep_here(&key, &known, ticket);
                    search.known.insert(key, known);
                }
                None => search.missing.push((key, ticket)),
            }
        }
    }

    async fn load_missing<E, F>(&self, search: &mut Search<V>, load: impl FnOnce(Vec<String>) -> F) -> Result<(), E>
    where
        F: Future<Output = Result<HashMap<String, V>, E>>,
    {
        let started = Instant::now();
        let keys: Vec<String> = search.missing.iter().map(|(key, _)| key.clone()).collect();
        let loaded = load(keys).await;
        self.instruments.record_load(started.elapsed());
        let mut loaded = loaded.inspect_err(|_| self.instruments.count_loads(Load::Error, search.missing.len()))?;
        let mut fills = Vec::with_capacity(search.missing.len());
        for (key, ticket) in search.missing.drain(..) {
            let value = loaded.remove(&key).map(Arc::new);
            self.instruments.count_loads(if value.is_some() { Load::Found } else { Load::Absent }, 1);
            let known = Known::of(value.as_ref());
            self.keep_here(&key, &known, ticket);
            fills.push((key.clone(), known.clone(), ticket));
            search.known.insert(key, known);
        }
        self.keep_in_redis(fills, started);
        Ok(())
    }
}
