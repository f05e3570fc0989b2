//! What a reader asks for: of which resources, from where on.

use crm_values::Flaw;
use uuid::Uuid;

use super::Feed;
use crate::journal::Cursor;
use crate::{Call, Error, Violations};

/// The cursor of who wants nothing of what has been.
pub(crate) const NOW: &str = "now";

/// More than any service keeps.
const MOST: usize = 100;

/// Resources that a reader names; all if none.
#[derive(Debug, Clone)]
pub(super) struct Wanted(Vec<&'static str>);

impl Wanted {
    #[cfg(test)]
    pub(super) fn of(resources: &[&'static str]) -> Self {
        Self(resources.to_vec())
    }

    /// By what watches of these are counted.
    pub(super) fn label(&self) -> &'static str {
        match self.0[..] {
            [] => "all",
            [one] => one,
            _ => "several",
        }
    }

    pub(super) fn holds(&self, resource: &str) -> bool {
        self.0.is_empty() || self.0.contains(&resource)
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
        tenant: Uuid,
        resources: &[String],
        cursor: &str,
        found: &mut Violations,
    ) -> (Wanted, Start) {
        if resources.len() > MOST {
            found.add("resources", Flaw::new(Flaw::TOO_LONG, "must have at most 100 items"));
        }
        let named = resources.iter().take(MOST).enumerate();
        let wanted = named.map(|(place, name)| found.check(&path(place), self.named(name)));
        let wanted = Wanted(wanted.collect());
        let start = match cursor {
            NOW => Start::Now,
            text => found.check("cursor", Cursor::parse(&self.store.schema, tenant, text).map(Start::At)),
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
