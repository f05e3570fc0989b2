-- Demo data are loaded without entries in the journal, at any time: whoever reads on must be told.

-- This transaction changes records of its tenant without entries. Whoever has not seen it is told so, and reads all anew.
create function customers.leave_journal_gap() returns void
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    insert into customers.journal_floors as floors (tenant_id, transaction)
    values (nullif(current_setting('crm.tenant', true), '')::uuid, pg_current_xact_id())
    on conflict (tenant_id) do update set transaction = greatest(floors.transaction, excluded.transaction);
end;

-- Tenants of which something was written by these transactions, or by any from `next` on; of the latter at most so many
-- rows are looked at. For each its last transaction that has entries, and how many rows were looked at. Those are among
-- them of which these transactions changed what no entry tells.
create or replace function customers.journal_tenants(late xid8[], next xid8, at_most integer)
    returns table (tenant_id uuid, transaction xid8, entries bigint)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    select found.tenant_id, coalesce(max(found.transaction) filter (where found.is_entry), '0'::xid8),
        count(*) filter (where found.is_entry and found.transaction >= next)
    from (
        select tenant_id, transaction, true as is_entry from customers.journal where transaction = any (late)
        union all
        (select tenant_id, transaction, true from customers.journal where transaction >= next
            order by transaction limit at_most)
        union all
        select tenant_id, transaction, false from customers.journal_floors
        where transaction >= next or transaction = any (late)
    ) as found
    group by found.tenant_id;
end;
