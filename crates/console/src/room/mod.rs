//! The room: all that the page shows, kept up to date by the watchers and bounded whatever happens.

mod away;
mod begun;
mod calls;
mod happenings;
mod history;

use std::{collections::BTreeMap, sync::Arc};

use parking_lot::{RwLock, RwLockReadGuard};
use tokio::time::Instant;

pub(crate) use away::Watched;
pub(crate) use begun::Begun;
pub(crate) use calls::{Call, RecentCalls};
pub(crate) use happenings::{Happening, Happenings, Mood};
pub(crate) use history::{History, Sample};

use crate::{
    config::{Config, Link},
    control::{self, Document, Upstream},
    outbound::OutboundError,
    tour::Tour,
};

/// More upstreams than this are not watched; the page could not show them either.
const MAX_UPSTREAMS: usize = 16;
/// How long a person may take between typing a tour's command and saying so, in seconds.
const TYPED_WITHIN: f64 = 60.0;

/// Shared by watchers, which write, and pages, which read.
#[derive(Debug, Clone)]
pub(crate) struct Room {
    scene: Arc<RwLock<Scene>>,
    epoch: Instant,
}

/// What there is to see.
#[derive(Debug, Default)]
pub(crate) struct Scene {
    pub(crate) gateways: Vec<Watched>,
    pub(crate) viewer: Option<Watched>,
    pub(crate) upstreams: Vec<Upstream>,
    pub(crate) faults_allowed: bool,
    pub(crate) histories: BTreeMap<String, History>,
    pub(crate) happenings: Happenings,
    pub(crate) calls: RecentCalls,
    /// Seconds since the console's start, of the last sample.
    pub(crate) now: f64,
    /// Tours that were begun, by their names.
    pub(crate) tours: BTreeMap<String, Begun>,
    /// What each gateway answered last, in their order.
    documents: Vec<Option<Document>>,
}

impl Room {
    /// The room of whoever is watched.
    pub(crate) fn of(config: &Config) -> Self {
        let short = |link: &Link| link.short().to_owned();
        Self::new(config.controls.iter().map(short).collect(), config.viewer.as_ref().map(short))
    }

    /// An empty room with these gateways, and a trace viewer if there is one.
    pub(crate) fn new(gateways: Vec<String>, viewer: Option<String>) -> Self {
        let scene = Scene {
            documents: vec![None; gateways.len()],
            gateways: gateways.into_iter().map(Watched::new).collect(),
            viewer: viewer.map(Watched::new),
            ..Scene::default()
        };
        Self { scene: Arc::new(RwLock::new(scene)), epoch: Instant::now() }
    }

    pub(crate) fn look(&self) -> RwLockReadGuard<'_, Scene> {
        self.scene.read()
    }

    /// What the gateways answered, in their order. While none does, the last picture stays.
    pub(crate) fn sampled(&self, answers: Vec<Result<Document, OutboundError>>) {
        let now = self.epoch.elapsed().as_secs_f64();
        let mut scene = self.scene.write();
        scene.now = now;
        for (gateway, answer) in answers.into_iter().enumerate() {
            let last = scene.documents.get_mut(gateway);
            let known = answer.map(|document| last.map(|last| *last = Some(document)).unwrap_or_default());
            scene.gateway_answered(gateway, known, now);
        }
        if scene.is_live() {
            let (upstreams, faults_allowed) = scene.merged();
            scene.faults_allowed = faults_allowed;
            scene.take(upstreams, now);
        }
    }

    /// Whether the trace viewer answered, and what.
    pub(crate) fn viewer_answered(&self, answer: Result<RecentCalls, OutboundError>) {
        let now = self.epoch.elapsed().as_secs_f64();
        let mut scene = self.scene.write();
        let answer = answer.map(|calls| {
            scene.tours.values_mut().for_each(|tour| tour.look_among(&calls));
            scene.calls = calls;
        });
        if let Some(viewer) = &mut scene.viewer {
            viewer.answered(answer, now);
        }
    }

    /// What a tour expects is to be seen from now on, whatever there was before.
    pub(crate) fn tour_counts_from_now(&self, tour: &Tour) {
        self.tour_began(tour, 0.0);
    }

    /// The same, but somebody has typed a command already, and perhaps seen what it did. What was before the last tour's
    /// end is that one's.
    pub(crate) fn tour_was_typed(&self, tour: &Tour) {
        let now = self.epoch.elapsed().as_secs_f64();
        let last = self.look().tours.values().map(|tour| tour.since).fold(0.0, f64::max);
        self.tour_began(tour, TYPED_WITHIN.min(now - last));
    }

    fn tour_began(&self, tour: &Tour, seconds_ago: f64) {
        let mut scene = self.scene.write();
        let now = self.epoch.elapsed().as_secs_f64();
        let mut begun = Begun::new(tour, now, seconds_ago);
        begun.look_among(&scene.calls);
        scene.tours.insert(tour.name.clone(), begun);
    }

    /// What it showed counts no more.
    pub(crate) fn tour_is_over(&self, tour: &Tour) {
        let now = self.epoch.elapsed().as_secs_f64();
        if let Some(begun) = self.scene.write().tours.get_mut(&tour.name) {
            begun.end(now);
        }
    }

    pub(crate) fn happened(&self, happening: Happening) {
        self.scene.write().happenings.add(happening);
    }
}

impl Scene {
    /// Whether any gateway answers at this moment.
    pub(crate) fn is_live(&self) -> bool {
        self.gateways.iter().any(|gateway| gateway.is_here())
    }

    pub(crate) fn upstream(&self, name: &str) -> Option<&Upstream> {
        self.upstreams.iter().find(|upstream| upstream.name == name)
    }

    /// All that is known of the gateways, as one.
    fn merged(&self) -> (Vec<Upstream>, bool) {
        let known = self.gateways.iter().zip(&self.documents);
        let known = known.filter_map(|(gateway, document)| Some((gateway.is_here(), document.as_ref()?)));
        let (here, away): (Vec<_>, Vec<_>) = known.partition(|(is_here, _)| *is_here);
        let here = here.into_iter().map(|(_, document)| document.clone()).collect();
        control::merge(here, away.into_iter().map(|(_, document)| document))
    }

    fn gateway_answered(&mut self, at: usize, answer: Result<(), OutboundError>, now: f64) {
        let Some(gateway) = self.gateways.get_mut(at) else { return };
        if let Some(words) = gateway.answered(answer, now) {
            let mood = if gateway.is_here() { Mood::Good } else { Mood::Bad };
            self.happenings.add(Happening::now(mood, words));
        }
    }

    fn take(&mut self, upstreams: Vec<Upstream>, now: f64) {
        for upstream in upstreams.iter().take(MAX_UPSTREAMS) {
            self.tell_faults(upstream);
            let history = self.histories.entry(upstream.name.clone()).or_default();
            history.push(Sample::of(upstream, now));
        }
        self.histories.retain(|name, _| upstreams.iter().any(|upstream| upstream.name == *name));
        self.upstreams = upstreams;
        self.upstreams.truncate(MAX_UPSTREAMS);
    }

    /// Faults may come from anywhere, so they are noticed here rather than where this page asks for them.
    fn tell_faults(&mut self, upstream: &Upstream) {
        let Some(before) = self.upstreams.iter().find(|known| known.name == upstream.name) else { return };
        for replica in &upstream.replicas {
            let known = before.replicas.iter().find(|known| known.seen.address == replica.seen.address);
            let had = known.and_then(|known| known.fault.as_ref());
            let name = format!("{}/{}", upstream.name, replica.seen.ordinal);
            match (had, &replica.fault) {
                (Some(_), None) => self.happenings.add(Happening::now(Mood::Good, format!("{name} healed"))),
                (had, Some(fault)) if had != Some(fault) => {
                    self.happenings.add(Happening::now(Mood::Bad, format!("{name} {}", fault.words())));
                }
                _ => {}
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crm_balance::Phase;

    use super::*;
    use crate::control::document;

    #[test]
    fn a_gateway_that_misses_an_answer_makes_no_calls_by_that() {
        let room = Room::new(vec!["one".to_owned(), "other".to_owned()], None);
        let answer = || Ok(document("a:1", Phase::Ready, 10.0));
        let totals = || room.look().histories["customers"].latest().map(|sample| (sample.ok, sample.replicas[0].calls));
        for answers in
            [[answer(), answer()], [answer(), Err(OutboundError::Slow)], [Err(OutboundError::Slow), answer()]]
        {
            room.sampled(answers.into());
            assert_eq!(totals(), Some((18, 20)));
        }
        room.sampled(vec![answer(), answer()]);
        assert_eq!(totals(), Some((18, 20)), "nor when it is back");
    }
}
