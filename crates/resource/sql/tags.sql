-- Tags that records of this service can have, one row each, deleted ones included.
create table {schema}.tags (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    name_key text collate "C" not null,
    -- `#` and six digits in lower case, or nothing.
    colour text collate "C" not null default '',
    description text not null default '',
    -- Set together with `delete_time`, for good: which tag its records have in its place.
    merged_into uuid,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint tags_pkey primary key (tenant_id, id),
    constraint tags_merged_into_fkey foreign key (tenant_id, merged_into) references {schema}.tags (tenant_id, id),
    constraint tags_merged_is_deleted check (merged_into is null or delete_time is not null),
    constraint tags_name_length check (char_length(name) between 1 and 60),
    constraint tags_colour_form check (colour ~ '^(#[0-9a-f]{6})?$'),
    constraint tags_description_length check (char_length(description) <= 500),
    constraint tags_version_positive check (version > 0)
);

create unique index tags_name_key on {schema}.tags (tenant_id, name_key) where delete_time is null;
comment on index {schema}.tags_name_key is 'Of all tags that are not deleted, is there one with this name, and how many are there?';
create index tags_name_idx on {schema}.tags (tenant_id, name_key, id);
comment on index {schema}.tags_name_idx is 'Tags by name; tags whose name begins so.';
create index tags_update_time_idx on {schema}.tags (tenant_id, update_time, id);
comment on index {schema}.tags_update_time_idx is 'Tags by time of last change; tags changed since.';

alter table {schema}.tags enable row level security;
alter table {schema}.tags force row level security;
create policy tags_tenant on {schema}.tags
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy tags_keys on {schema}.tags to current_user
    using (current_setting('crm.make_keys', true) = 'on');
