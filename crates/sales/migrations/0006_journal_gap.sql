-- Demo data are loaded without entries in the journal, at any time: whoever reads on must be told.

-- This transaction changes records of its tenant without entries. Whoever has not seen it is told so, and reads all anew.
create function sales.leave_journal_gap() returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    insert into sales.journal_floors as floors (tenant_id, transaction)
    values (nullif(current_setting('crm.tenant', true), '')::uuid, pg_current_xact_id())
    on conflict (tenant_id) do update set transaction = greatest(floors.transaction, excluded.transaction);
end;

-- Tenants of which something was written by these transactions, or by any from `next` on; of the latter at most so many
-- rows are looked at. For each its last transaction that has entries, and how many rows were looked at. Those are among
-- them of which these transactions changed what no entry tells.
create or replace function sales.journal_tenants(late xid8[], next xid8, at_most integer)
    returns table (tenant_id uuid, transaction xid8, entries bigint)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    select found.tenant_id, coalesce(max(found.transaction) filter (where found.is_entry), '0'::xid8),
        count(*) filter (where found.is_entry and found.transaction >= next)
    from (
        select tenant_id, transaction, true as is_entry from sales.journal where transaction = any (late)
        union all
        (select tenant_id, transaction, true from sales.journal where transaction >= next
            order by transaction limit at_most)
        union all
        select tenant_id, transaction, false from sales.journal_floors
        where transaction >= next or transaction = any (late)
    ) as found
    group by found.tenant_id;
end;

-- Forgets the first rows, in the order in which transactions began, while they are older than so many days; none that is
-- younger than 30, whoever asks. Answers how many.
--
-- Rows are found again by their places. A limit that is a parameter is planned as a tenth of the table: by their keys they
-- would be joined with all that there is, and what seems so dear would be compiled first.
create or replace function sales.sweep_journal(days integer, at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp set jit = off
begin atomic
    select set_config('crm.journal', 'all', true);
    with first as (
        select ctid as place, change_time from sales.journal order by transaction limit at_most
    ), old as (
        select ctid as place from sales.journal
        where ctid = any (array(
            select place from first where change_time < now() - make_interval(days => greatest(days, 30))
        ))
        for update skip locked
    ), gone as (
        delete from sales.journal where ctid = any (array(select place from old))
        returning tenant_id, transaction
    ), floors as (
        insert into sales.journal_floors as floors (tenant_id, transaction)
        select tenant_id, max(transaction) from gone group by tenant_id order by tenant_id
        on conflict (tenant_id) do update set transaction = greatest(floors.transaction, excluded.transaction)
    )
    select count(*) from gone;
end;
