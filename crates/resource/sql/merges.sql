-- Merges: records that are none any more, and which ones stand for them. Kept for good.
create table {schema}.merges (
    tenant_id uuid not null,
    id uuid not null,
    -- As in the paths of the API: `accounts`.
    resource text collate "C" not null,
    -- The record that stands for it today, which was merged into none itself.
    winner_id uuid not null,
    -- The record that it was merged into: another one, if that was merged later.
    merged_into uuid not null,
    -- Until it is `moved`, some of what stood under it may still do so, and counts as the winner's.
    state text collate "C" not null default 'moving',
    merge_time timestamptz not null default now(),
    -- Fields that the winner took from it, and a message of the winner's kind with what these had been: for 30 days.
    taken_fields text[] not null default '{}',
    taken bytea,

    constraint merges_pkey primary key (tenant_id, id, resource),
    constraint merges_not_itself check (id <> winner_id and id <> merged_into),
    constraint merges_state_known check (state in ('moving', 'moved', 'undoing'))
);

comment on index {schema}.merges_pkey is 'Which record stands for this one?';
create index merges_unmoved_idx on {schema}.merges (tenant_id, winner_id, id) where state <> 'moved';
comment on index {schema}.merges_unmoved_idx is 'Under which other ids may what belongs to a record still stand?';
create index merges_merged_into_idx on {schema}.merges (tenant_id, merged_into, id);
comment on index {schema}.merges_merged_into_idx is 'Which ones were merged into this one?';
create index merges_taken_idx on {schema}.merges (merge_time) where taken is not null;
comment on index {schema}.merges_taken_idx is 'Of which can it be forgotten what had been before?';

-- What was moved by a merge, with the version that it had then: what has another one since has been changed.
create table {schema}.merge_moves (
    tenant_id uuid not null,
    -- The record that it stood under.
    merge_id uuid not null,
    resource text collate "C" not null,
    record_id uuid not null,
    version bigint not null,
    move_time timestamptz not null default now(),

    constraint merge_moves_pkey primary key (tenant_id, merge_id, resource, record_id)
);

comment on index {schema}.merge_moves_pkey is 'What did a merge move?';
create index merge_moves_move_time_idx on {schema}.merge_moves (move_time);
comment on index {schema}.merge_moves_move_time_idx is 'Which are old enough to be forgotten?';

create index merge_moves_record_idx on {schema}.merge_moves (tenant_id, record_id);
comment on index {schema}.merge_moves_record_idx is 'By which merges was a record moved?';

alter table {schema}.merges enable row level security;
alter table {schema}.merges force row level security;
create policy merges_tenant on {schema}.merges
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
alter table {schema}.merge_moves enable row level security;
alter table {schema}.merge_moves force row level security;
create policy merge_moves_tenant on {schema}.merge_moves
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
-- The function below crosses tenants, which the service's role cannot: the owner may, while it says that it does.
create policy merges_functions on {schema}.merges to current_user
    using (current_setting('crm.merges', true) = 'all');
create policy merge_moves_functions on {schema}.merge_moves to current_user
    using (current_setting('crm.merges', true) = 'all');

-- Forgets what merges that are older than 30 days would need to be undone; a day later, for one that is being undone. Answers
-- of how many rows.
create function {schema}.sweep_merges(at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.merges', 'all', true);
    with old as (
        select tenant_id, merge_id, resource, record_id from {schema}.merge_moves
        where move_time < now() - interval '31 days' order by move_time limit at_most for update skip locked
    ), gone as (
        delete from {schema}.merge_moves as moves using old
        where (moves.tenant_id, moves.merge_id, moves.resource, moves.record_id)
            = (old.tenant_id, old.merge_id, old.resource, old.record_id)
        returning 1
    ), past as (
        select tenant_id, id, resource from {schema}.merges
        where taken is not null and merge_time < now() - interval '31 days'
        order by merge_time limit at_most for update skip locked
    ), forgotten as (
        update {schema}.merges as merges set taken = null, taken_fields = '{}' from past
        where (merges.tenant_id, merges.id, merges.resource) = (past.tenant_id, past.id, past.resource)
        returning 1
    )
    select (select count(*) from gone) + (select count(*) from forgotten);
end;
