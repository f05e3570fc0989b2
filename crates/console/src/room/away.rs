//! Who is watched, and whether it answers.

use crate::outbound::OutboundError;

/// A gateway or the trace viewer.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Watched {
    pub(crate) name: String,
    asked: bool,
    /// It was here once: who has not come yet is not told of.
    is_missed: bool,
    pub(crate) away: Option<Away>,
}

/// Since when it does not answer, in seconds since the console's start, and what happens instead.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Away {
    pub(crate) since: f64,
    pub(crate) why: OutboundError,
}

impl Watched {
    pub(crate) fn new(name: String) -> Self {
        Self { name, asked: false, is_missed: false, away: None }
    }

    /// Whether its last answer was a good one.
    pub(crate) fn is_here(&self) -> bool {
        self.asked && self.away.is_none()
    }

    /// Notes an answer; returns what there is to tell if that changed something.
    pub(crate) fn answered(&mut self, answer: Result<(), OutboundError>, now: f64) -> Option<String> {
        let was_here = self.is_here();
        let was_missed = self.is_missed;
        self.is_missed |= was_here && answer.is_err();
        self.asked = true;
        match answer {
            Ok(()) => {
                self.away = None;
                self.is_missed = false;
                was_missed.then(|| format!("{} answers again", self.name))
            }
            Err(why) => {
                let since = self.away.as_ref().map_or(now, |away| away.since);
                let words = was_here.then(|| format!("{} {why}", self.name));
                self.away = Some(Away { since, why });
                words
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_changes_are_told() {
        let mut gateway = Watched::new("gateway".to_owned());
        let mut answer = |answer, now| gateway.answered(answer, now);
        assert_eq!(answer(Err(OutboundError::Unreachable), 0.0), None, "it has not started yet");
        assert_eq!(answer(Ok(()), 0.0), None);
        assert_eq!(answer(Err(OutboundError::Unreachable), 1.0).as_deref(), Some("gateway cannot be reached"));
        assert_eq!(answer(Err(OutboundError::Slow), 2.0), None);
        assert_eq!(answer(Ok(()), 3.0).as_deref(), Some("gateway answers again"));
    }
}
