-- The day on which an opportunity was decided, by UTC: the one that it says itself, unless it lies after the moment at which it
-- was won or lost, and so is only what was planned. Null of what is open.
create function sales.decided_day(close_date text, close_time timestamptz) returns text
    language sql immutable
    return case when close_time is not null
        then least(nullif(close_date, ''), to_char(close_time at time zone 'UTC', 'YYYY-MM-DD')) end;

-- Days from its creation to that day; null of what was decided before it came here, as of imports.
create function sales.decided_days(day text, create_time timestamptz) returns integer
    language sql immutable
    return case when day >= to_char(create_time at time zone 'UTC', 'YYYY-MM-DD')
        then day::date - (create_time at time zone 'UTC')::date end;

-- What was won and lost, by month and by year: of each owner, and of what is lost by each reason, too. Of opportunities that are
-- not deleted; written by the statements that write opportunities, so it is right at any moment.
--
-- In four slots, by the last two bits of the id: what is decided by one owner in one month is seldom written at once.
create table sales.decided_totals (
    tenant_id uuid not null,
    -- 'owner' or 'reason', by which it is told apart; a lost one is counted under both.
    facet text collate "C" not null,
    -- 'month' or 'year': a period of years is read as such.
    span text collate "C" not null,
    -- `2026-01` or `2026`.
    period text collate "C" not null,
    -- The owner's key, or the reason.
    name text collate "C" not null,
    state text collate "C" not null,
    -- Of the value; empty where there is none.
    currency text collate "C" not null,
    slot integer not null,
    records bigint not null,
    -- Minor units.
    value numeric not null,
    -- Of those whose time from creation to decision is known: how many, and their days.
    timed bigint not null,
    days bigint not null,

    constraint decided_totals_pkey primary key (tenant_id, facet, span, period, name, state, currency, slot),
    constraint decided_totals_slot_range check (slot between 0 and 3)
)
with (fillfactor = 50);
comment on index sales.decided_totals_pkey is 'What was won and lost in a period, by owner or by reason.';

-- Opportunities that are there already. Their policies let whoever makes keys read all of them.
select set_config('crm.make_keys', 'on', true);
insert into sales.decided_totals
select tenant_id, facet, span, left(day, length), facets.name, state, coalesce(value_currency, ''), get_byte(uuid_send(id), 15) & 3,
    count(*), sum(coalesce(value_minor, 0)), count(days), sum(coalesce(days, 0))
from sales.opportunities
    cross join lateral (select sales.decided_day(close_date, close_time) as day) as decided
    cross join lateral (select sales.decided_days(day, create_time) as days) as timed
    cross join (values ('month', 7), ('year', 4)) as spans (span, length)
    cross join lateral (values ('owner', owner_key), ('reason', lost_reason)) as facets (facet, name)
where state <> 'open' and delete_time is null and (facet = 'owner' or state = 'lost')
group by 1, 2, 3, 4, 5, 6, 7, 8;
select set_config('crm.make_keys', '', true);

alter table sales.decided_totals enable row level security;
alter table sales.decided_totals force row level security;
create policy decided_totals_tenant on sales.decided_totals
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
