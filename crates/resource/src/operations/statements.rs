//! The texts of the statements about one service's operations.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

/// Columns as [`Row`](super::row::Row) reads them.
const COLUMNS: &str = "id, kind, unit, state, subject, role, request, done, total, create_time, update_time, cancel_time, \
                       end_time, response, error, erased";

#[derive(Debug)]
pub(super) struct Statements {
    pub(super) insert: SqlStr,
    pub(super) find: SqlStr,
    pub(super) list: SqlStr,
    pub(super) cancel: SqlStr,
    pub(super) claim: SqlStr,
    pub(super) waiting: SqlStr,
    /// What a step begins with.
    pub(super) read: SqlStr,
    /// The end of a step that others follow.
    pub(super) advance: SqlStr,
    pub(super) end: SqlStr,
    pub(super) give_back: SqlStr,
    pub(super) ended: SqlStr,
    pub(super) sweep: SqlStr,
    /// Whose pages these are.
    pub(super) schema: String,
}

impl Statements {
    pub(super) fn new(schema: &str) -> Self {
        let table = format!("{schema}.operations");
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        // The fence: no row is found under a claim that is not the last. The row is then locked until the step is committed,
        // and who claims passes over it meanwhile.
        let claimed = "tenant_id = $1 and id = $2 and claim = $3 and due_time is not null";
        let ended = "due_time = null, end_time = clock_timestamp(), update_time = clock_timestamp()";
        Self {
            insert: sql(format!(
                "insert into {table} (tenant_id, id, kind, unit, subject, role, traceparent, request, position) \
                 values ($1, $2, $3, $4, $5, $6, $7, $8, $9) returning {COLUMNS}"
            )),
            find: sql(format!("select {COLUMNS} from {table} where tenant_id = $1 and id = $2")),
            list: sql(format!(
                "select {COLUMNS} from {table} where tenant_id = $1 and id < $2 order by id desc limit $3"
            )),
            cancel: sql(format!(
                "update {table} set cancel_time = coalesce(cancel_time, now()), update_time = now(), \
                 state = case state when 'waiting' then 'cancelled' else state end, \
                 end_time = case state when 'waiting' then now() end, \
                 due_time = case state when 'waiting' then null else due_time end \
                 where tenant_id = $1 and id = $2 and due_time is not null \
                 and (position is null or kind <> all ($3)) returning {COLUMNS}"
            )),
            claim: sql(format!(
                "select tenant_id, id, claim, kind, subject, role, traceparent \
                 from {schema}.claim_operation($1, $2, make_interval(secs => $3))"
            )),
            waiting: sql(format!("select {schema}.waiting_operations($1, $2)")),
            read: sql(format!(
                "select request, position, done, total, tries, cancel_time is not null from {table} where {claimed}"
            )),
            advance: sql(format!(
                "update {table} set position = $4, done = $5, total = $6, tries = 1, \
                 due_time = clock_timestamp() + make_interval(secs => $7), update_time = clock_timestamp() where {claimed}"
            )),
            end: sql(format!(
                "update {table} set state = $4, done = coalesce($5, done), total = coalesce($6, total), response = $7, \
                 error = $8, {ended} where {claimed} \
                 returning extract(epoch from end_time - create_time)::float8"
            )),
            // Who asked for an end meanwhile gets it at once.
            give_back: sql(format!(
                "update {table} set state = 'waiting', tries = greatest(tries - $4, 0), \
                 due_time = clock_timestamp() + case when cancel_time is null then make_interval(secs => $5) \
                 else interval '0' end where {claimed}"
            )),
            ended: sql(format!("select tenant_id, id from {schema}.ended_operations($1, $2)")),
            sweep: sql(format!("select {schema}.sweep_operations($1)")),
            schema: schema.to_owned(),
        }
    }
}
