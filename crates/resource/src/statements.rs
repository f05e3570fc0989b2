//! The texts of a resource's statements, built once.
//!
//! Every statement names the tenant, although row-level security adds the same condition: a mistake in one of the two
//! shows nothing, and the planner folds them into one index condition and one check per statement.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::journal;
use crate::kind::Kind;
use crate::merge;
use crate::row::Row;
use crate::{facets, search};

/// The time of a change to a locked row: read after its lock was taken, and never earlier than the change before it.
///
/// `now()` is when the transaction began. Of two that wait for each other's lock, the one that began first may well be
/// the one that writes last, and its change would seem to be the older one. Clocks are also set back.
pub(crate) const CHANGE_TIME: &str = "greatest(statement_timestamp(), update_time + interval '1 microsecond')";

/// What the writer of all fields does not know by itself.
const HEAD: &str = "id, version, create_time, update_time, delete_time";

/// A statement: the question that it answers, for spans and metrics, and its text.
#[derive(Debug, Clone)]
pub(crate) struct Statement {
    pub(crate) name: &'static str,
    pub(crate) sql: SqlStr,
}

/// The statements about single rows.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Rows with these ids, deleted ones included, in no order; with the record that stands for one that was merged.
    pub(crate) find: Statement,
    /// A row in its latest state, which nobody else changes before the transaction ends.
    pub(crate) lock: Statement,
    /// Whether a row is there and not deleted; if so, it stays.
    pub(crate) hold: Statement,
    pub(crate) insert: Statement,
    pub(crate) update: Statement,
    pub(crate) set_deleted: Statement,
    /// The same of many at once, for what is done by the thousand.
    pub(crate) many: Many,
    /// Removes rows for good.
    pub(crate) erase: Statement,
    /// `select … from …`, for lists.
    pub(crate) select: String,
    pub(crate) list_name: &'static str,
    pub(crate) history_name: &'static str,
    pub(crate) find_matching_name: &'static str,
    pub(crate) lock_matching_name: &'static str,
}

/// The statements about many rows at once.
#[derive(Debug)]
pub(crate) struct Many {
    /// Rows in their latest state, deleted ones included, which nobody else changes before the transaction ends.
    pub(crate) lock: Statement,
    /// Which of these are there and not deleted; they stay.
    pub(crate) hold: Statement,
    /// Adds rows, but those that a unique constraint refuses, and answers the others.
    pub(crate) insert: Statement,
    /// Marks rows as deleted that are not, and takes these terms away.
    pub(crate) delete: Statement,
}

impl Statements {
    /// `name` is the resource's name for one; the values of `row` do not matter.
    pub(crate) fn new(name: &str, kind: &Kind, row: &Row) -> Self {
        let table = kind.table;
        let columns = columns(row);
        let select = format!("select {columns} from {table}");
        let winner = if kind.merged { format!(", {}", merge::find_winner(kind)) } else { String::new() };
        Self {
            find: statement(
                &format!("find_{}", kind.plural),
                format!("select {columns}{winner} from {table} where tenant_id = $1 and id = any($2)"),
            ),
            lock: statement(
                &format!("lock_{name}"),
                format!("{select} where tenant_id = $1 and id = $2 for no key update"),
            ),
            hold: statement(
                &format!("hold_{name}"),
                format!("select id from {table} where tenant_id = $1 and id = $2 and delete_time is null for share"),
            ),
            insert: statement(&format!("insert_{name}"), insert(kind, row)),
            update: statement(&format!("update_{name}"), update(kind, row)),
            set_deleted: statement(&format!("set_{name}_deleted"), set_deleted(kind, &columns)),
            many: Many {
                lock: statement(
                    &format!("lock_{}", kind.plural),
                    format!("{select} where tenant_id = $1 and id = any($2) order by id for no key update"),
                ),
                hold: statement(
                    &format!("hold_{}", kind.plural),
                    format!(
                        "select id from {table} where tenant_id = $1 and id = any($2) and delete_time is null \
                         order by id for share"
                    ),
                ),
                insert: statement(&format!("insert_{}", kind.plural), insert_many(kind, row)),
                delete: statement(&format!("delete_{}", kind.plural), delete_many(kind)),
            },
            erase: statement(&format!("erase_{}", kind.plural), erase(kind)),
            select,
            list_name: constant(&format!("list_{}", kind.plural)),
            history_name: constant(&format!("find_history_of_{name}")),
            find_matching_name: constant(&format!("find_matching_{}", kind.plural)),
            lock_matching_name: constant(&format!("lock_matching_{}", kind.plural)),
        }
    }
}

/// What is read of a row.
fn columns(row: &Row) -> String {
    let fields: String = row.fields().map(|column| format!("{column}, ")).collect();
    format!("id, {fields}version, create_time, update_time, delete_time")
}

fn insert(kind: &Kind, row: &Row) -> String {
    let names: String = row.columns().map(|(name, _)| format!("{name}, ")).collect();
    let values: String = row.columns().map(|(_, number)| format!("${number}, ")).collect();
    let change = format!(
        "insert into {} (tenant_id, id, {names}create_time, update_time) \
         values ($1, $2, {values}statement_timestamp(), statement_timestamp())",
        kind.table
    );
    let mut beside = Beside::new(kind.insert_with, row);
    if !kind.terms.is_empty() {
        let [come] = beside.parameters();
        beside.add("terms", &search::insert(kind.schema(), &come));
    }
    if kind.facets {
        let [facets, values] = beside.parameters();
        beside.add("facets", &facets::insert(kind, &facets, &values));
    }
    journalled(kind, &beside.with, &change, HEAD, "'created'", beside.next)
}

/// As [`insert`], of a list of objects of JSON: one text for any number of rows, and arrays in it may differ in length. What
/// stands beside a row is added for those that were.
fn insert_many(kind: &Kind, row: &Row) -> String {
    const ADDED: &str = " from changed join given using (id)";
    let types: String = row.typed().map(|(name, of)| format!("{name} {of}, ")).collect();
    let names: String = row.columns().map(|(name, _)| format!("{name}, ")).collect();
    let beside = row.parameters().fold(kind.insert_with.to_owned(), |text, (name, _)| {
        text.replace(&format!("{{{name}}}"), &format!("given.{name}"))
    });
    // One select at its end, in brackets.
    let beside = beside.trim_start_matches("with ").replace("$2", "given.id");
    let beside = beside.strip_suffix(')').map(|open| format!("{open}{ADDED}), ")).unwrap_or_default();
    let terms = search::insert(kind.schema(), "given.search_terms").replace("$2", "given.id");
    let terms = if kind.terms.is_empty() { String::new() } else { format!("terms as ({terms}{ADDED}), ") };
    let (facet_types, facets) = match kind.facets {
        true => ("facets uuid[], facet_values text[], ", format!("facets as ({}), ", facets::insert_many(kind))),
        false => ("", String::new()),
    };
    format!(
        "with given as (select * from json_to_recordset($2::text::json) as given (id uuid, {types}search_terms text[], \
         {facet_types}changes jsonb, personal jsonb)), changed as (insert into {table} (tenant_id, id, {names}create_time, update_time) \
         select $1, id, {names}statement_timestamp(), statement_timestamp() from given on conflict do nothing \
         returning id, version, update_time), {beside}{terms}{facets}entry as ({entry}) select id from changed",
        table = kind.table,
        entry = journal::insert_many(kind.schema(), kind.plural, "created", 3) + " join given using (id)",
    )
}

fn delete_many(kind: &Kind) -> String {
    let change = format!(
        "update {} set delete_time = {CHANGE_TIME}, version = version + 1, update_time = {CHANGE_TIME} \
         where tenant_id = $1 and id = any($2) and delete_time is null",
        kind.table
    );
    let terms = format!(
        "gone_terms as (delete from {}.search_terms using unnest($3::text[], $4::uuid[]) as gone (term, record_id) \
         where tenant_id = $1 and search_terms.term = gone.term and search_terms.record_id = gone.record_id)",
        kind.schema()
    );
    let (beside, first) = if kind.terms.is_empty() { (String::new(), 3) } else { (format!("with {terms}"), 5) };
    journalled(kind, &beside, &change, HEAD, "'deleted'", first)
}

fn update(kind: &Kind, row: &Row) -> String {
    let sets: String = row.columns().map(|(name, number)| format!("{name} = ${number}, ")).collect();
    let change = format!(
        "update {} set {sets}version = version + 1, update_time = {CHANGE_TIME} where tenant_id = $1 and id = $2",
        kind.table
    );
    let mut beside = Beside::new(kind.update_with, row);
    if !kind.terms.is_empty() {
        let [come, gone] = beside.parameters();
        beside.add("terms", &search::add(kind.schema(), &come));
        beside.add("gone_terms", &search::remove(kind.schema(), &gone));
    }
    if kind.facets {
        let [facets, values, gone, gone_values] = beside.parameters();
        beside.add("facets", &facets::add(kind, &facets, &values));
        beside.add("gone_facets", &facets::remove(kind, &gone, &gone_values));
    }
    journalled(kind, &beside.with, &change, HEAD, "'updated'", beside.next)
}

fn set_deleted(kind: &Kind, columns: &str) -> String {
    let change = format!(
        "update {} set delete_time = case when $3 then {CHANGE_TIME} end, version = version + 1, \
         update_time = {CHANGE_TIME} where tenant_id = $1 and id = $2",
        kind.table
    );
    journalled(kind, kind.deleted_with, &change, columns, "case when $3 then 'deleted' else 'undeleted' end", 4)
}

fn erase(kind: &Kind) -> String {
    let change = format!("delete from {} where tenant_id = $1 and id = any($2)", kind.table);
    // The entry is that of one version more.
    let columns = "id, version + 1 as version, greatest(statement_timestamp(), update_time + interval '1 microsecond') \
                   as update_time";
    let with = if kind.erase_with.is_empty() { "with ".to_owned() } else { format!("{}, ", kind.erase_with) };
    let facets = if kind.facets { format!("facets as ({}), ", facets::erase(kind)) } else { String::new() };
    let entry = journal::insert(kind, "'erased'", 3);
    let reader = if kind.private { ", reader" } else { "" };
    format!(
        "{with}{facets}changed as ({change} returning {columns}{reader}), entry as ({entry}) select id, version from changed"
    )
}

/// Marks a row as deleted for good, with the reason `$3` in a column.
pub(crate) fn retire(kind: &Kind, row: &Row, column: &str) -> String {
    let change = format!(
        "update {} set {column} = $3, delete_time = {CHANGE_TIME}, version = version + 1, update_time = {CHANGE_TIME} \
         where tenant_id = $1 and id = $2",
        kind.table
    );
    journalled(kind, "", &change, &columns(row), "'deleted'", 4)
}

/// A change with its entry in the journal: one statement, so one round trip, and never one without the other. The entry is
/// made of the changed row, so that its number is drawn when the row is locked.
fn journalled(kind: &Kind, beside: &str, change: &str, columns: &str, what: &str, first: usize) -> String {
    let with = if beside.is_empty() { "with ".to_owned() } else { format!("{beside}, ") };
    let entry = journal::insert(kind, what, first);
    let reader = if kind.private { ", reader" } else { "" };
    format!("{with}changed as ({change} returning {columns}{reader}), entry as ({entry}) select {columns} from changed")
}

/// What is done beside a change, in its statement.
struct Beside {
    /// `with …`, or nothing.
    with: String,
    /// The number of the first parameter that is free.
    next: usize,
}

impl Beside {
    /// What a kind has of its own, with numbers for the names of parameters.
    fn new(with: &str, row: &Row) -> Self {
        let number = |text: String, (name, number)| text.replace(&format!("{{{name}}}"), &format!("${number}"));
        Self { with: row.parameters().fold(with.to_owned(), number), next: row.end() }
    }

    /// The next parameters, in the order in which they are bound.
    fn parameters<const N: usize>(&mut self) -> [String; N] {
        let first = self.next;
        self.next += N;
        std::array::from_fn(|nth| format!("${}", first + nth))
    }

    fn add(&mut self, name: &str, change: &str) {
        self.with += if self.with.is_empty() { "with " } else { ", " };
        self.with += &format!("{name} as ({change})");
    }
}

/// Lets a tenant's transactions come one after the other until each ends: those that count rows of `what` before they add one
/// would each count the others' not.
pub(crate) fn take_turns(what: &str) -> String {
    format!("select pg_advisory_xact_lock(hashtextextended('{what} ' || $1::text, 0))")
}

pub(crate) fn statement(name: &str, text: String) -> Statement {
    Statement { name: constant(name), sql: AssertSqlSafe(text).into_sql_str() }
}

/// Names of spans and labels are constants: these are made a few times in the life of a process.
fn constant(name: &str) -> &'static str {
    String::leak(name.to_owned())
}
