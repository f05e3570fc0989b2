-- Up to where this service has followed others: a row for each follower and tenant, moved in the transaction that makes
-- what follows from the changes before it.
create table {schema}.follower_cursors (
    -- The nil one stands for all: its cursor says of which tenants the follower has been told.
    tenant_id uuid not null default nullif(current_setting('crm.tenant', true), '')::uuid,
    -- Its name, as the service has it.
    follower text collate "C" not null,
    -- As the source gave it.
    cursor text collate "C" not null,
    move_time timestamptz not null default now(),

    constraint follower_cursors_pkey primary key (tenant_id, follower),
    constraint follower_cursors_follower_length check (octet_length(follower) between 1 and 100)
);

alter table {schema}.follower_cursors enable row level security;
alter table {schema}.follower_cursors force row level security;
create policy follower_cursors_tenant on {schema}.follower_cursors
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
