-- Exchange rates: what one unit of a currency is worth in another from some day on, one row each, deleted ones included.
create table sales.exchange_rates (
    tenant_id uuid not null,
    id uuid not null,
    base_currency text collate "C" not null,
    quote_currency text collate "C" not null,
    -- As text in the form of ISO 8601, whose order is that of time.
    start_date text collate "C" not null,
    -- Units of the quote currency for one of the base currency, in trillionths: what is converted stays exact.
    rate_trillionths bigint not null,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint exchange_rates_pkey primary key (tenant_id, id),
    constraint exchange_rates_base_currency_form check (base_currency ~ '^[A-Z]{3}$'),
    constraint exchange_rates_quote_currency_form check (quote_currency ~ '^[A-Z]{3}$'),
    constraint exchange_rates_currencies_differ check (base_currency <> quote_currency),
    constraint exchange_rates_start_date_form check (start_date ~ '^[0-9]{4}-[0-9]{2}-[0-9]{2}$'),
    constraint exchange_rates_rate_range check (rate_trillionths between 1 and 9000000000000000000),
    constraint exchange_rates_version_positive check (version > 0)
);

create unique index exchange_rates_start_date_key
    on sales.exchange_rates (tenant_id, quote_currency, base_currency, start_date) where delete_time is null;
comment on index sales.exchange_rates_start_date_key is 'Which rate holds on a day? Does another one of the same currencies begin on it? A deleted rate gives its day free.';
create index exchange_rates_start_date_idx on sales.exchange_rates (tenant_id, start_date, id);
comment on index sales.exchange_rates_start_date_idx is 'Rates by the day on which they begin.';
create index exchange_rates_base_currency_idx on sales.exchange_rates (tenant_id, base_currency, start_date, id);
comment on index sales.exchange_rates_base_currency_idx is 'Rates of a currency by the day on which they begin. Other orders sort what is found: few.';
create index exchange_rates_update_time_idx on sales.exchange_rates (tenant_id, update_time, id);
comment on index sales.exchange_rates_update_time_idx is 'Rates by time of last change; rates changed since.';

alter table sales.exchange_rates enable row level security;
alter table sales.exchange_rates force row level security;
create policy exchange_rates_tenant on sales.exchange_rates
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy exchange_rates_keys on sales.exchange_rates to current_user
    using (current_setting('crm.make_keys', true) = 'on');

-- What a tenant has chosen for all of sales: one row, once it has chosen something.
create table sales.sales_settings (
    tenant_id uuid not null,
    -- The tenant's: a record like others, of which there is one.
    id uuid not null,
    -- Empty until it is chosen.
    reporting_currency text collate "C" not null default '',
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint sales_settings_pkey primary key (tenant_id, id),
    constraint sales_settings_single check (id = tenant_id and delete_time is null),
    constraint sales_settings_reporting_currency_form check (reporting_currency ~ '^([A-Z]{3})?$'),
    constraint sales_settings_version_positive check (version > 0)
);

alter table sales.sales_settings enable row level security;
alter table sales.sales_settings force row level security;
create policy sales_settings_tenant on sales.sales_settings
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy sales_settings_keys on sales.sales_settings to current_user
    using (current_setting('crm.make_keys', true) = 'on');
