-- Operations: work that goes on when its caller is gone, a row each.

create table {schema}.operations (
    tenant_id uuid not null,
    -- UUIDv7, so that the newest are the greatest.
    id uuid not null,
    -- The RPC that began it, and what it counts.
    kind text collate "C" not null,
    unit text collate "C" not null,
    state text collate "C" not null default 'waiting',
    -- Who asked for it, as the token said: what it changes is changed in this name.
    subject text not null,
    role text collate "C" not null,
    -- The span of that call, if its trace is kept.
    traceparent text collate "C",
    -- google.protobuf.Any: the message that asked for it.
    request bytea not null,
    -- Where the next step begins, in the kind's own form: changed by the transaction that makes the step's changes.
    position jsonb,
    done bigint not null default 0,
    total bigint,
    -- Counts who claimed it. Whoever commits a step says by which claim: under an earlier one nothing is committed.
    claim bigint not null default 0,
    -- Claims since a step was committed or the operation was given back in good health; of a process that dies, too.
    tries integer not null default 0,
    -- From when on a replica may claim it: at once, after a pause, or when the lease of the one that has it runs out. None
    -- once it has ended.
    due_time timestamptz default now(),
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    cancel_time timestamptz,
    end_time timestamptz,
    -- google.protobuf.Any
    response bytea,
    -- google.rpc.Status
    error bytea,
    -- Whether it named somebody who was erased: request and results are empty since.
    erased boolean not null default false,

    constraint operations_pkey primary key (tenant_id, id),
    constraint operations_state_known check (state in ('waiting', 'running', 'succeeded', 'failed', 'cancelled')),
    constraint operations_ended_once check (
        (state in ('waiting', 'running')) = (due_time is not null) and (due_time is null) = (end_time is not null)
    )
);

comment on index {schema}.operations_pkey is 'Which one? A tenant''s operations, newest first.';
create index operations_due_idx on {schema}.operations (tenant_id, due_time) where due_time is not null;
comment on index {schema}.operations_due_idx is 'Which tenants have something to be done, and what has waited longest?';
create index operations_end_time_idx on {schema}.operations (end_time) where end_time is not null;
comment on index {schema}.operations_end_time_idx is 'Which are old enough to be forgotten?';

alter table {schema}.operations enable row level security;
alter table {schema}.operations force row level security;
create policy operations_tenant on {schema}.operations
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
-- The functions below cross tenants, which the service's role cannot: the owner may, while it says that it does.
create policy operations_functions on {schema}.operations to current_user
    using (current_setting('crm.operations', true) = 'all');

-- Claims an operation of a known kind that is due, for as long as the lease says. Whose is drawn by lot among the tenants
-- that have any, `busy` ones left out: who has a thousand waits no less than who has one. Of that tenant it is the one that
-- has waited longest.
create function {schema}.claim_operation(known text[], busy uuid[], lease interval)
    returns table (tenant_id uuid, id uuid, claim bigint, kind text, subject text, role text, traceparent text)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.operations', 'all', true);
    with recursive tenants (tenant_id) as (
        -- One step down the index for each.
        (select due.tenant_id from {schema}.operations as due
         where due.due_time <= now() order by due.tenant_id limit 1)
        union all
        select (select due.tenant_id from {schema}.operations as due
                where due.due_time <= now() and due.tenant_id > tenants.tenant_id order by due.tenant_id limit 1)
        from tenants where tenants.tenant_id is not null
    ), drawn as (
        select tenants.tenant_id from tenants where tenants.tenant_id <> all (busy) order by random()
    ), chosen as (
        select next.tenant_id, next.id from drawn cross join lateral (
            select due.tenant_id, due.id from {schema}.operations as due
            where due.tenant_id = drawn.tenant_id and due.due_time <= now() and due.kind = any (known)
            order by due.due_time limit 1 for update skip locked
        ) as next limit 1
    )
    update {schema}.operations as found
    set state = 'running', claim = found.claim + 1, tries = found.tries + 1, due_time = now() + lease, update_time = now()
    from chosen where (found.tenant_id, found.id) = (chosen.tenant_id, chosen.id)
    returning found.tenant_id, found.id, found.claim, found.kind, found.subject, found.role, found.traceparent;
end;

-- How many could be claimed now; counted up to so many.
create function {schema}.waiting_operations(known text[], at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.operations', 'all', true);
    select count(*) from (
        select from {schema}.operations where due_time <= now() and kind = any (known) limit at_most
    ) as waiting;
end;

-- Forgets operations that ended more than 30 days ago. Answers how many.
create function {schema}.sweep_operations(at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.operations', 'all', true);
    with old as (
        select tenant_id, id from {schema}.operations where end_time < now() - interval '30 days'
        order by end_time limit at_most for update skip locked
    ), gone as (
        delete from {schema}.operations as operations using old
        where (operations.tenant_id, operations.id) = (old.tenant_id, old.id)
        returning 1
    )
    select count(*) from gone;
end;

-- Which of these operations have ended: for all who wait in a process, of whichever tenants, at once.
create function {schema}.ended_operations(tenants uuid[], ids uuid[]) returns table (tenant_id uuid, id uuid)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.operations', 'all', true);
    select operations.tenant_id, operations.id
    from unnest(tenants, ids) as waited (tenant_id, id)
    join {schema}.operations as operations
        on (operations.tenant_id, operations.id) = (waited.tenant_id, waited.id)
    where operations.end_time is not null;
end;
