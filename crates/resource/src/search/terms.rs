//! The terms that a change of a record takes from it and gives to it.

use crm_values::Terms;
use sqlx::Postgres;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;

use crate::Resource;

/// The terms of a record that is not deleted, as they are stored; none, if records of its kind are not searched.
pub(crate) fn terms_of<R: Resource>(fields: &R::Fields) -> Vec<String> {
    if R::KIND.terms.is_empty() {
        return Vec::new();
    }
    let mut terms = Terms::default();
    R::searched(fields, &mut terms);
    terms.stored(R::KIND.terms)
}

/// Terms that come and terms that go, each where the statement has a place for them: a creation takes none away, and what is
/// not searched has none.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    come: Option<Vec<String>>,
    gone: Option<Vec<String>>,
}

impl Changed {
    /// Between two states, or of a record that was not there before.
    pub(crate) fn between<R: Resource>(before: Option<&R::Fields>, after: &R::Fields) -> Self {
        if R::KIND.terms.is_empty() {
            return Self::default();
        }
        let (mut come, mut gone) = (terms_of::<R>(after), before.map(terms_of::<R>));
        if let Some(gone) = &mut gone {
            // What is in both stays.
            gone.retain(|term| come.iter().position(|other| other == term).map(|at| come.remove(at)).is_none());
        }
        Self { come: Some(come), gone }
    }

    /// Binds them, in the order of the statement's text: behind the fields, before the journal's.
    pub(crate) fn bind(self, query: Query<'_, Postgres, PgArguments>) -> Query<'_, Postgres, PgArguments> {
        [self.come, self.gone].into_iter().flatten().fold(query, Query::bind)
    }
}
