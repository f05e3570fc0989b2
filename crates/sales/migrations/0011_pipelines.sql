-- Pipelines: the ways that opportunities go, one row each, deleted ones included.
create table sales.pipelines (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    name_key text collate "C" not null,
    -- JSON: stages in their order, and the ids of those that were merged into others. Up to fifty, always read and written
    -- whole; nothing asks the database for a part of them.
    stages text not null,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint pipelines_pkey primary key (tenant_id, id),
    constraint pipelines_name_length check (char_length(name) between 1 and 200),
    constraint pipelines_name_key_length check (octet_length(name_key) <= 800),
    constraint pipelines_version_positive check (version > 0)
);

create unique index pipelines_name_key on sales.pipelines (tenant_id, name_key) where delete_time is null;
comment on index sales.pipelines_name_key is 'Is the name taken? A deleted pipeline gives its name free.';
create index pipelines_name_idx on sales.pipelines (tenant_id, name_key, id);
comment on index sales.pipelines_name_idx is 'Pipelines by name; pipelines whose name begins with a text.';
create index pipelines_update_time_idx on sales.pipelines (tenant_id, update_time, id);
comment on index sales.pipelines_update_time_idx is 'Pipelines by time of last change; pipelines changed since.';

alter table sales.pipelines enable row level security;
alter table sales.pipelines force row level security;
create policy pipelines_tenant on sales.pipelines
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy pipelines_keys on sales.pipelines to current_user
    using (current_setting('crm.make_keys', true) = 'on');
