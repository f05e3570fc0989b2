-- What a service has been told of records of another one that its own records name: those that were renamed, deleted or merged
-- since it follows them, and those that it has asked for. Of all others, what its records say is right.
create table {schema}.foreign_records (
    tenant_id uuid not null,
    -- As in the paths of the API: `accounts`.
    resource text collate "C" not null,
    id uuid not null,
    -- Of the record, when it was so; 0, if that was not told.
    version bigint not null,
    -- Null, if it was not told.
    name text,
    deleted boolean not null,
    -- The record that stands for it.
    winner_id uuid,

    constraint foreign_records_pkey primary key (tenant_id, resource, id),
    constraint foreign_records_not_itself check (winner_id <> id)
);
comment on index {schema}.foreign_records_pkey is 'What is known of this record?';

-- What was moved because of a merge there, with the version that it has since: what has another one has been changed.
create table {schema}.foreign_moves (
    tenant_id uuid not null,
    resource text collate "C" not null,
    -- The record that it named.
    merge_id uuid not null,
    -- What was moved: `opportunities`.
    kind text collate "C" not null,
    record_id uuid not null,
    version bigint not null,
    move_time timestamptz not null default now(),

    constraint foreign_moves_pkey primary key (tenant_id, resource, merge_id, kind, record_id)
);
comment on index {schema}.foreign_moves_pkey is 'What was moved because of a merge?';
create index foreign_moves_record_idx on {schema}.foreign_moves (tenant_id, record_id);
comment on index {schema}.foreign_moves_record_idx is 'Because of which merges was a record moved?';
create index foreign_moves_move_time_idx on {schema}.foreign_moves (tenant_id, move_time);
comment on index {schema}.foreign_moves_move_time_idx is 'Which are old enough to be forgotten?';

alter table {schema}.foreign_records enable row level security;
alter table {schema}.foreign_records force row level security;
create policy foreign_records_tenant on {schema}.foreign_records
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
alter table {schema}.foreign_moves enable row level security;
alter table {schema}.foreign_moves force row level security;
create policy foreign_moves_tenant on {schema}.foreign_moves
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- Which record stands for one that the other service told of at `seen`, and what was told of it since: nothing, if all is null
-- but the record. Until the transaction ends nobody else is told anything of it. The rows are read in statements of their own,
-- which see what was committed while the lock was waited for.
create function {schema}.hold_foreign(tenant uuid, kind text, asked uuid, seen bigint)
    returns table (stands uuid, told bigint, called text, gone boolean)
    language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    place text := '{schema}.foreign ' || tenant::text || ' ' || kind;
    one uuid := asked;
    since bigint := seen;
    winner uuid;
begin
    perform pg_advisory_xact_lock_shared(hashtextextended(place, 0));
    loop
        perform pg_advisory_xact_lock_shared(hashtextextended(place || ' ' || one::text, 0));
        select known.winner_id into winner from {schema}.foreign_records as known
            where known.tenant_id = tenant and known.resource = kind and known.id = one and known.version >= since;
        exit when winner is null;
        one := winner;
        since := 0;
    end loop;
    return query select one, known.version, known.name, known.deleted
        from (select 1) as it left join {schema}.foreign_records as known
        on known.tenant_id = tenant and known.resource = kind and known.id = one and known.version >= since;
end
$$;

-- Waits for all who hold these records, or any, if there are none: nobody else comes before the transaction ends. In the order
-- of hold_foreign: what was merged before what it was merged into.
create function {schema}.lock_foreign(tenant uuid, kind text, records uuid[]) returns void
    language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
declare
    place text := '{schema}.foreign ' || tenant::text || ' ' || kind;
    one uuid;
begin
    if cardinality(records) = 0 then
        perform pg_advisory_xact_lock(hashtextextended(place, 0));
        return;
    end if;
    for one in
        select it.id from unnest(records) as it (id) left join {schema}.foreign_records as known
        on known.tenant_id = tenant and known.resource = kind and known.id = it.id
        order by known.winner_id is null, it.id
    loop
        perform pg_advisory_xact_lock(hashtextextended(place || ' ' || one::text, 0));
    end loop;
end
$$;
