-- Erasures: what was erased for good, when and by whom. Nothing in a row says anything of the person.
create table {schema}.erasures (
    tenant_id uuid not null,
    -- As in the paths of the API: `contacts`.
    resource text collate "C" not null,
    record_id uuid not null,
    -- Who asked for it, as the token said.
    subject text not null,
    begin_time timestamptz not null default now(),
    -- None until nothing is left: the record is there still, deleted, and nobody brings it back.
    end_time timestamptz,

    constraint erasures_pkey primary key (tenant_id, resource, record_id)
);

comment on index {schema}.erasures_pkey is 'Was it erased, or is it being erased?';

alter table {schema}.erasures enable row level security;
alter table {schema}.erasures force row level security;
create policy erasures_tenant on {schema}.erasures
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- Takes the values from what the journal has of these records. The entries stay, in their places, and say so; they are those
-- of the tenant that the transaction is for. Answers how many.
create function {schema}.erase_changes(erased_resource text, ids uuid[]) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    with erased as (
        update {schema}.journal set changes = '{}', personal = null, erased = true
        where tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid
          and resource = erased_resource and record_id = any (ids) and not erased and kind <> 'erased'
        returning 1
    )
    select count(*) from erased;
end;

-- The same of some entries of one record.
create function {schema}.erase_entries(erased_resource text, erased_id uuid, versions bigint[]) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.journal', 'all', true);
    with erased as (
        update {schema}.journal set changes = '{}', personal = null, erased = true
        where tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid
          and resource = erased_resource and record_id = erased_id and version = any (versions)
          and not erased and kind <> 'erased'
        returning 1
    )
    select count(*) from erased;
end;
