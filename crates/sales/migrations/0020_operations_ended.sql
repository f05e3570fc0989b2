-- Who waits for an operation in one process is told of its end in another.

-- Which of these operations have ended: for all who wait in a process, of whichever tenants, at once.
create function sales.ended_operations(tenants uuid[], ids uuid[]) returns table (tenant_id uuid, id uuid)
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.operations', 'all', true);
    select operations.tenant_id, operations.id
    from unnest(tenants, ids) as waited (tenant_id, id)
    join sales.operations as operations
        on (operations.tenant_id, operations.id) = (waited.tenant_id, waited.id)
    where operations.end_time is not null;
end;
