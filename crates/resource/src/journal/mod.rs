//! The journal: what changed, in order, for whoever needs it.
//!
//! Each change of a record writes a row, in the very statement that changes the record. The rows are the history of a
//! record, and the feed that watchers and other services read on from a cursor.
//!
//! **Order.** Rows bear the transaction's id and a number that is drawn while the record is locked. Neither alone can be
//! read on from: a transaction becomes visible when it ends, which may be after one that began, or drew its number,
//! later. A cursor is therefore a snapshot. A batch is what a newer snapshot sees and the cursor's does not, ordered by
//! the numbers. Nothing committed is missed, whoever else keeps a transaction open, and each record's versions come in
//! their order.

mod cursor;
mod entry;
mod history;
mod read;
mod snapshot;

use crm_database::migrate::Copied;
use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

pub use cursor::{Cursor, Horizon};
pub use entry::Entry;
pub(crate) use entry::{Difference, MERGED_INTO, insert, insert_many};
pub use read::Batch;

/// The table, its policies and its functions, as a service's migration holds them.
pub const TABLE: Copied = Copied {
    what: "changes",
    sql: include_str!("../../sql/journal.sql"),
    relations: &["journal", "journal_floors", "journal_sequence"],
    functions: &["sweep_journal", "journal_tenants", "leave_journal_gap"],
};

/// Columns as [`Entry`] reads them.
const COLUMNS: &str = "sequence, resource, record_id, version, kind, subject, role, change_time, changes, personal, \
                       traceparent, erased, reader, transaction::text";

/// The texts of the statements about one service's journal.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    /// This moment, the latest number, and up to where the tenant's rows have been swept.
    tick: SqlStr,
    /// What came between two moments.
    changes: SqlStr,
    /// The tenant's latest number that is seen.
    latest: SqlStr,
    /// Tenants of which something is new.
    tenants: SqlStr,
    sweep: SqlStr,
    history: SqlStr,
    oldest: SqlStr,
}

impl Statements {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(schema: &str) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let of_record = format!("from {schema}.journal where tenant_id = $1 and resource = $2 and record_id = $3");
        Self {
            tick: sql(format!(
                "select pg_current_snapshot()::text, (select last_value from {schema}.journal_sequence), \
                 (select transaction::text from {schema}.journal_floors where tenant_id = $1)"
            )),
            // What a snapshot sees is told by a function, which no index answers: of the first part that is meant, for
            // it is to be read by its numbers. The second part are those who were late, by their ids.
            changes: sql(format!(
                "select {COLUMNS} from ( \
                 (select {COLUMNS} from {schema}.journal where tenant_id = $1 and sequence > $2 and sequence <= $3 \
                 and not pg_visible_in_snapshot(transaction, $4::pg_snapshot) \
                 and pg_visible_in_snapshot(transaction, $5::pg_snapshot) order by sequence limit $9) union all \
                 select found.* from unnest($6::xid8[]) as late (transaction) cross join lateral \
                 (select {COLUMNS} from {schema}.journal where tenant_id = $1 and transaction = late.transaction \
                 and sequence > $7 and sequence <= $8 order by sequence limit $9) as found \
                 ) as both_parts order by sequence limit $9"
            )),
            latest: sql(format!("select max(sequence) from {schema}.journal where tenant_id = $1")),
            tenants: sql(format!(
                "select tenant_id, transaction::text, entries from {schema}.journal_tenants($1::xid8[], $2::xid8, $3)"
            )),
            sweep: sql(format!("select {schema}.sweep_journal($1, $2)")),
            history: sql(format!("select {COLUMNS} {of_record} and version < $4 order by version desc limit $5")),
            oldest: sql(format!("select version, change_time {of_record} order by version limit 1")),
        }
    }
}
