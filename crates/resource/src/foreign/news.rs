//! What changes say of records that others name.

use crm_proto::journal::change::Kind;
use crm_proto::journal::{Change, FieldChange};
use prost_types::value::Kind as Value;
use sqlx::FromRow;
use uuid::Uuid;

use super::Standing;

/// What a change says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) id: Uuid,
    version: i64,
    name: Option<String>,
    deleted: Option<bool>,
    pub(super) turn: Option<Turn>,
}

/// Where what names the record goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Turn {
    /// It is none any more: to the one that stands for it.
    Into(Uuid),
    /// It is there again: back.
    Apart,
}

impl News {
    /// Nothing, if what names a record need not know.
    pub(super) fn of(change: &Change) -> Option<Self> {
        let (id, version) = (Uuid::parse_str(&change.id).ok()?, change.version);
        let name = change.fields.iter().find(|field| field.field == "name").and_then(text);
        let news = |deleted, turn| Some(Self { id, version, name: name.clone(), deleted, turn });
        match change.kind() {
            Kind::Updated if name.is_some() => news(None, None),
            Kind::Deleted => news(Some(true), None),
            Kind::Undeleted => news(Some(false), None),
            Kind::Merged => news(None, Some(Turn::Into(Uuid::parse_str(&change.merged_into).ok()?))),
            Kind::Unmerged => news(Some(false), Some(Turn::Apart)),
            Kind::Updated | Kind::Created | Kind::Erased | Kind::Unspecified => None,
        }
    }
}

fn text(field: &FieldChange) -> Option<String> {
    match field.to.as_ref()?.kind.as_ref()? {
        Value::StringValue(text) => Some(text.clone()),
        _ => None,
    }
}

/// What is known of a record.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub(super) struct Known {
    pub(super) id: Uuid,
    pub(super) version: i64,
    pub(super) name: Option<String>,
    pub(super) deleted: bool,
    pub(super) winner_id: Option<Uuid>,
}

impl Known {
    /// Nothing.
    pub(super) fn nothing(id: Uuid) -> Self {
        Self { id, version: 0, name: None, deleted: false, winner_id: None }
    }

    /// Takes what is as new as what is known, or newer.
    pub(super) fn hear(&mut self, news: &News) {
        if news.version < self.version {
            return;
        }
        self.version = news.version;
        self.name = news.name.clone().or(self.name.take());
        self.deleted = news.deleted.unwrap_or(self.deleted);
        match news.turn {
            Some(Turn::Into(winner)) => self.winner_id = Some(winner).filter(|winner| *winner != self.id),
            Some(Turn::Apart) => self.winner_id = None,
            None => {}
        }
    }
}

/// What the other service said when it was asked, as changes that say the same.
impl Standing {
    /// That it is called so.
    #[must_use]
    pub fn named(&self) -> Change {
        let value = prost_types::Value { kind: Some(Value::StringValue(self.name.clone())) };
        let name = FieldChange { field: "name".to_owned(), from: None, to: Some(value) };
        Change { fields: vec![name], version: self.version, ..change(self.id, Kind::Updated) }
    }

    /// That it is called so, is there, and nothing else stands for it.
    #[must_use]
    pub fn there(&self) -> Change {
        Change { kind: Kind::Unmerged.into(), ..self.named() }
    }

    /// That it is not there.
    #[must_use]
    pub fn gone(id: Uuid) -> Change {
        change(id, Kind::Deleted)
    }

    /// That another one stands for it.
    #[must_use]
    pub fn merged(id: Uuid, winner: Uuid) -> Change {
        Change { merged_into: winner.to_string(), ..change(id, Kind::Merged) }
    }
}

fn change(id: Uuid, kind: Kind) -> Change {
    Change { id: id.to_string(), kind: kind.into(), ..Change::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_older_than_what_is_known_is_not_heard() {
        let [id, winner, other] = [1, 2, 3].map(Uuid::from_u128);
        let mut known = Known::nothing(id);
        let mut hear = |change: Change| {
            known.hear(&News::of(&change).unwrap());
            (known.name.clone().unwrap_or_default(), known.deleted, known.winner_id)
        };
        let called = |name: &str, version| Standing { id, version, name: name.to_owned(), deleted: false };
        let at = |version, change: Change| Change { version, ..change };
        assert_eq!(hear(called("Acme", 7).named()), ("Acme".to_owned(), false, None));
        assert_eq!(hear(called("Old", 6).named()), ("Acme".to_owned(), false, None));
        assert_eq!(hear(at(8, Standing::gone(id))), ("Acme".to_owned(), true, None));
        assert_eq!(hear(at(9, Standing::merged(id, winner))), ("Acme".to_owned(), true, Some(winner)));
        assert_eq!(hear(at(10, Standing::merged(id, other))), ("Acme".to_owned(), true, Some(other)));
        assert_eq!(hear(called("New", 11).there()), ("New".to_owned(), false, None));
        assert_eq!(hear(at(10, Standing::merged(id, other))), ("New".to_owned(), false, None));
    }

    #[test]
    fn what_nobody_who_names_it_need_know_is_no_news() {
        let id = Uuid::from_u128(1);
        for kind in [Kind::Created, Kind::Updated, Kind::Erased, Kind::Unspecified] {
            assert_eq!(News::of(&change(id, kind)), None, "{kind:?}");
        }
        assert_eq!(News::of(&Change { merged_into: "x".to_owned(), ..change(id, Kind::Merged) }), None);
    }
}
