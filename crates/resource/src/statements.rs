//! The texts of a resource's statements, built once.
//!
//! Every statement names the tenant, although row-level security adds the same condition: a mistake in one of the two
//! shows nothing, and the planner folds them into one index condition and one check per statement.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::journal;
use crate::kind::Kind;
use crate::row::Row;
use crate::search;

/// The time of a change to a locked row: read after its lock was taken, and never earlier than the change before it.
///
/// `now()` is when the transaction began. Of two that wait for each other's lock, the one that began first may well be
/// the one that writes last, and its change would seem to be the older one. Clocks are also set back.
const CHANGE_TIME: &str = "greatest(statement_timestamp(), update_time + interval '1 microsecond')";

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
    /// Rows with these ids, deleted ones included, in no order.
    pub(crate) find: Statement,
    /// A row in its latest state, which nobody else changes before the transaction ends.
    pub(crate) lock: Statement,
    /// Whether a row is there and not deleted; if so, it stays.
    pub(crate) hold: Statement,
    pub(crate) insert: Statement,
    pub(crate) update: Statement,
    pub(crate) set_deleted: Statement,
    /// `select … from …`, for lists.
    pub(crate) select: String,
    pub(crate) list_name: &'static str,
    pub(crate) history_name: &'static str,
    pub(crate) find_matching_name: &'static str,
    pub(crate) lock_matching_name: &'static str,
}

impl Statements {
    /// `name` is the resource's name for one; the values of `row` do not matter.
    pub(crate) fn new(name: &str, kind: &Kind, row: &Row) -> Self {
        let table = kind.table;
        let fields: String = row.fields().map(|column| format!("{column}, ")).collect();
        let columns = format!("id, {fields}version, create_time, update_time, delete_time");
        let select = format!("select {columns} from {table}");
        Self {
            find: statement(
                &format!("find_{}", kind.plural),
                format!("{select} where tenant_id = $1 and id = any($2)"),
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
            select,
            list_name: constant(&format!("list_{}", kind.plural)),
            history_name: constant(&format!("find_history_of_{name}")),
            find_matching_name: constant(&format!("find_matching_{}", kind.plural)),
            lock_matching_name: constant(&format!("lock_matching_{}", kind.plural)),
        }
    }
}

fn insert(kind: &Kind, row: &Row) -> String {
    let names: String = row.columns().map(|(name, _)| format!("{name}, ")).collect();
    let values: String = row.columns().map(|(_, number)| format!("${number}, ")).collect();
    let change = format!(
        "insert into {} (tenant_id, id, {names}create_time, update_time) \
         values ($1, $2, {values}statement_timestamp(), statement_timestamp())",
        kind.table
    );
    let come = [("terms", search::insert(kind.schema(), &format!("${}", row.end())))];
    let (with, first) = searched(kind, beside(kind.insert_with, row), &come, row.end());
    journalled(kind, &with, &change, HEAD, "'created'", first)
}

fn update(kind: &Kind, row: &Row) -> String {
    let sets: String = row.columns().map(|(name, number)| format!("{name} = ${number}, ")).collect();
    let change = format!(
        "update {} set {sets}version = version + 1, update_time = {CHANGE_TIME} where tenant_id = $1 and id = $2",
        kind.table
    );
    let (come, gone) = (format!("${}", row.end()), format!("${}", row.end() + 1));
    let terms = [("terms", search::add(kind.schema(), &come)), ("gone_terms", search::remove(kind.schema(), &gone))];
    let (with, first) = searched(kind, beside(kind.update_with, row), &terms, row.end());
    journalled(kind, &with, &change, HEAD, "'updated'", first)
}

fn set_deleted(kind: &Kind, columns: &str) -> String {
    let change = format!(
        "update {} set delete_time = case when $3 then {CHANGE_TIME} end, version = version + 1, \
         update_time = {CHANGE_TIME} where tenant_id = $1 and id = $2",
        kind.table
    );
    journalled(kind, "", &change, columns, "case when $3 then 'deleted' else 'undeleted' end", 4)
}

/// A change with its entry in the journal: one statement, so one round trip, and never one without the other. The entry is
/// made of the changed row, so that its number is drawn when the row is locked.
fn journalled(kind: &Kind, beside: &str, change: &str, columns: &str, what: &str, first: usize) -> String {
    let with = if beside.is_empty() { "with ".to_owned() } else { format!("{beside}, ") };
    let entry = journal::insert(kind.schema(), kind.plural, what, first);
    format!("{with}changed as ({change} returning {columns}), entry as ({entry}) select {columns} from changed")
}

/// What stands before the statement, and what is done to the terms of a kind that is searched; and the number of the first
/// parameter behind those of terms, each of which has one.
fn searched(kind: &Kind, beside: String, terms: &[(&str, String)], first: usize) -> (String, usize) {
    if kind.terms.is_empty() {
        return (beside, first);
    }
    let begin = if beside.is_empty() { "with ".to_owned() } else { beside + ", " };
    let terms: Vec<String> = terms.iter().map(|(name, change)| format!("{name} as ({change})")).collect();
    (begin + &terms.join(", "), first + terms.len())
}

/// What stands before the statement, with numbers for the names of parameters.
fn beside(with: &str, row: &Row) -> String {
    row.parameters()
        .fold(with.to_owned(), |text, (name, number)| text.replace(&format!("{{{name}}}"), &format!("${number}")))
}

fn statement(name: &str, text: String) -> Statement {
    Statement { name: constant(name), sql: AssertSqlSafe(text).into_sql_str() }
}

/// Names of spans and labels are constants: these are made a few times in the life of a process.
fn constant(name: &str) -> &'static str {
    String::leak(name.to_owned())
}
