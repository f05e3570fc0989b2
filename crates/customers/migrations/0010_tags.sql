-- What records are found by beside their columns (docs/adr/0041): one row for each tag of a record, and for each attribute that
-- lists can be filtered by; of deleted records, too. Written by the statement that writes the record.
--
-- The primary key is the only index: what a record has is known from its fields, so nothing has to find it by its id.
create table customers.facets (
    tenant_id uuid not null,
    -- As in the paths of the API: `accounts`.
    resource text collate "C" not null,
    -- A tag, or what defines an attribute.
    facet uuid not null,
    -- Of a tag nothing; of an attribute its value, in a form that is ordered by its bytes as the values are.
    value text collate "C" not null,
    record_id uuid not null,

    constraint facets_pkey primary key (tenant_id, resource, facet, value, record_id),
    constraint facets_value_length check (octet_length(value) <= 600)
);

comment on index customers.facets_pkey is 'Which records have this tag, or an attribute with such a value?';

alter table customers.facets enable row level security;
alter table customers.facets force row level security;
create policy facets_tenant on customers.facets
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- In their order, none twice; what they are is in `tags`.
alter table customers.accounts
    add column tag_ids uuid[] not null default '{}',
    add constraint accounts_tag_ids_count check (cardinality(tag_ids) <= 20);
alter table customers.contacts
    add column tag_ids uuid[] not null default '{}',
    add constraint contacts_tag_ids_count check (cardinality(tag_ids) <= 20);

-- Tags that records of this service can have, one row each, deleted ones included.
create table customers.tags (
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
    constraint tags_merged_into_fkey foreign key (tenant_id, merged_into) references customers.tags (tenant_id, id),
    constraint tags_merged_is_deleted check (merged_into is null or delete_time is not null),
    constraint tags_name_length check (char_length(name) between 1 and 60),
    constraint tags_colour_form check (colour ~ '^(#[0-9a-f]{6})?$'),
    constraint tags_description_length check (char_length(description) <= 500),
    constraint tags_version_positive check (version > 0)
);

create unique index tags_name_key on customers.tags (tenant_id, name_key) where delete_time is null;
comment on index customers.tags_name_key is 'Of all tags that are not deleted, is there one with this name, and how many are there?';
create index tags_name_idx on customers.tags (tenant_id, name_key, id);
comment on index customers.tags_name_idx is 'Tags by name; tags whose name begins so.';
create index tags_update_time_idx on customers.tags (tenant_id, update_time, id);
comment on index customers.tags_update_time_idx is 'Tags by time of last change; tags changed since.';

alter table customers.tags enable row level security;
alter table customers.tags force row level security;
create policy tags_tenant on customers.tags
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy tags_keys on customers.tags to current_user
    using (current_setting('crm.make_keys', true) = 'on');
