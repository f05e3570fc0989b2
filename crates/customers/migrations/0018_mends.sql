-- What a contact took from another one, in a merge that was undone, stands in its own history: an erasure of the other one takes
-- the values from those entries alone.
create function customers.erase_entries(erased_resource text, erased_id uuid, versions bigint[]) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    with erased as (
        update customers.journal set changes = '{}', personal = null, erased = true
        where tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid
          and resource = erased_resource and record_id = erased_id and version = any (versions)
          and not erased and kind <> 'erased'
        returning 1
    )
    select count(*) from erased;
end;
