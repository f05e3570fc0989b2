//! Search by the terms of records ([ADR 39](../../../docs/adr/0039-search-by-ranges-of-terms.md)).
//!
//! The statements know beginnings of terms and nothing else; which terms a record has, and how well it fits, is decided
//! by its fields, once it is read. A term that is left over from an earlier state finds a record that does not fit.

mod duplicates;
mod many;
mod searching;
mod terms;

use crm_database::migrate::Copied;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub use duplicates::{Compared, Draft, Probes, Reasons};
pub(crate) use many::Alike;
pub use searching::{Candidates, Searching, rank};
pub(crate) use terms::{Changed, terms_of};

/// The table, as each service that is searched has it.
pub const TABLE: Copied = Copied {
    what: "search terms",
    sql: include_str!("../../sql/search_terms.sql"),
    relations: &["search_terms"],
    functions: &[],
};

/// Where no more terms than these begin alike, they are all read: what is wrong behind there needs no guess.
pub(crate) const FEW: i64 = 100;

/// The texts of the statements about one service's terms.
///
/// Planned once: a plan for each time takes longer than the search. So limits stand in the texts, for where the planner does
/// not know them it takes a tenth of the table for what is wanted; and how many ranges there are is hidden from it.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    /// Records with a term in any of these ranges: so many of each as answers of the usual length need.
    pub(crate) first: SqlStr,
    /// The same, for the longest answers.
    pub(crate) more: SqlStr,
    /// All of ranges that have few.
    pub(crate) few: SqlStr,
    /// Some of each of many ranges: of a guess, another record tells nothing new.
    pub(crate) guesses: SqlStr,
    /// Terms in each of these ranges, counted up to one more than few.
    pub(crate) count: SqlStr,
    /// Records with terms around these, ten in either direction.
    pub(crate) around: SqlStr,
    /// The same for many at once: fewer of each, and only in the direction in which there may be any.
    pub(crate) around_many: SqlStr,
    /// Takes terms from a record.
    pub(crate) remove: SqlStr,
    /// Gives it terms.
    pub(crate) add: SqlStr,
}

impl Statements {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(schema: &str) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let terms = format!("{schema}.search_terms where tenant_id = $1 and term");
        let wanted = "from unnest((select $2::text[]), (select $3::text[])) with ordinality \
                      as wanted (low, high, number)";
        let find = |of_each: i64, most: &str| {
            sql(format!(
                "select wanted.number, found.term, found.record_id {wanted} cross join lateral (select term, record_id from {terms} \
                 >= wanted.low and term < wanted.high order by term, record_id limit {of_each}) found{most}"
            ))
        };
        Self {
            first: find(2 * FIRST, ""),
            more: find(2 * MORE, ""),
            few: find(FEW, " limit 300"),
            guesses: find(5, " limit 300"),
            count: sql(format!(
                "select wanted.number, (select count(*) from (select from {terms} >= wanted.low and term < wanted.high \
                 limit {FEW} + 1) found) {wanted}"
            )),
            around: sql(around(&terms, [10, 10], "")),
            around_many: sql(around(&terms, [6, 3], " and wanted.low < wanted.term")),
            remove: sql(remove(schema, "$3")),
            add: sql(add(schema, "$3")),
        }
    }

    /// By their names.
    #[cfg(feature = "testkit")]
    pub(crate) fn all(&self) -> [(&'static str, &SqlStr); 9] {
        [
            ("find_terms, of a short answer", &self.first),
            ("find_terms, of a long answer", &self.more),
            ("find_few_terms", &self.few),
            ("find_guessed_terms", &self.guesses),
            ("count_terms", &self.count),
            ("find_terms_around", &self.around),
            ("find_terms_around_many", &self.around_many),
            ("remove_terms", &self.remove),
            ("add_terms", &self.add),
        ]
    }
}

/// How many records a short answer has, and a long one. A record may fit by two of its terms, of which the second is of
/// no use: a person by either order of the names, or by several addresses.
pub(crate) const FIRST: i64 = 10;
const MORE: i64 = 50;

/// So many behind each and before it, of the latter those for which a condition holds.
fn around(terms: &str, [behind, before]: [u32; 2], condition: &str) -> String {
    format!(
        "select wanted.number, near.term, near.record_id from unnest((select $2::text[]), (select $3::text[]), (select $4::text[])) \
         with ordinality as wanted (low, term, high, number) cross join lateral ((select term, record_id from {terms} \
         >= wanted.term and term < wanted.high order by term, record_id limit {behind}) union all (select term, record_id \
         from {terms} >= wanted.low and term < wanted.term{condition} order by term desc, record_id desc limit {before})) near"
    )
}

/// Takes terms from the record `$2`.
pub(crate) fn remove(schema: &str, terms: &str) -> String {
    format!("delete from {schema}.search_terms where tenant_id = $1 and term = any({terms}::text[]) and record_id = $2")
}

/// Gives terms to the record `$2`, which is new.
pub(crate) fn insert(schema: &str, terms: &str) -> String {
    format!("insert into {schema}.search_terms (tenant_id, term, record_id) select $1, unnest({terms}::text[]), $2")
}

/// Gives terms to the record `$2`, which may have some of them.
pub(crate) fn add(schema: &str, terms: &str) -> String {
    insert(schema, terms) + " on conflict do nothing"
}
