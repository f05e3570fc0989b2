//! The texts of the statements about merges.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::journal;
use crate::kind::Kind;
use crate::statements::{CHANGE_TIME, Statement, statement, take_turns};

/// Those of one service.
#[derive(Debug, Clone)]
pub(crate) struct Statements {
    /// Which record stands for one.
    pub(crate) winner: SqlStr,
    /// Which record stands for one, or is it, and under which other ids what belongs to that may still stand.
    pub(crate) family: SqlStr,
    /// Whether something of a record may still stand under another id.
    pub(crate) unmoved: SqlStr,
    /// One merge of a tenant begins or ends at a time.
    pub(crate) take_turns: SqlStr,
    pub(crate) find: SqlStr,
    pub(crate) insert: SqlStr,
    pub(crate) set_state: SqlStr,
    /// How many records a merge has moved that have not gone back.
    pub(crate) count_moves: SqlStr,
    /// The first of them.
    pub(crate) list_moves: SqlStr,
    pub(crate) forget_moves: SqlStr,
    pub(crate) forget: SqlStr,
    pub(crate) sweep: SqlStr,
}

impl Statements {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(schema: &str) -> Self {
        let table = format!("{schema}.merges");
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        let moves = format!("{schema}.merge_moves where tenant_id = $1 and merge_id = $2");
        let one = "tenant_id = $1 and id = $2 and resource = $3";
        Self {
            winner: sql(format!("select winner_id from {table} where {one}")),
            family: sql(format!(
                "select stands.id, (select array_agg(merges.id) from {table} where merges.tenant_id = $1 \
                 and merges.winner_id = stands.id and merges.state <> 'moved') from (select coalesce((select winner_id \
                 from {table} where tenant_id = $1 and id = $2 limit 1), $2) as id) as stands"
            )),
            unmoved: sql(format!(
                "select id from {table} where tenant_id = $1 and winner_id = $2 and state <> 'moved' limit 1"
            )),
            take_turns: sql(take_turns(&format!("{schema}.merges"))),
            find: sql(format!(
                "select id, winner_id, merged_into, state, merge_time > now() - interval '30 days' as is_young, \
                 taken_fields, taken from {table} where tenant_id = $1 and id = any($2) and resource = $3"
            )),
            insert: sql(format!(
                "insert into {table} (tenant_id, id, resource, winner_id, merged_into, taken_fields, taken) \
                 values ($1, $2, $3, $4, $4, $5, $6)"
            )),
            set_state: sql(format!("update {table} set state = $4 where {one}")),
            count_moves: sql(format!("select count(*) from {moves}")),
            list_moves: sql(format!("select resource, record_id from {moves} order by resource, record_id limit $3")),
            forget_moves: sql(format!("delete from {moves}")),
            forget: sql(format!("delete from {table} where {one}")),
            sweep: sql(format!("select {schema}.sweep_merges($1)")),
        }
    }

    /// By their names.
    #[cfg(feature = "testkit")]
    pub(super) fn all(&self) -> Vec<(String, String)> {
        [
            ("find_winner", &self.winner),
            ("find_family", &self.family),
            ("find_unmoved", &self.unmoved),
            ("take_turns_at_merging", &self.take_turns),
            ("find_merges", &self.find),
            ("insert_merge", &self.insert),
            ("set_merge_state", &self.set_state),
            ("count_moves", &self.count_moves),
            ("list_moves", &self.list_moves),
            ("forget_moves", &self.forget_moves),
            ("forget_merge", &self.forget),
        ]
        .map(|(name, sql)| (name.to_owned(), sql.as_str().to_owned()))
        .into()
    }
}

/// Which record stands for a deleted row of the kind's table, if one does, as a column.
pub(crate) fn find_winner(kind: &Kind) -> String {
    let (schema, plural) = (kind.schema(), kind.plural);
    format!(
        "case when delete_time is not null then (select winner_id from {schema}.merges where merges.tenant_id = $1 \
         and merges.id = {plural}.id and merges.resource = '{plural}') end as merged_into"
    )
}

/// Those of one resource.
#[derive(Debug)]
pub(super) struct OfResource {
    /// Another record stands for those that were merged into `$2`, and into these in turn.
    pub(super) redirect: Statement,
}

impl OfResource {
    pub(super) fn new(kind: &Kind) -> Self {
        let (schema, plural, table) = (kind.schema(), kind.plural, kind.table);
        let entry = journal::insert(kind, "'updated'", 4);
        let redirect = format!(
            "with recursive chain (id) as (\
             select id from {schema}.merges where tenant_id = $1 and merged_into = $2 and resource = '{plural}' \
             union select merges.id from chain join {schema}.merges on merges.tenant_id = $1 \
             and merges.merged_into = chain.id and merges.resource = '{plural}'), \
             redirected as (update {schema}.merges set winner_id = $3 where tenant_id = $1 and resource = '{plural}' \
             and id in (select id from chain) returning id), \
             changed as (update {table} set version = version + 1, update_time = {CHANGE_TIME} where tenant_id = $1 \
             and id in (select id from redirected) returning id, version, update_time), \
             entry as ({entry}) select id, version from changed"
        );
        Self { redirect: statement(&format!("redirect_{plural}"), redirect) }
    }

    #[cfg(feature = "testkit")]
    pub(super) fn all(&self) -> Vec<(String, String)> {
        vec![(self.redirect.name.to_owned(), self.redirect.sql.as_str().to_owned())]
    }
}
