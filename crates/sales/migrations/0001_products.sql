-- Products: what is sold, one row each, deleted ones included.
create schema if not exists sales;

create table sales.products (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    -- Texts as they are searched and sorted: case-folded, without what does not show. Made by the service.
    name_key text collate "C" not null,
    sku text not null default '',
    sku_key text collate "C" not null default '',
    unit text not null default '',
    -- Whole minor units: sums stay exact.
    price_minor bigint,
    price_currency text collate "C",
    active boolean not null default true,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint products_pkey primary key (tenant_id, id),
    constraint products_name_length check (char_length(name) between 1 and 200),
    constraint products_name_key_length check (octet_length(name_key) <= 800),
    constraint products_sku_length check (char_length(sku) <= 60),
    constraint products_sku_key_length check (octet_length(sku_key) <= 800),
    constraint products_unit_length check (char_length(unit) <= 60),
    constraint products_price_range check (price_minor >= 0),
    constraint products_price_currency check (
        (price_minor is null) = (price_currency is null) and price_currency ~ '^[A-Z]{3}$'
    ),
    constraint products_version_positive check (version > 0)
);

create unique index products_sku_key on sales.products (tenant_id, sku_key) where delete_time is null and sku_key <> '';
comment on index sales.products_sku_key is 'Is the SKU taken? A deleted product gives its SKU free.';
-- Each list index ends with its order and the id, so that a page is a range of it; deleted rows are in it, too.
create index products_sku_idx on sales.products (tenant_id, sku_key, name_key, id);
comment on index sales.products_sku_idx is 'Which products have this SKU, deleted ones included, by name? Other orders sort what is found: few, but for those without a SKU.';
create index products_name_idx on sales.products (tenant_id, name_key, id);
comment on index sales.products_name_idx is 'Products by name; products whose name begins with a text.';
create index products_update_time_idx on sales.products (tenant_id, update_time, id);
comment on index sales.products_update_time_idx is 'Products by time of last change; products changed since.';
create index products_active_name_idx on sales.products (tenant_id, active, name_key, id);
comment on index sales.products_active_name_idx is 'Products that are sold at present, or not, by name.';
create index products_active_update_time_idx on sales.products (tenant_id, active, update_time, id);
comment on index sales.products_active_update_time_idx is 'Products that are sold at present, or not, by time of last change.';

alter table sales.products enable row level security;
-- Forced: the table's owner obeys, too.
alter table sales.products force row level security;
-- After a commit the setting is '', not null. Without a tenant nothing is visible and nothing can be written.
create policy products_tenant on sales.products
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
