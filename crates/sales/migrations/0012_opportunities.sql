-- Opportunities: what may be sold, one row each, deleted ones included.
create table sales.opportunities (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    -- Of customers, which was asked: no reference can reach it.
    account_id uuid not null,
    -- JSON: up to twenty, only ever read and written whole.
    contacts text not null default '[]',
    pipeline_id uuid not null,
    -- No reference either: checking one would write to the stage's row, and a pipeline has one row for all that moves in it.
    -- Whoever enters a stage holds the pipeline instead (hold_pipeline).
    stage_id uuid not null,
    -- The kind of its stage, which never changes: won, lost and open ones are told apart without the pipeline.
    state text collate "C" not null,
    -- Whole minor units, as all money: sums stay exact.
    amount_minor bigint,
    amount_currency text collate "C",
    -- JSON: up to a hundred, only ever read and written whole.
    lines text not null default '[]',
    -- What it counts as: the sum of lines, or the amount.
    value_minor bigint,
    value_currency text collate "C",
    -- Its own, if not that of the stage.
    probability integer,
    -- As texts in the form of ISO 8601, whose order is that of time; empty where they are not known.
    close_date text collate "C" not null default '',
    owner text collate "C" not null default '',
    owner_key text collate "C" not null default '',
    next_step text not null default '',
    next_step_date text collate "C" not null default '',
    lost_reason text not null default '',
    stage_time timestamptz not null,
    close_time timestamptz,
    -- In their order, none twice; what they are is in `tags`.
    tag_ids uuid[] not null default '{}',
    -- What it has of the tenant's attributes, by their keys.
    attributes jsonb not null default '{}',
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint opportunities_pkey primary key (tenant_id, id),
    constraint opportunities_name_length check (char_length(name) between 1 and 200),
    constraint opportunities_state_known check (state in ('open', 'won', 'lost')),
    constraint opportunities_amount_range check (amount_minor >= 0),
    constraint opportunities_amount_currency check (
        (amount_minor is null) = (amount_currency is null) and amount_currency ~ '^[A-Z]{3}$'
    ),
    constraint opportunities_value_range check (value_minor between 0 and 10000000000000),
    constraint opportunities_value_currency check (
        (value_minor is null) = (value_currency is null) and value_currency ~ '^[A-Z]{3}$'
    ),
    constraint opportunities_probability_range check (probability between 0 and 100),
    constraint opportunities_probability_open check (probability is null or state = 'open'),
    constraint opportunities_close_date_form check (close_date ~ '^([0-9]{4}-[0-9]{2}-[0-9]{2})?$'),
    constraint opportunities_owner_length check (char_length(owner) <= 100),
    constraint opportunities_next_step_length check (char_length(next_step) <= 200),
    constraint opportunities_next_step_date_form check (next_step_date ~ '^([0-9]{4}-[0-9]{2}-[0-9]{2})?$'),
    constraint opportunities_lost_reason check ((state = 'lost') = (lost_reason <> '')),
    constraint opportunities_lost_reason_length check (char_length(lost_reason) <= 200),
    constraint opportunities_closed check ((state = 'open') = (close_time is null)),
    constraint opportunities_tag_ids_count check (cardinality(tag_ids) <= 20),
    constraint opportunities_attributes_object check (jsonb_typeof(attributes) = 'object'),
    constraint opportunities_attributes_size check (octet_length(attributes::text) <= 20000),
    constraint opportunities_version_positive check (version > 0)
);

-- As elsewhere: list indexes hold deleted rows, too, and end with their order and the id.
create index opportunities_create_time_idx on sales.opportunities (tenant_id, create_time, id);
comment on index sales.opportunities_create_time_idx is 'Opportunities by time of creation.';
create index opportunities_update_time_idx on sales.opportunities (tenant_id, update_time, id);
comment on index sales.opportunities_update_time_idx is 'Opportunities by time of last change; opportunities changed since.';
create index opportunities_close_date_idx on sales.opportunities (tenant_id, close_date, id);
comment on index sales.opportunities_close_date_idx is 'Opportunities by close date; opportunities that close within some time.';
create index opportunities_owner_stage_idx on sales.opportunities (tenant_id, owner_key, stage_id, create_time, id);
comment on index sales.opportunities_owner_stage_idx is 'Opportunities of an owner in a stage by time of creation.';
create index opportunities_owner_create_time_idx on sales.opportunities (tenant_id, owner_key, create_time, id);
comment on index sales.opportunities_owner_create_time_idx is 'Opportunities of an owner by time of creation.';
create index opportunities_owner_close_date_idx on sales.opportunities (tenant_id, owner_key, close_date, id);
comment on index sales.opportunities_owner_close_date_idx is 'Opportunities of an owner by close date, or that close within some time.';
create index opportunities_stage_create_time_idx on sales.opportunities (tenant_id, stage_id, create_time, id);
comment on index sales.opportunities_stage_create_time_idx is 'Opportunities in a stage by time of creation; does any stand in it?';
create index opportunities_stage_close_date_idx on sales.opportunities (tenant_id, stage_id, close_date, id);
comment on index sales.opportunities_stage_close_date_idx is 'Opportunities in a stage by close date, or that close within some time.';
create index opportunities_stage_time_idx on sales.opportunities (tenant_id, stage_id, stage_time) where delete_time is null;
comment on index sales.opportunities_stage_time_idx is 'Which one has stood in a stage for the longest time?';
create index opportunities_pipeline_create_time_idx on sales.opportunities (tenant_id, pipeline_id, create_time, id);
comment on index sales.opportunities_pipeline_create_time_idx is 'Opportunities of a pipeline by time of creation; has it any?';
create index opportunities_account_create_time_idx on sales.opportunities (tenant_id, account_id, create_time, id);
comment on index sales.opportunities_account_create_time_idx is 'Opportunities of an account by time of creation. Other orders sort what is found: few.';
create index opportunities_state_create_time_idx on sales.opportunities (tenant_id, state, create_time, id);
comment on index sales.opportunities_state_create_time_idx is 'Opportunities that are open, won or lost, by time of creation.';
create index opportunities_state_close_date_idx on sales.opportunities (tenant_id, state, close_date, id);
comment on index sales.opportunities_state_close_date_idx is 'Opportunities that are open, won or lost, by close date, or that close within some time.';

alter table sales.opportunities enable row level security;
alter table sales.opportunities force row level security;
create policy opportunities_tenant on sales.opportunities
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy opportunities_keys on sales.opportunities to current_user
    using (current_setting('crm.make_keys', true) = 'on');

-- Where an opportunity has stood, a row for each stay. Written by the statements that write the opportunity.
create table sales.stage_history (
    tenant_id uuid not null,
    opportunity_id uuid not null,
    entered_time timestamptz not null,
    pipeline_id uuid not null,
    stage_id uuid not null,
    -- As it was called then: stages are renamed, and removed.
    stage_name text not null,
    -- Null of the stay that lasts.
    left_time timestamptz,

    constraint stage_history_pkey primary key (tenant_id, opportunity_id, entered_time),
    constraint stage_history_order check (left_time > entered_time)
);
comment on index sales.stage_history_pkey is 'The stays of an opportunity, in their order.';

alter table sales.stage_history enable row level security;
alter table sales.stage_history force row level security;
create policy stage_history_tenant on sales.stage_history
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- How many opportunities stand in a stage, and what they are worth: of those that are not deleted, by the currency of their
-- value, which is empty where there is none. Written by the statements that write opportunities, so it is right at any moment.
--
-- An opportunity is counted in the slot that the last four bits of its id name: callers who move opportunities of the same
-- stage wait for each other in one case of sixteen.
create table sales.stage_totals (
    tenant_id uuid not null,
    pipeline_id uuid not null,
    stage_id uuid not null,
    currency text collate "C" not null,
    slot integer not null,
    records bigint not null,
    -- Minor units. `numeric` has no end: a sum never keeps an opportunity from being written.
    value numeric not null,
    -- Of those with a probability of their own: value times probability, in hundredths of minor units.
    weighted numeric not null,
    -- The value of those that have their stage's probability, which may change without them.
    following numeric not null,

    constraint stage_totals_pkey primary key (tenant_id, pipeline_id, stage_id, currency, slot),
    -- That none is negative cannot stand here: what is taken away is checked before it is added to what there is.
    constraint stage_totals_slot_range check (slot between 0 and 15)
)
-- Rows are written over and over: with room beside them they stay on their pages, and their index as it is.
with (fillfactor = 50);
comment on index sales.stage_totals_pkey is 'Totals of the stages of a pipeline.';

alter table sales.stage_totals enable row level security;
alter table sales.stage_totals force row level security;
create policy stage_totals_tenant on sales.stage_totals
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- The stages of a pipeline, which stay as they are until the transaction ends: whoever changes them takes the lock for
-- itself. A lock on the pipeline's row would be written into the row by everybody who moves anything.
-- Two statements, so that the second one sees what those have written who had the lock before.
create function sales.hold_pipeline(tenant uuid, pipeline uuid) returns setof text
    language plpgsql volatile set search_path = pg_catalog, pg_temp
as $$
begin
    perform pg_advisory_xact_lock_shared(hashtextextended('sales.pipeline ' || tenant::text || ' ' || pipeline::text, 0));
    return query select stages from sales.pipelines
        where tenant_id = tenant and id = pipeline and delete_time is null;
end
$$;

-- As hold_pipeline, for whoever changes the stages: nobody enters one meanwhile. Taken before the pipeline's row is locked.
create function sales.lock_pipeline(tenant uuid, pipeline uuid) returns void
    language sql volatile set search_path = pg_catalog, pg_temp
begin atomic
    select pg_advisory_xact_lock(hashtextextended('sales.pipeline ' || tenant::text || ' ' || pipeline::text, 0));
end;
