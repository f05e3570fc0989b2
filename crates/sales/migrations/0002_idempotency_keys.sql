-- Request ids of creates (AIP-155): the same id gives the same answer for at least 24 hours.
create table sales.idempotency_keys (
    tenant_id uuid not null default nullif(current_setting('crm.tenant', true), '')::uuid,
    -- The method, such as sales.CreateProduct: two methods may be given the same id.
    scope text collate "C" not null,
    request_id uuid not null,
    -- SHA-256 of the request without its id.
    body_hash bytea not null,
    -- Null only until the transaction that claimed the id stores its answer, so nobody else ever sees it null.
    answer bytea,
    create_time timestamptz not null default now(),

    constraint idempotency_keys_pkey primary key (tenant_id, scope, request_id),
    constraint idempotency_keys_scope_length check (octet_length(scope) between 1 and 100),
    constraint idempotency_keys_body_hash_length check (octet_length(body_hash) = 32)
);

create index idempotency_keys_create_time_idx on sales.idempotency_keys (create_time);
comment on index sales.idempotency_keys_create_time_idx is 'Which ids are old enough to be forgotten?';

alter table sales.idempotency_keys enable row level security;
alter table sales.idempotency_keys force row level security;
create policy idempotency_keys_tenant on sales.idempotency_keys
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- Sweeping crosses tenants, which the service's role cannot. The owner may see old ids, through this function alone,
-- which answers nothing but a count.
create policy idempotency_keys_sweep on sales.idempotency_keys to current_user
    using (create_time < now() - interval '24 hours');

create function sales.sweep_idempotency_keys(at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    with old as (
        select tenant_id, scope, request_id from sales.idempotency_keys
        where create_time < now() - interval '24 hours'
        order by create_time limit at_most for update skip locked
    ), gone as (
        delete from sales.idempotency_keys as keys using old
        where (keys.tenant_id, keys.scope, keys.request_id) = (old.tenant_id, old.scope, old.request_id)
        returning 1
    )
    select count(*) from gone;
end;
