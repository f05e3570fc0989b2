-- Accounts: companies and organizations, one row each, deleted ones included.
create schema if not exists customers;

create table customers.accounts (
    -- First in the primary key and in every index: no question is ever asked across tenants.
    tenant_id uuid not null,
    -- UUIDv7 made by the service, so that new rows land at the end of the primary key.
    id uuid not null,
    name text not null,
    -- `name` as it is searched and sorted: compatibility-normalised, lower case, single spaces, cut to 200 characters.
    -- Byte order ("C") makes a prefix a range; `like` could not use an index under row-level security.
    name_key text collate "C" not null,
    domain text collate "C",
    industry text collate "C" not null default '',
    country text not null default '',
    territory text collate "C" not null default '',
    owner text collate "C" not null default '',
    employees integer,
    -- Whole minor units: numeric comparisons are not leakproof, bigint ones are, and sums stay exact.
    annual_revenue_minor bigint,
    annual_revenue_currency text collate "C",
    founded_year integer,
    parent_id uuid,
    -- Counts the changes of the row. The etag shows it; the caches order fills by it.
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint accounts_pkey primary key (tenant_id, id),
    constraint accounts_name_length check (char_length(name) between 1 and 200),
    constraint accounts_name_key_length check (octet_length(name_key) <= 800),
    constraint accounts_domain_form check (domain <> '' and domain = lower(domain) and octet_length(domain) <= 253),
    constraint accounts_industry_length check (char_length(industry) <= 60),
    constraint accounts_country_length check (char_length(country) <= 60),
    constraint accounts_territory_length check (char_length(territory) <= 60),
    constraint accounts_owner_length check (char_length(owner) <= 100),
    constraint accounts_employees_range check (employees between 0 and 10000000),
    constraint accounts_revenue_range check (annual_revenue_minor >= 0),
    constraint accounts_revenue_currency check (
        (annual_revenue_minor is null) = (annual_revenue_currency is null)
        and annual_revenue_currency ~ '^[A-Z]{3}$'
    ),
    constraint accounts_founded_year_range check (founded_year between 1000 and 2100),
    -- Longer loops are refused by the service, which holds the tenant's hierarchy lock while it looks.
    constraint accounts_parent_not_self check (parent_id <> id),
    constraint accounts_version_positive check (version > 0),
    -- The tenant is part of the reference: a parent in another tenant cannot be named.
    constraint accounts_parent_fkey foreign key (tenant_id, parent_id) references customers.accounts (tenant_id, id)
);

-- Deleted rows stay in the list indexes: they are few, and so one index answers with and without `show_deleted`.
-- Each list index ends with its order and the id, so that a page is a range of it: no sort, no matter how deep the page.
create unique index accounts_domain_key on customers.accounts (tenant_id, domain) where delete_time is null;
comment on index customers.accounts_domain_key is 'Is the domain taken? A deleted account gives its domain free.';
create index accounts_name_idx on customers.accounts (tenant_id, name_key, id);
comment on index customers.accounts_name_idx is 'Accounts by name; accounts whose name begins with a text.';
create index accounts_update_time_idx on customers.accounts (tenant_id, update_time, id);
comment on index customers.accounts_update_time_idx is 'Accounts by time of last change; accounts changed since.';
create index accounts_owner_name_idx on customers.accounts (tenant_id, owner, name_key, id);
comment on index customers.accounts_owner_name_idx is 'Accounts of an owner by name.';
create index accounts_owner_update_time_idx on customers.accounts (tenant_id, owner, update_time, id);
comment on index customers.accounts_owner_update_time_idx is 'Accounts of an owner by time of last change.';
create index accounts_industry_name_idx on customers.accounts (tenant_id, industry, name_key, id);
comment on index customers.accounts_industry_name_idx is 'Accounts of an industry by name.';
create index accounts_industry_update_time_idx on customers.accounts (tenant_id, industry, update_time, id);
comment on index customers.accounts_industry_update_time_idx is 'Accounts of an industry by time of last change.';
create index accounts_territory_name_idx on customers.accounts (tenant_id, territory, name_key, id);
comment on index customers.accounts_territory_name_idx is 'Accounts of a territory by name.';
create index accounts_territory_update_time_idx on customers.accounts (tenant_id, territory, update_time, id);
comment on index customers.accounts_territory_update_time_idx is 'Accounts of a territory by time of last change.';
create index accounts_parent_idx on customers.accounts (tenant_id, parent_id, name_key, id) where parent_id is not null;
comment on index customers.accounts_parent_idx is 'Subsidiaries of an account by name; has it any? One account has few: other orders sort them.';

alter table customers.accounts enable row level security;
-- Forced: the table's owner obeys, too.
alter table customers.accounts force row level security;
-- After a commit the setting is '', not null. Without a tenant nothing is visible and nothing can be written.
create policy accounts_tenant on customers.accounts
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
