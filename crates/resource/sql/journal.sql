-- What changed: one row for each change of a record, written by the statement that changes it.

-- One value at a time, never a stock kept by a session: of two values, the one that was drawn later is the greater.
create sequence {schema}.journal_sequence as bigint cache 1;

create table {schema}.journal (
    tenant_id uuid not null,
    -- Stands before `sequence`, for columns are filled in their order: a transaction has its id before it draws a number.
    transaction xid8 not null default pg_current_xact_id(),
    -- Drawn while the record is locked, so that those of one record are in the order of its versions.
    sequence bigint not null default nextval('{schema}.journal_sequence'),
    -- As in the paths of the API: `accounts`.
    resource text collate "C" not null,
    record_id uuid not null,
    version bigint not null,
    kind text collate "C" not null,
    -- Who, as the token says.
    subject text not null,
    role text collate "C" not null,
    change_time timestamptz not null,
    -- By the API's name of each field that changed: from what to what, as the API's JSON has it.
    changes jsonb not null,
    -- The same of the fields that say something of a person: what an erasure has to reach is here and nowhere else.
    personal jsonb,
    -- The call's span, if its trace is kept.
    traceparent text collate "C",
    -- Whether its values were erased: of the change, that it was made is left.
    erased boolean not null default false,
    -- Who alone may be told; of what everybody of the tenant may see, nobody.
    reader text collate "C",

    constraint journal_pkey primary key (tenant_id, sequence),
    constraint journal_record_key unique (tenant_id, resource, record_id, version),
    constraint journal_kind_known check (kind in ('created', 'updated', 'deleted', 'undeleted', 'erased'))
);

comment on index {schema}.journal_pkey is 'What came after a number, in its order?';
comment on index {schema}.journal_record_key is 'The history of a record, newest first; each version stands there once.';
create index journal_transaction_idx on {schema}.journal (transaction, tenant_id, sequence);
comment on index {schema}.journal_transaction_idx is
    'What did these transactions write? Which tenants have something new? What is oldest?';

alter table {schema}.journal enable row level security;
alter table {schema}.journal force row level security;
-- No policy lets a tenant change or delete a row: what is written stays as it is. Erasures have a function of their own.
create policy journal_read on {schema}.journal for select
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy journal_write on {schema}.journal for insert
    with check (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
-- The functions below cross tenants, which the service's role cannot: the owner may, while it says that it does.
create policy journal_functions on {schema}.journal to current_user
    using (current_setting('crm.journal', true) = 'all');

-- Up to where a tenant's rows have been swept, or were changed without entries: who has not seen all transactions up to this
-- one may have missed some.
create table {schema}.journal_floors (
    tenant_id uuid not null,
    transaction xid8 not null,

    constraint journal_floors_pkey primary key (tenant_id)
);

alter table {schema}.journal_floors enable row level security;
alter table {schema}.journal_floors force row level security;
create policy journal_floors_read on {schema}.journal_floors for select
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy journal_floors_functions on {schema}.journal_floors to current_user
    using (current_setting('crm.journal', true) = 'all');

-- Forgets the first rows, in the order in which transactions began, while they are older than so many days; none that is
-- younger than 30, whoever asks. Answers how many.
--
-- Rows are found again by their places. A limit that is a parameter is planned as a tenth of the table: by their keys they
-- would be joined with all that there is, and what seems so dear would be compiled first.
create function {schema}.sweep_journal(days integer, at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp set jit = off
begin atomic
    select set_config('crm.journal', 'all', true);
    with first as (
        select ctid as place, change_time from {schema}.journal order by transaction limit at_most
    ), old as (
        select ctid as place from {schema}.journal
        where ctid = any (array(
            select place from first where change_time < now() - make_interval(days => greatest(days, 30))
        ))
        for update skip locked
    ), gone as (
        delete from {schema}.journal where ctid = any (array(select place from old))
        returning tenant_id, transaction
    ), floors as (
        insert into {schema}.journal_floors as floors (tenant_id, transaction)
        select tenant_id, max(transaction) from gone group by tenant_id order by tenant_id
        on conflict (tenant_id) do update set transaction = greatest(floors.transaction, excluded.transaction)
    )
    select count(*) from gone;
end;

-- Tenants of which something was written by these transactions, or by any from `next` on; of the latter at most so many
-- rows are looked at. For each its last transaction that has entries, and how many rows were looked at. Those are among
-- them of which these transactions changed what no entry tells.
create function {schema}.journal_tenants(late xid8[], next xid8, at_most integer)
    returns table (tenant_id uuid, transaction xid8, entries bigint)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    select found.tenant_id, coalesce(max(found.transaction) filter (where found.is_entry), '0'::xid8),
        count(*) filter (where found.is_entry and found.transaction >= next)
    from (
        select tenant_id, transaction, true as is_entry from {schema}.journal where transaction = any (late)
        union all
        (select tenant_id, transaction, true from {schema}.journal where transaction >= next
            order by transaction limit at_most)
        union all
        select tenant_id, transaction, false from {schema}.journal_floors
        where transaction >= next or transaction = any (late)
    ) as found
    group by found.tenant_id;
end;

-- This transaction changes records of its tenant without entries. Whoever has not seen it is told so, and reads all anew.
create function {schema}.leave_journal_gap() returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    insert into {schema}.journal_floors as floors (tenant_id, transaction)
    values (nullif(current_setting('crm.tenant', true), '')::uuid, pg_current_xact_id())
    on conflict (tenant_id) do update set transaction = greatest(floors.transaction, excluded.transaction);
end;
