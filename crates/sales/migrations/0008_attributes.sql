-- Which state the definitions of a tenant's resource are in: whoever changes one counts here first, and whoever writes
-- values holds the row, so that no definition changes under them.
create table sales.attribute_sets (
    tenant_id uuid not null,
    resource text collate "C" not null,
    version bigint not null,

    constraint attribute_sets_pkey primary key (tenant_id, resource),
    constraint attribute_sets_version_positive check (version > 0)
);

alter table sales.attribute_sets enable row level security;
alter table sales.attribute_sets force row level security;
create policy attribute_sets_tenant on sales.attribute_sets
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- Attributes that tenants give to records of this service, one row each, deleted ones included: a record may have values
-- of these, too.
create table sales.attribute_definitions (
    tenant_id uuid not null,
    id uuid not null,
    -- As in the paths of the API: `accounts`.
    resource text collate "C" not null,
    -- Of a deleted one as well: what is stored under it has its type.
    key text collate "C" not null,
    type text collate "C" not null,
    display_name text not null,
    description text not null default '',
    choices jsonb not null default '[]',
    required boolean not null default false,
    max_length integer,
    filterable boolean not null default false,
    -- Which filling of facets is under way, or was when it ended early: until there is none, the filter is refused.
    filling uuid,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint attribute_definitions_pkey primary key (tenant_id, id),
    constraint attribute_definitions_key_key unique (tenant_id, resource, key),
    constraint attribute_definitions_key_form check (key ~ '^[a-z][a-z0-9_]{0,39}$'),
    constraint attribute_definitions_type_known check (type in ('text', 'number', 'date', 'choice')),
    constraint attribute_definitions_display_name_length check (char_length(display_name) between 1 and 100),
    constraint attribute_definitions_description_length check (char_length(description) <= 1000),
    constraint attribute_definitions_choice_has_choices check ((type = 'choice') = (jsonb_array_length(choices) > 0)),
    constraint attribute_definitions_choices_count check (jsonb_array_length(choices) <= 100),
    constraint attribute_definitions_max_length_range check (type = 'text' and max_length between 1 and 1000 or max_length is null),
    constraint attribute_definitions_filling_filterable check (filterable or filling is null),
    constraint attribute_definitions_version_positive check (version > 0)
);

comment on index sales.attribute_definitions_key_key is 'The definitions of a resource.';
create index attribute_definitions_resource_key_idx on sales.attribute_definitions (tenant_id, resource, key, id);
comment on index sales.attribute_definitions_resource_key_idx is 'Definitions of a resource by key.';
create index attribute_definitions_key_idx on sales.attribute_definitions (tenant_id, key, id);
comment on index sales.attribute_definitions_key_idx is 'Definitions by key.';
create index attribute_definitions_update_time_idx on sales.attribute_definitions (tenant_id, update_time, id);
comment on index sales.attribute_definitions_update_time_idx is
    'Definitions by time of last change; definitions changed since.';

alter table sales.attribute_definitions enable row level security;
alter table sales.attribute_definitions force row level security;
create policy attribute_definitions_tenant on sales.attribute_definitions
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy attribute_definitions_keys on sales.attribute_definitions to current_user
    using (current_setting('crm.make_keys', true) = 'on');

-- What a record has of them, by their keys: in its row, and read with it. Values of deleted definitions are kept.
alter table sales.products add column attributes jsonb not null default '{}',
    add constraint products_attributes_object check (jsonb_typeof(attributes) = 'object'),
    add constraint products_attributes_size check (octet_length(attributes::text) <= 20000);
