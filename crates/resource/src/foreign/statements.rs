//! The texts of the statements about records that name those of another service.

use super::Named;
use crate::journal;
use crate::kind::Kind;
use crate::statements::{CHANGE_TIME, Statement, statement};

/// Those of one kind of records.
#[derive(Debug)]
pub(super) struct Texts {
    pub(super) hold: Statement,
    pub(super) lock: Statement,
    /// What was told of records.
    pub(super) find: Statement,
    pub(super) put: Statement,
    /// All that are named, or of which something was told.
    pub(super) list: Statement,
    /// Moves the next ones, and notes which.
    pub(super) push: Statement,
    /// Moves back those of the next ones after an id that nobody has changed since.
    pub(super) pull: Statement,
    pub(super) forget_moves: Statement,
    pub(super) forget_old_moves: Statement,
    /// Shows what was told.
    pub(super) refresh: Statement,
}

/// Most that one statement changes.
pub(super) const BATCH: usize = 500;

impl Texts {
    pub(super) fn new(kind: &Kind, named: &Named) -> Self {
        let (schema, resource) = (kind.schema(), named.resource);
        let Tables { known, moves, it } = &Tables::of(kind, named);
        let Named { id, .. } = named;
        let table = kind.table;
        Self {
            hold: statement(
                &format!("hold_{resource}"),
                format!("select stands, told, called, gone from {schema}.hold_foreign($1, '{resource}', $2, $3)"),
            ),
            lock: statement(
                &format!("lock_foreign_{resource}"),
                format!("select {schema}.lock_foreign($1, '{resource}', $2)"),
            ),
            find: statement(
                &format!("find_foreign_{resource}"),
                format!("select id, version, name, deleted, winner_id from {known} and known.id = any($2)"),
            ),
            put: statement(
                &format!("put_foreign_{resource}"),
                format!(
                    "insert into {schema}.foreign_records (tenant_id, resource, id, version, name, deleted, winner_id) \
                     select $1, '{resource}', told.* from unnest($2::uuid[], $3::bigint[], $4::text[], $5::boolean[], $6::uuid[]) \
                     as told on conflict (tenant_id, resource, id) do update set (version, name, deleted, winner_id) = \
                     (excluded.version, excluded.name, excluded.deleted, excluded.winner_id)"
                ),
            ),
            list: statement(
                &format!("list_named_{resource}"),
                format!("select {id} as id from {table} where tenant_id = $1 union select known.id from {known}"),
            ),
            push: statement(&format!("move_{}_along", kind.plural), push(kind, named)),
            pull: statement(&format!("move_{}_back", kind.plural), pull(kind, named)),
            forget_moves: statement("forget_moves", format!("delete from {moves} where moves.merge_id = $2 and {it}")),
            forget_old_moves: statement(
                "forget_old_moves",
                format!("delete from {moves} where {it} and moves.move_time < now() - interval '31 days'"),
            ),
            refresh: statement(&format!("show_{resource}_of_{}", kind.plural), refresh(kind, named)),
        }
    }

    #[cfg(feature = "testkit")]
    pub(super) fn all(&self) -> Vec<(String, String)> {
        let all = [&self.hold, &self.lock, &self.find, &self.put, &self.list, &self.push, &self.pull];
        let all = all.into_iter().chain([&self.forget_moves, &self.forget_old_moves, &self.refresh]);
        all.map(|it| (it.name.to_owned(), it.sql.as_str().to_owned())).collect()
    }
}

/// Parts of statements.
struct Tables {
    /// What was told of records of the other service, with the beginning of a condition.
    known: String,
    /// What was moved.
    moves: String,
    /// Which of that is of this kind.
    it: String,
}

impl Tables {
    fn of(kind: &Kind, named: &Named) -> Self {
        let (schema, plural, resource) = (kind.schema(), kind.plural, named.resource);
        Self {
            known: format!(
                "{schema}.foreign_records as known where known.tenant_id = $1 and known.resource = '{resource}'"
            ),
            moves: format!("{schema}.foreign_moves as moves"),
            it: format!("moves.tenant_id = $1 and moves.resource = '{resource}' and moves.kind = '{plural}'"),
        }
    }

    /// What is noted of a record for merges is noted of its next version: nobody has changed it but us.
    fn carried(&self, also: &str) -> String {
        let Self { moves, it, .. } = self;
        format!(
            "carried as (update {moves} set version = changed.version from changed where {it} \
             and moves.record_id = changed.id and moves.version = changed.version - 1{also})"
        )
    }
}

/// `set …`: names another record, and shows what was told of it; what was not told is as it was.
fn names(named: &Named, parameter: &str, known: &str) -> String {
    let Named { id, name, deleted, .. } = named;
    format!(
        "{id} = {parameter}, {name} = coalesce((select known.name from {known} and known.id = {parameter}), {name}), \
         {deleted} = coalesce((select known.deleted from {known} and known.id = {parameter}), false), \
         version = version + 1, update_time = {CHANGE_TIME}"
    )
}

/// `$2` is the record that is named, `$3` the one that is to be. Locked in the order of their ids, as whoever else changes
/// several does; what somebody has changed meanwhile is looked at again once it is locked. That is no condition of an index:
/// all that name the record would be looked through again for each batch.
fn push(kind: &Kind, named: &Named) -> String {
    let tables = Tables::of(kind, named);
    let (schema, plural, table, id) = (kind.schema(), kind.plural, kind.table, named.id);
    let (set, entry) = (names(named, "$3", &tables.known), journal::insert(kind, "'updated'", 4));
    let carried = tables.carried(" and moves.merge_id <> $2");
    format!(
        "with batch as (select id from {table} where tenant_id = $1 and ({id} = $2) is true and id = any(array(select id from {table} \
         where tenant_id = $1 and {id} = $2 limit {BATCH})) order by id for no key update), \
         changed as (update {table} set {set} where tenant_id = $1 and id in (select id from batch) \
         returning id, version, update_time), entry as ({entry}), \
         noted as (insert into {schema}.foreign_moves (tenant_id, resource, merge_id, kind, record_id, version) \
         select $1, '{}', $2, '{plural}', id, version from changed on conflict (tenant_id, resource, merge_id, kind, record_id) \
         do update set version = excluded.version, move_time = excluded.move_time), {carried} select id, version from changed",
        named.resource
    )
}

/// `$2` is the record that was named, `$3` the id after which it goes on.
fn pull(kind: &Kind, named: &Named) -> String {
    let tables = Tables::of(kind, named);
    let Tables { moves, it, known } = &tables;
    let table = kind.table;
    let (set, entry) = (names(named, "$2", known), journal::insert(kind, "'updated'", 4));
    let carried = tables.carried(" and moves.merge_id <> $2");
    format!(
        "with noted as (select moves.record_id, moves.version from {moves} where {it} and moves.merge_id = $2 \
         and moves.record_id > $3 order by moves.record_id limit {BATCH}), \
         batch as (select child.id from {table} child join noted on noted.record_id = child.id \
         and noted.version = child.version where child.tenant_id = $1 order by child.id for no key update of child), \
         changed as (update {table} set {set} where tenant_id = $1 and id in (select id from batch) \
         returning id, version, update_time), entry as ({entry}), {carried} \
         select noted.record_id, changed.version from noted left join changed on changed.id = noted.record_id \
         order by noted.record_id"
    )
}

/// `$2` is the records that are named.
fn refresh(kind: &Kind, named: &Named) -> String {
    let tables = Tables::of(kind, named);
    let (schema, plural, table) = (kind.schema(), kind.plural, kind.table);
    let Named { resource, id, name, deleted } = named;
    let known = format!(
        "known.tenant_id = $1 and known.resource = '{resource}' and known.id = it.{id} \
         and (known.name <> it.{name} or known.deleted <> it.{deleted})"
    );
    let told = |field: &str, before: &str, now: &str| {
        format!(
            "case when batch.{field} <> it.{field} then jsonb_build_object('{field}', jsonb_build_array({before}, {now})) \
             else '{{}}' end"
        )
    };
    let names = told(name, &format!("nullif(batch.{name}, '')"), &format!("nullif(it.{name}, '')"));
    let marks = told(deleted, &format!("batch.{deleted}"), &format!("it.{deleted}"));
    let (entry, carried) = (journal::insert_many(schema, plural, "updated", 3), tables.carried(""));
    format!(
        "with batch as (select it.id, it.{name}, it.{deleted} from {table} it where it.tenant_id = $1 \
         and (it.{id} = any($2)) is true and it.id = any(array(select it.id from {table} it join {schema}.foreign_records known on {known} \
         where it.tenant_id = $1 and it.{id} = any($2) limit {BATCH})) order by it.id for no key update), \
         changed as (update {table} it set {name} = coalesce(known.name, it.{name}), {deleted} = known.deleted, \
         version = it.version + 1, update_time = {} from batch, {schema}.foreign_records known \
         where it.tenant_id = $1 and it.id = batch.id and {known} \
         returning it.id, it.version, it.update_time, {names} || {marks} as changes, null::jsonb as personal), \
         entry as ({entry}), {carried} select id, version from changed",
        CHANGE_TIME.replace("update_time", "it.update_time")
    )
}
