//! What a reader asks for: of which resources, from where on.

use crm_proto::journal::Change;
use crm_values::Flaw;

use super::Feed;
use crate::journal::Cursor;
use crate::{Call, Error, Violations};

/// The cursor of who wants nothing of what has been.
pub(crate) const NOW: &str = "now";

/// More than any service keeps.
const MOST: usize = 100;

/// What a reader is told of.
#[derive(Debug, Clone)]
pub(super) struct Wanted {
    /// Resources that they name; all if none.
    resources: Vec<&'static str>,
    /// Who they are: of what is one caller's alone, others hear nothing.
    reader: String,
}

impl Wanted {
    #[cfg(test)]
    pub(super) fn of(resources: &[&'static str]) -> Self {
        Self { resources: resources.to_vec(), reader: "ada".to_owned() }
    }

    /// By what watches of these are counted.
    pub(super) fn label(&self) -> &'static str {
        match self.resources[..] {
            [] => "all",
            [one] => one,
            _ => "several",
        }
    }

    pub(super) fn holds(&self, change: &Change) -> bool {
        let is_named = self.resources.is_empty() || self.resources.contains(&change.resource.as_str());
        is_named && (change.reader.is_empty() || change.reader == self.reader)
    }
}

/// Where a reader begins.
#[derive(Debug, Clone, Default)]
pub(super) enum Start {
    /// With what comes next.
    #[default]
    Now,
    At(Cursor),
}

impl Feed {
    /// Both, of a request.
    pub(super) fn asked(
        &self,
        call: &Call,
        resources: &[String],
        cursor: &str,
        found: &mut Violations,
    ) -> (Wanted, Start) {
        if resources.len() > MOST {
            found.add("resources", Flaw::new(Flaw::TOO_LONG, "must have at most 100 items"));
        }
        let named = resources.iter().take(MOST).enumerate();
        let wanted = named.map(|(place, name)| found.check(&path(place), self.named(name)));
        let wanted = Wanted { resources: wanted.collect(), reader: call.caller.subject.clone() };
        let start = match cursor {
            NOW => Start::Now,
            text => found.check("cursor", Cursor::parse(&self.store.schema, call.tenant, text).map(Start::At)),
        };
        (wanted, start)
    }

    fn named(&self, name: &str) -> Result<&'static str, Flaw> {
        let known: Vec<_> = self.service.resources().iter().map(|resource| resource.kind.plural).collect();
        let named = known.iter().copied().find(|known| *known == name);
        named.ok_or_else(|| Flaw::new(Flaw::MALFORMED, format!("must be one of {}", known.join(", "))))
    }

    /// The cursor that a reader begins with.
    pub(super) async fn begin(&self, call: &Call, start: Start) -> Result<Cursor, Error> {
        match start {
            Start::At(cursor) => Ok(cursor),
            Start::Now => self.store.present(call).await,
        }
    }
}

fn path(place: usize) -> String {
    format!("resources[{place}]")
}
