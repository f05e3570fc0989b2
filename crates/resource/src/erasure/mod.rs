//! Erasing a person for good ([ADR 46](../../../../docs/adr/0046-an-erasure-leaves-no-value-behind.md)).
//!
//! What is one record's, goes with it: its row, what stands beside it, and what the journal has of it. What may name the
//! person elsewhere is found by texts that are theirs alone ([`Named`]), in pages: kept answers, operations, saved views.
//! Which of it in which order is the service's to say, in the steps of an operation.

mod answers;
mod imports;
mod named;
mod operations;
mod records;
mod tombstone;
mod views;

use crm_database::migrate::Copied;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::journal::MERGED_INTO;

pub use named::Named;
pub use tombstone::Tombstone;

/// The table and its function, as a service's migration holds them that keeps persons.
pub const TABLE: Copied = Copied {
    what: "erasures",
    // Its function is bound to the journal.
    sql: concat!(include_str!("../../sql/journal.sql"), include_str!("../../sql/erasures.sql")),
    relations: &["erasures"],
    functions: &["erase_changes", "erase_entries"],
};

/// How far something has been looked through.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Looked<P> {
    /// Where to go on; none at the end.
    pub next: Option<P>,
    /// How many named the person, and do no more.
    pub erased: i64,
}

/// The texts of the statements about one service's erasures.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    begin: SqlStr,
    find: SqlStr,
    end: SqlStr,
    changes: SqlStr,
    named_answers: SqlStr,
    empty_answers: SqlStr,
    named_operations: SqlStr,
    empty_operation: SqlStr,
    named_changes: SqlStr,
    stood_for: SqlStr,
    named_entries: SqlStr,
    entries: SqlStr,
    merged: SqlStr,
    forget_taken: SqlStr,
    next_import: SqlStr,
    read_import: SqlStr,
    import_errors: SqlStr,
    forget_import: SqlStr,
    values: SqlStr,
}

/// Whether a text of the row has any of the texts of a person, that are in lower case: what has none is not looked at more
/// closely ([`Named::is_in_text`]).
pub(crate) fn names(text: &str, number: usize) -> String {
    format!(
        "exists (select from unnest(${number}::text[]) as named (text) where position(named.text in lower({text})) > 0)"
    )
}

impl Statements {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(schema: &str) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        // Bytes as a text, of which all is as it was that is ASCII.
        let bytes = |column: &str| format!("coalesce(encode({column}, 'escape'), '')");
        let of_operation =
            [bytes("request"), bytes("response"), bytes("error"), "coalesce(position::text, '')".to_owned()];
        Self {
            begin: sql(format!(
                "insert into {schema}.erasures (tenant_id, resource, record_id, subject) \
                 select $1, $2, unnest($3::uuid[]), $4 on conflict do nothing"
            )),
            find: sql(format!(
                "select end_time is not null from {schema}.erasures \
                 where tenant_id = $1 and resource = $2 and record_id = $3"
            )),
            end: sql(format!(
                "update {schema}.erasures set end_time = coalesce(end_time, now()) \
                 where tenant_id = $1 and resource = $2 and record_id = any($3)"
            )),
            changes: sql(format!("select {schema}.erase_changes($1, $2)")),
            named_answers: sql(format!(
                "select scope, request_id, case when {} or {} then answer end from {schema}.idempotency_keys \
                 where tenant_id = $1 and (scope, request_id) > ($2, $3) order by scope, request_id limit $5",
                names(&bytes("answer"), 4),
                names(&bytes("answer"), 6)
            )),
            // What is left of one says by its hash that it was erased: no request has that.
            empty_answers: sql(format!(
                "update {schema}.idempotency_keys as keys set answer = '', body_hash = $2 \
                 from unnest($3::text[], $4::uuid[]) as named (scope, request_id) \
                 where keys.tenant_id = $1 and (keys.scope, keys.request_id) = (named.scope, named.request_id)"
            )),
            named_operations: sql(format!(
                "select id, {} as is_named, request, response, error, position from {schema}.operations \
                 where tenant_id = $1 and id > $2 order by id limit $4",
                names(&of_operation.join(" || ' ' || "), 3)
            )),
            empty_operation: sql(format!(
                "update {schema}.operations set request = $3, response = $4, error = $5, position = null, erased = true, \
                 state = case when due_time is null then state else 'cancelled' end, \
                 cancel_time = case when due_time is null then cancel_time else now() end, \
                 end_time = coalesce(end_time, now()), due_time = null, claim = claim + 1, update_time = now() \
                 where tenant_id = $1 and id = $2"
            )),
            named_changes: sql(format!(
                "select record_id, version, case when {} then personal end from {schema}.journal \
                 where tenant_id = $1 and resource = $2 and (record_id, version) > ($3, $4) \
                 order by record_id, version limit $6",
                names("coalesce(personal::text, '')", 5)
            )),
            // A merge and its undoing are kept as changes of a field that there is not.
            stood_for: sql(format!(
                "select distinct (value #>> '{{}}')::uuid from {schema}.journal \
                 cross join lateral jsonb_array_elements(changes -> '{MERGED_INTO}') as value \
                 where tenant_id = $1 and resource = $2 and record_id = any($3) and value <> 'null' \
                 and (value #>> '{{}}')::uuid <> all($3)"
            )),
            named_entries: sql(format!(
                "select record_id, version, personal from {schema}.journal \
                 where tenant_id = $1 and resource = $2 and record_id = any($3) and {} order by record_id, version",
                names("coalesce(personal::text, '')", 4)
            )),
            entries: sql(format!("select {schema}.erase_entries($1, $2, $3)")),
            merged: sql(format!(
                "select id from {schema}.merges where tenant_id = $1 and resource = $2 and winner_id = $3 order by id"
            )),
            forget_taken: sql(format!(
                "update {schema}.merges set taken = null, taken_fields = '{{}}' \
                 where tenant_id = $1 and resource = $2 and id = any($3)"
            )),
            next_import: sql(format!(
                "select id, file_name, size from {schema}.imports where tenant_id = $1 and id > $2 order by id limit 1"
            )),
            read_import: sql(crate::imports::piece(schema)),
            import_errors: sql(format!(
                "delete from {schema}.import_errors where tenant_id = $1 and import_id = $2 and {}",
                names(&bytes("error"), 3)
            )),
            forget_import: sql(format!(
                "with parts as (delete from {schema}.import_parts where tenant_id = $1 and import_id = $2), \
                 errors as (delete from {schema}.import_errors where tenant_id = $1 and import_id = $2), \
                 keys as (delete from {schema}.import_keys where tenant_id = $1 and import_id = $2) \
                 delete from {schema}.imports where tenant_id = $1 and id = $2"
            )),
            values: sql(format!(
                "select distinct value #>> '{{}}' from {schema}.journal cross join unnest($4::text[]) as field (name) \
                 cross join lateral jsonb_path_query(personal -> field.name, '$[*][*]') as value \
                 where tenant_id = $1 and resource = $2 and record_id = any($3) and jsonb_typeof(value) = 'string'"
            )),
        }
    }
}
