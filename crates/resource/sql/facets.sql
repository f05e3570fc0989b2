create table {schema}.facets (
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

comment on index {schema}.facets_pkey is 'Which records have this tag, or an attribute with such a value?';

alter table {schema}.facets enable row level security;
alter table {schema}.facets force row level security;
create policy facets_tenant on {schema}.facets
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
