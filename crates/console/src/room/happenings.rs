//! What happened, newest first.

use std::collections::VecDeque;

use crm_balance::{Event, Phase};
use time::OffsetDateTime;

/// As many as a person scrolls through.
const KEPT: usize = 60;

/// How bad it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mood {
    Good,
    Plain,
    Warning,
    Bad,
}

/// One line of the feed.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Happening {
    pub(crate) at: OffsetDateTime,
    pub(crate) mood: Mood,
    pub(crate) text: String,
    /// From 1, so that a page knows what is new.
    pub(crate) number: u64,
}

impl Happening {
    pub(crate) fn now(mood: Mood, text: impl Into<String>) -> Self {
        Self { at: OffsetDateTime::now_utc(), mood, text: text.into(), number: 0 }
    }

    /// What the balancer of a gateway tells; `by` names the gateway where there are several.
    pub(crate) fn of(event: &Event, by: Option<&str>) -> Self {
        let (mood, mut text) = words(event);
        if let Some(gateway) = by {
            text.push_str(" (seen by ");
            text.push_str(gateway);
            text.push(')');
        }
        Self::now(mood, text)
    }
}

fn words(event: &Event) -> (Mood, String) {
    match event {
        Event::StateChanged { upstream, replica, from, to, reason, .. } => {
            moved(upstream, *replica, (*from, *to), reason)
        }
        Event::PolicyChanged { upstream, from, to } => {
            (Mood::Plain, format!("{upstream}: policy {to} instead of {from}"))
        }
        Event::PanicEntered { upstream, healthy, known } => (
            Mood::Bad,
            format!("{upstream}: panic, only {healthy} of {known} healthy; calls go to all that are connected"),
        ),
        Event::PanicLeft { upstream } => (Mood::Good, format!("{upstream}: panic is over")),
    }
}

fn moved(upstream: &str, replica: u32, (from, to): (Option<Phase>, Option<Phase>), reason: &str) -> (Mood, String) {
    let name = format!("{upstream}/{replica}");
    let (mood, what) = match to {
        Some(Phase::Ready) if from == Some(Phase::Connecting) => (Mood::Good, "is connected"),
        Some(Phase::Ready) => (Mood::Good, "is back"),
        Some(Phase::Ejected) => (Mood::Bad, "ejected"),
        Some(Phase::Probing) => (Mood::Warning, "on probation: the next call decides"),
        Some(Phase::Unhealthy) => (Mood::Bad, "unhealthy"),
        Some(Phase::Connecting) if from.is_none() => (Mood::Plain, "discovered"),
        Some(Phase::Connecting) => (Mood::Bad, "lost"),
        Some(Phase::Draining) => (Mood::Warning, "draining"),
        None => (Mood::Plain, "gone"),
    };
    let says_more = !what.ends_with(reason);
    (mood, if says_more { format!("{name} {what} – {reason}") } else { format!("{name} {what}") })
}

/// A bounded list, newest first.
#[derive(Debug, Default)]
pub(crate) struct Happenings {
    list: VecDeque<Happening>,
    told: u64,
}

impl Happenings {
    pub(crate) fn add(&mut self, happening: Happening) {
        self.told += 1;
        self.list.push_front(Happening { number: self.told, ..happening });
        self.list.truncate(KEPT);
    }

    pub(crate) fn newest_first(&self) -> impl Iterator<Item = &Happening> {
        self.list.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn feed_is_bounded_and_newest_first() {
        let mut feed = Happenings::default();
        for number in 0..200 {
            feed.add(Happening::now(Mood::Plain, number.to_string()));
        }
        assert_eq!(feed.newest_first().count(), KEPT);
        assert_eq!(feed.newest_first().next().map(|it| (it.text.as_str(), it.number)), Some(("199", 200)));
    }

    #[test]
    fn events_are_told_in_words() {
        let check = |from, to, mood, text: &str| {
            let (upstream, address, reason) = ("customers".to_owned(), "a:1".to_owned(), "why".to_owned());
            let event = Event::StateChanged { upstream, replica: 1, address, from, to, reason };
            let happening = Happening::of(&event, None);
            assert_eq!((happening.mood, happening.text.as_str()), (mood, text));
        };
        check(Some(Phase::Ready), Some(Phase::Ejected), Mood::Bad, "customers/1 ejected – why");
        check(Some(Phase::Probing), Some(Phase::Ready), Mood::Good, "customers/1 is back – why");
        let connected = Event::StateChanged {
            upstream: "customers".to_owned(),
            replica: 1,
            address: String::new(),
            from: Some(Phase::Connecting),
            to: Some(Phase::Ready),
            reason: "connected".to_owned(),
        };
        assert_eq!(Happening::of(&connected, None).text, "customers/1 is connected");
        check(None, Some(Phase::Connecting), Mood::Plain, "customers/1 discovered – why");
        check(Some(Phase::Draining), None, Mood::Plain, "customers/1 gone – why");
    }
}
