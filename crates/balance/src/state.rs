//! The life of an endpoint. Each state holds what is known in it and nothing else; every transition takes the old state by
//! value, so that none is half left. The picture is in the crate's documentation.

use std::sync::Arc;

use tokio::time::Instant;

use crate::connection::Connection;
use crate::picker::Warming;
use crate::snapshot::Phase;

type Link = Arc<dyn Connection>;

/// Where an endpoint stands.
pub(crate) enum State {
    Connecting(Connecting),
    Ready(Ready),
    Unhealthy(Unhealthy),
    Ejected(Ejected),
    Probing(Probing),
    Draining(Draining),
}

/// No connection. `failed` is how often connecting failed since there was one.
pub(crate) struct Connecting {
    pub(crate) failed: u32,
    pub(crate) reason: Option<String>,
}

/// Takes calls.
pub(crate) struct Ready {
    pub(crate) link: Link,
    pub(crate) warming: Option<Warming>,
}

/// Connected, and says that it does not serve, or says nothing.
pub(crate) struct Unhealthy {
    pub(crate) link: Link,
    pub(crate) reason: &'static str,
}

/// Out until then.
pub(crate) struct Ejected {
    pub(crate) link: Link,
    pub(crate) until: Instant,
    pub(crate) reason: &'static str,
}

/// One call at a time may try it.
pub(crate) struct Probing {
    pub(crate) link: Link,
    pub(crate) since: Instant,
}

/// Finishes what it has.
pub(crate) struct Draining {
    pub(crate) link: Option<Link>,
}

impl State {
    /// How every endpoint begins.
    pub(crate) fn new() -> Self {
        Self::Connecting(Connecting { failed: 0, reason: None })
    }

    /// A connection is up and healthy. An endpoint that still has to prove itself waits for its time, then for its probe.
    pub(crate) fn admit(link: Link, sentence: Option<Instant>, warming: Option<Warming>, now: Instant) -> Self {
        match sentence {
            None => Self::Ready(Ready { link, warming }),
            Some(until) if until > now => Self::Ejected(Ejected { link, until, reason: "ejected earlier" }),
            Some(_) => Self::Probing(Probing { link, since: now }),
        }
    }

    /// Connecting failed once more.
    pub(crate) fn refused(self, reason: String) -> Self {
        match self {
            Self::Connecting(connecting) => {
                Self::Connecting(Connecting { failed: connecting.failed + 1, reason: Some(reason) })
            }
            other => other,
        }
    }

    /// The connection is gone.
    pub(crate) fn lost(self) -> Self {
        match self {
            Self::Draining(_) => Self::Draining(Draining { link: None }),
            _ => Self::Connecting(Connecting { failed: 0, reason: Some("connection lost".to_owned()) }),
        }
    }

    /// It was asked over this connection whether it serves, and does not.
    pub(crate) fn sickened(self, link: Link, reason: &'static str) -> Self {
        match self {
            Self::Draining(_) => self,
            _ => Self::Unhealthy(Unhealthy { link, reason }),
        }
    }

    /// It failed too many calls, or its probe.
    pub(crate) fn ejected(self, until: Instant, reason: &'static str) -> Self {
        match self {
            Self::Ready(Ready { link, .. }) | Self::Probing(Probing { link, .. }) => {
                Self::Ejected(Ejected { link, until, reason })
            }
            other => other,
        }
    }

    /// Its probe succeeded.
    pub(crate) fn proven(self, warming: Option<Warming>) -> Self {
        match self {
            Self::Probing(Probing { link, .. }) => Self::Ready(Ready { link, warming }),
            other => other,
        }
    }

    /// Time passed: an ejection may be over, or a slow start.
    pub(crate) fn aged(self, now: Instant) -> Self {
        match self {
            Self::Ejected(Ejected { link, until, .. }) if until <= now => Self::Probing(Probing { link, since: now }),
            Self::Ready(Ready { link, warming: Some(warming) }) if warming.from + warming.window <= now => {
                Self::Ready(Ready { link, warming: None })
            }
            other => other,
        }
    }

    /// It is no longer discovered.
    pub(crate) fn drained(self) -> Self {
        Self::Draining(Draining { link: self.link().cloned() })
    }

    /// A younger connection takes the place of the one it has.
    pub(crate) fn renewed(mut self, younger: Link) -> Self {
        match &mut self {
            Self::Ready(Ready { link, .. })
            | Self::Unhealthy(Unhealthy { link, .. })
            | Self::Ejected(Ejected { link, .. })
            | Self::Probing(Probing { link, .. }) => *link = younger,
            Self::Connecting(_) | Self::Draining(_) => {}
        }
        self
    }

    /// When [`aged`](Self::aged) will next change something.
    pub(crate) fn ages_at(&self) -> Option<Instant> {
        match self {
            Self::Ejected(ejected) => Some(ejected.until),
            Self::Ready(Ready { warming: Some(warming), .. }) => Some(warming.from + warming.window),
            _ => None,
        }
    }

    pub(crate) fn link(&self) -> Option<&Link> {
        match self {
            Self::Connecting(_) => None,
            Self::Ready(state) => Some(&state.link),
            Self::Unhealthy(state) => Some(&state.link),
            Self::Ejected(state) => Some(&state.link),
            Self::Probing(state) => Some(&state.link),
            Self::Draining(state) => state.link.as_ref(),
        }
    }

    pub(crate) const fn phase(&self) -> Phase {
        match self {
            Self::Connecting(_) => Phase::Connecting,
            Self::Ready(_) => Phase::Ready,
            Self::Unhealthy(_) => Phase::Unhealthy,
            Self::Ejected(_) => Phase::Ejected,
            Self::Probing(_) => Phase::Probing,
            Self::Draining(_) => Phase::Draining,
        }
    }

    /// Why it is not ready.
    pub(crate) fn reason(&self) -> Option<&str> {
        match self {
            Self::Connecting(state) => state.reason.as_deref(),
            Self::Unhealthy(state) => Some(state.reason),
            Self::Ejected(state) => Some(state.reason),
            Self::Probing(_) => Some("waits for its probe"),
            Self::Draining(_) => Some("no longer discovered"),
            Self::Ready(_) => None,
        }
    }
}
