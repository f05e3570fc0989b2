-- Saved views: lists as somebody wants to see them again, one row each, deleted ones included.
create table {schema}.saved_views (
    tenant_id uuid not null,
    id uuid not null,
    -- What it lists, as in the paths of the API: `accounts`.
    resource text collate "C" not null,
    name text not null,
    name_key text collate "C" not null,
    -- As the list takes them.
    filter text not null default '',
    order_by text not null default '',
    columns text[] not null default '{}',
    visibility text collate "C" not null,
    -- Whose token it was.
    owner text collate "C" not null,
    -- Who alone sees it; empty of what is shared. Row-level security knows no callers: each statement asks for it.
    reader text collate "C" not null,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint saved_views_pkey primary key (tenant_id, id),
    constraint saved_views_name_length check (char_length(name) between 1 and 100),
    constraint saved_views_name_key_length check (octet_length(name_key) <= 800),
    constraint saved_views_filter_length check (char_length(filter) <= 4096),
    constraint saved_views_order_length check (char_length(order_by) <= 200),
    constraint saved_views_columns_count check (cardinality(columns) <= 50 and array_position(columns, null) is null),
    constraint saved_views_visibility_known check (visibility in ('private', 'shared')),
    constraint saved_views_owner_known check (owner <> ''),
    constraint saved_views_private_for_owner check (reader = case visibility when 'private' then owner else '' end),
    constraint saved_views_version_positive check (version > 0)
);

create index saved_views_reader_idx on {schema}.saved_views (tenant_id, reader, name_key, id);
comment on index {schema}.saved_views_reader_idx is
    'The views that somebody sees, and how many there are. Two ranges, a few hundred rows: they are sorted.';

alter table {schema}.saved_views enable row level security;
alter table {schema}.saved_views force row level security;
create policy saved_views_tenant on {schema}.saved_views
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy saved_views_keys on {schema}.saved_views to current_user
    using (current_setting('crm.make_keys', true) = 'on');
