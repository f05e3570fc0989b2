//! What records are found by beside their columns: tags, and attributes that a tenant defines
//! ([ADR 41](../../../docs/adr/0041-tags-by-facets-and-by-records.md)).
//!
//! A record shows its facets by itself, in columns that no index can answer under row-level security. Where few records have
//! what is sought, the table of facets tells which; where many have it, a walk along the list's order soon meets enough of
//! them, and each shows it by itself. Which of the two it is, is counted first.

use crm_database::TenantTransaction;
use crm_database::migrate::Copied;
use sqlx::postgres::PgArguments;
use sqlx::query::Query;
use sqlx::{AssertSqlSafe, Postgres, QueryBuilder, SqlSafeStr, SqlStr};
use uuid::Uuid;

use crate::attributes::{self, FILTER_NOT_READY, Known, Wanted};
use crate::kind::Kind;
use crate::select::Selection;
use crate::{Error, Resource};

/// The table, as each service has it whose records have facets.
pub(crate) const TABLE: Copied =
    Copied { what: "facets", sql: include_str!("../sql/facets.sql"), relations: &["facets"], functions: &[] };

/// Records with a facet that are read one by one and sorted. Of a million records, of which more have it, some 25,000 are
/// walked over for a page of fifty, which takes as long.
pub(crate) const FEW: i64 = 2_000;

/// The facets of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facets(Vec<(Uuid, String)>);

impl Facets {
    /// Tags, which have no value.
    pub fn tags(&mut self, ids: &[Uuid]) {
        self.0.extend(ids.iter().map(|id| (*id, String::new())));
    }

    /// A value of what is defined, in a form whose bytes are in the order of the values; up to 600 of them.
    pub fn value(&mut self, defined: Uuid, value: String) {
        self.0.push((defined, value));
    }

    fn of<R: Resource>(fields: &R::Fields) -> Self {
        let mut all = Self::default();
        R::facets(fields, &mut all);
        all.0.sort_unstable();
        all.0.dedup();
        all
    }

    fn bind(self, query: Query<'_, Postgres, PgArguments>) -> Query<'_, Postgres, PgArguments> {
        let (facets, values) = self.parts();
        query.bind(facets).bind(values)
    }

    fn parts(self) -> (Vec<Uuid>, Vec<String>) {
        self.0.into_iter().unzip()
    }
}

/// Facets that come and facets that go, each where the statement has a place for them: a creation takes none away.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    come: Option<Facets>,
    gone: Option<Facets>,
}

impl Changed {
    /// Between two states, or of a record that was not there before.
    pub(crate) fn between<R: Resource>(before: Option<&R::Fields>, after: &R::Fields) -> Self {
        if !R::KIND.facets {
            return Self::default();
        }
        let (mut come, mut gone) = (Facets::of::<R>(after), before.map(Facets::of::<R>));
        if let Some(gone) = &mut gone {
            // What is in both stays.
            gone.0.retain(|facet| come.0.iter().position(|other| other == facet).map(|at| come.0.remove(at)).is_none());
        }
        Self { come: Some(come), gone }
    }

    /// And those of attributes, by what the tenant has defined.
    pub(crate) fn and_attributes<R: Resource>(
        mut self,
        known: Option<&Known>,
        before: Option<&R::Fields>,
        after: &R::Fields,
    ) -> Self {
        if let (Some(known), Some(now)) = (known, R::attributes(after)) {
            let [come, gone] = attributes::facets(R::KIND.plural, known, before.and_then(R::attributes), now);
            self.come.get_or_insert_default().0.extend(come);
            if let Some(all) = &mut self.gone {
                all.0.extend(gone);
            }
        }
        self
    }

    /// Those of a record that is new, and their values.
    pub(crate) fn come(self) -> (Vec<Uuid>, Vec<String>) {
        self.come.unwrap_or_default().parts()
    }

    /// Of a change that changes none, for a statement that has places for both.
    #[cfg(feature = "testkit")]
    pub(crate) fn none() -> Self {
        Self { come: Some(Facets::default()), gone: Some(Facets::default()) }
    }

    /// Binds them, in the order of the statement's text: behind the terms, before the journal's.
    pub(crate) fn bind(self, query: Query<'_, Postgres, PgArguments>) -> Query<'_, Postgres, PgArguments> {
        [self.come, self.gone].into_iter().flatten().fold(query, |query, facets| facets.bind(query))
    }
}

/// Gives facets to the record `$2`, which is new.
pub(crate) fn insert(kind: &Kind, facets: &str, values: &str) -> String {
    format!(
        "insert into {}.facets (tenant_id, resource, facet, value, record_id) select $1, '{}', facet, value, $2 \
         from unnest({facets}::uuid[], {values}::text[]) as come (facet, value)",
        kind.schema(),
        kind.plural
    )
}

/// Gives facets to records that are `given` and that were `changed`.
pub(crate) fn insert_many(kind: &Kind) -> String {
    format!(
        "insert into {}.facets (tenant_id, resource, facet, value, record_id) select $1, '{}', come.facet, come.value, \
         given.id from changed join given using (id) \
         cross join lateral unnest(given.facets, given.facet_values) as come (facet, value)",
        kind.schema(),
        kind.plural
    )
}

/// Gives facets to the record `$2`, which may have some of them.
pub(crate) fn add(kind: &Kind, facets: &str, values: &str) -> String {
    insert(kind, facets, values) + " on conflict do nothing"
}

/// Takes facets from the record `$2`.
pub(crate) fn remove(kind: &Kind, facets: &str, values: &str) -> String {
    format!(
        "delete from {}.facets it using unnest({facets}::uuid[], {values}::text[]) as gone (facet, value) \
         where it.tenant_id = $1 and it.resource = '{}' and it.facet = gone.facet and it.value = gone.value \
         and it.record_id = $2",
        kind.schema(),
        kind.plural
    )
}

/// Takes all facets from the records `$2`. Nothing finds them by a record, so those of all records of the kind are read:
/// seldom enough.
pub(crate) fn erase(kind: &Kind) -> String {
    format!(
        "delete from {}.facets where tenant_id = $1 and resource = '{}' and record_id = any($2)",
        kind.schema(),
        kind.plural
    )
}

/// A facet that records must have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Sought {
    pub(crate) facet: Uuid,
    /// The least value and the greatest.
    pub(crate) values: (String, String),
    /// Whether all records have their facets by now.
    pub(crate) is_ready: bool,
    pub(crate) shown: Shown,
}

/// How a record shows by itself that it has what is sought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// This column, of ids, has the facet among them.
    Among(&'static str),
    /// An attribute has such a value.
    Attribute(Wanted),
}

impl Sought {
    /// A tag, of records that have the ids of theirs in a column.
    pub(crate) fn tag(id: Uuid, column: &'static str) -> Self {
        Self { facet: id, values: Default::default(), is_ready: true, shown: Shown::Among(column) }
    }

    /// Adds the condition: by the table of facets, or by what the record shows. The tenant is `$1`.
    pub(crate) fn push(&self, kind: &Kind, by_table: bool, query: &mut QueryBuilder<Postgres>) {
        if !by_table {
            match &self.shown {
                Shown::Among(column) => {
                    query.push(" and ").push_bind(self.facet).push(format_args!(" = any({column})"));
                }
                Shown::Attribute(wanted) => wanted.push(query),
            }
            return;
        }
        let (from, to) = self.values.clone();
        query.push(format_args!(
            " and id = any(array(select record_id from {}.facets where tenant_id = $1 and resource = '{}' and facet = ",
            kind.schema(),
            kind.plural
        ));
        query.push_bind(self.facet).push(" and value >= ").push_bind(from);
        query.push(" and value <= ").push_bind(to).push("))");
    }
}

/// Records with each facet that is sought, counted up to one more than few. How many facets there are is hidden from the
/// planner, which would plan anew for each number.
pub(crate) fn count(schema: &str) -> SqlStr {
    let text = format!(
        "select (select count(*) from (select from {schema}.facets where tenant_id = $1 and resource = $2 \
         and facet = wanted.facet and value >= wanted.low and value <= wanted.high limit {FEW} + 1) found) \
         from unnest((select $3::uuid[]), (select $4::text[]), (select $5::text[])) with ordinality \
         as wanted (facet, low, high, number) order by number"
    );
    AssertSqlSafe(text).into_sql_str()
}

/// Finds out whether few records have one of the facets that are sought: the table then tells which.
pub(crate) async fn narrow(
    transaction: &mut TenantTransaction,
    count: &SqlStr,
    tenant: Uuid,
    kind: &Kind,
    selection: &mut Selection,
) -> Result<(), Error> {
    if selection.facets.is_empty() {
        return Ok(());
    }
    // A list that lacks some looks like one that has all.
    if selection.facets.iter().any(|sought| !sought.is_ready) {
        return Err(Error::from(&FILTER_NOT_READY));
    }
    let (facets, values): (Vec<_>, Vec<_>) =
        selection.facets.iter().map(|sought| (sought.facet, sought.values.clone())).unzip();
    let (low, high): (Vec<_>, Vec<_>) = values.into_iter().unzip();
    let query = sqlx::query(count.clone()).bind(tenant).bind(kind.plural).bind(facets).bind(low).bind(high);
    let counts: Vec<(i64,)> = transaction.fetch_all("count_facets", query).await?;
    let fewest = counts.iter().enumerate().min_by_key(|(_, count)| **count);
    selection.by_facet = fewest.filter(|(_, (count,))| *count <= FEW).map(|(index, _)| index);
    Ok(())
}
