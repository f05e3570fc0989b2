-- Targets: what somebody, or a sales team, is to win in a month, one row each, deleted ones included.
create table sales.targets (
    tenant_id uuid not null,
    id uuid not null,
    -- Either this or a team.
    owner text not null default '',
    owner_key text collate "C" not null default '',
    sales_team_id uuid,
    -- As text, such as 2026-11, whose order is that of time.
    month text collate "C" not null,
    amount_minor bigint not null,
    amount_currency text collate "C" not null,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint targets_pkey primary key (tenant_id, id),
    constraint targets_whose check ((owner <> '') <> (sales_team_id is not null)),
    constraint targets_owner_length check (char_length(owner) <= 100),
    constraint targets_sales_team_fkey foreign key (tenant_id, sales_team_id) references sales.sales_teams (tenant_id, id),
    constraint targets_month_form check (month ~ '^[0-9]{4}-(0[1-9]|1[0-2])$'),
    constraint targets_amount_range check (amount_minor between 0 and 10000000000000),
    constraint targets_amount_currency check (amount_currency ~ '^[A-Z]{3}$'),
    constraint targets_version_positive check (version > 0)
);

create unique index targets_owner_month_key on sales.targets (tenant_id, owner_key, month)
    where delete_time is null and sales_team_id is null;
comment on index sales.targets_owner_month_key is 'Has somebody a target of this month? A deleted one gives its month free.';
create unique index targets_sales_team_month_key on sales.targets (tenant_id, sales_team_id, month)
    where delete_time is null and sales_team_id is not null;
comment on index sales.targets_sales_team_month_key is 'Has a team a target of this month? A deleted one gives its month free.';
create index targets_month_idx on sales.targets (tenant_id, month, id);
comment on index sales.targets_month_idx is 'Targets by month, and those of one.';
create index targets_owner_idx on sales.targets (tenant_id, owner_key, month, id);
comment on index sales.targets_owner_idx is 'Targets of an owner by month. Other orders sort what is found: few.';
create index targets_sales_team_idx on sales.targets (tenant_id, sales_team_id, month, id);
comment on index sales.targets_sales_team_idx is 'Targets of a team by month; also checks the reference. Other orders sort what is found: few.';
create index targets_update_time_idx on sales.targets (tenant_id, update_time, id);
comment on index sales.targets_update_time_idx is 'Targets by time of last change; targets changed since.';

alter table sales.targets enable row level security;
alter table sales.targets force row level security;
create policy targets_tenant on sales.targets
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy targets_keys on sales.targets to current_user
    using (current_setting('crm.make_keys', true) = 'on');

-- What is won and may be won in each month, by owner and currency: of opportunities that are not deleted and not lost, in the
-- month of their close date, which is empty where there is none. Written by the statements that write opportunities, as
-- stage_totals are.
--
-- Four slots, not sixteen: months and owners keep callers apart already, and a forecast reads all of them.
create table sales.forecast_totals (
    tenant_id uuid not null,
    month text collate "C" not null,
    owner_key text collate "C" not null,
    state text collate "C" not null,
    -- Of what is open: what follows its stage's probability has to be told by the stage. Nil of what is won.
    pipeline_id uuid not null,
    stage_id uuid not null,
    currency text collate "C" not null,
    slot integer not null,
    -- As somebody wrote it whose key it is.
    owner text not null,
    records bigint not null,
    -- As in stage_totals.
    value numeric not null,
    weighted numeric not null,
    following numeric not null,
    -- The value of those whose own probability is 80 or more.
    likely numeric not null,

    constraint forecast_totals_pkey
        primary key (tenant_id, month, owner_key, state, pipeline_id, stage_id, currency, slot),
    constraint forecast_totals_state_known check (state in ('open', 'won')),
    constraint forecast_totals_slot_range check (slot between 0 and 3)
)
with (fillfactor = 70);
comment on index sales.forecast_totals_pkey is 'Totals of months.';

-- The opportunities that there are: seen by the owner of the tables alone, and before the policy is there, for nobody writes
-- for several tenants behind it.
select set_config('crm.make_keys', 'on', true);
insert into sales.forecast_totals
    select tenant_id, left(close_date, 7), owner_key, state,
        case when state = 'open' then pipeline_id else '00000000-0000-0000-0000-000000000000' end,
        case when state = 'open' then stage_id else '00000000-0000-0000-0000-000000000000' end,
        coalesce(value_currency, ''), get_byte(uuid_send(id), 15) & 3, min(owner), count(*),
        sum(coalesce(value_minor, 0)), sum(coalesce(value_minor, 0) * coalesce(probability, 0)),
        sum(case when probability is null then coalesce(value_minor, 0) else 0 end),
        sum(case when probability >= 80 then coalesce(value_minor, 0) else 0 end)
    from sales.opportunities where delete_time is null and state <> 'lost'
    group by 1, 2, 3, 4, 5, 6, 7, 8;
select set_config('crm.make_keys', '', true);

alter table sales.forecast_totals enable row level security;
alter table sales.forecast_totals force row level security;
create policy forecast_totals_tenant on sales.forecast_totals
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
