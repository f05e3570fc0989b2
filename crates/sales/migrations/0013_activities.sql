-- Activities: what was done and is to be done about records of this service, one row each, deleted ones included.
create table sales.activities (
    tenant_id uuid not null,
    id uuid not null,
    kind text collate "C" not null,
    -- As in the paths of the API: `accounts`. A reference would need a column for each kind of parent. None is needed:
    -- whoever writes here holds the parent's row, and rows of parents are marked as deleted, never removed.
    parent_resource text collate "C" not null,
    parent_id uuid not null,
    subject text not null default '',
    body text not null default '',
    owner text collate "C" not null default '',
    owner_key text collate "C" not null default '',
    due_time timestamptz,
    -- Null of what is no task.
    done boolean,
    done_time timestamptz,
    start_time timestamptz,
    duration_seconds integer,
    -- Whose token it was.
    creator text not null,
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,
    -- Where it stands in the timeline of its parent.
    timeline_time timestamptz not null generated always as (coalesce(start_time, create_time)) stored,
    -- Never null, so that what is never due has its place in a row comparison: the last.
    due_key timestamptz not null generated always as (coalesce(due_time, 'infinity')) stored,

    constraint activities_pkey primary key (tenant_id, id),
    constraint activities_kind_known check (kind in ('note', 'call', 'meeting', 'task')),
    constraint activities_subject_length check (char_length(subject) <= 200),
    constraint activities_body_length check (char_length(body) <= 10000),
    constraint activities_owner_length check (char_length(owner) <= 100),
    constraint activities_duration_range check (duration_seconds between 0 and 604800),
    constraint activities_note_has_body check (kind <> 'note' or body <> ''),
    constraint activities_note_has_no_time check (kind <> 'note' or (start_time is null and duration_seconds is null)),
    constraint activities_says_something check (subject <> '' or body <> ''),
    constraint activities_task_alone_is_due check (kind = 'task' or due_time is null),
    constraint activities_task_alone_is_done check ((kind = 'task') = (done is not null)),
    constraint activities_done_since check ((done is true) = (done_time is not null)),
    constraint activities_version_positive check (version > 0)
);

-- As elsewhere: list indexes hold deleted rows, too, and end with their order and the id.
create index activities_create_time_idx on sales.activities (tenant_id, create_time, id);
comment on index sales.activities_create_time_idx is 'Activities by time of creation.';
create index activities_update_time_idx on sales.activities (tenant_id, update_time, id);
comment on index sales.activities_update_time_idx is 'Activities by time of last change; activities changed since.';
create index activities_parent_timeline_idx on sales.activities (tenant_id, parent_id, timeline_time, id);
comment on index sales.activities_parent_timeline_idx is 'The timeline of a record.';
create index activities_parent_create_time_idx on sales.activities (tenant_id, parent_id, create_time, id);
comment on index sales.activities_parent_create_time_idx is
    'Activities of a record by time of creation. In another order they are sorted: most records have few.';
create index activities_owner_create_time_idx on sales.activities (tenant_id, owner_key, create_time, id);
comment on index sales.activities_owner_create_time_idx is 'Activities of an owner by time of creation.';
create index activities_owner_update_time_idx on sales.activities (tenant_id, owner_key, update_time, id);
comment on index sales.activities_owner_update_time_idx is 'Activities of an owner by time of last change.';
create index activities_kind_create_time_idx on sales.activities (tenant_id, kind, create_time, id);
comment on index sales.activities_kind_create_time_idx is 'Activities of a kind by time of creation.';
create index activities_kind_update_time_idx on sales.activities (tenant_id, kind, update_time, id);
comment on index sales.activities_kind_update_time_idx is 'Activities of a kind by time of last change.';
-- Where it is not null, said so that the planner sees it of `done = true`, of `done = false` and of a value that it does not
-- know: the first two are `done` and `not done` to it.
create index activities_done_create_time_idx on sales.activities (tenant_id, done, create_time, id)
    where done or not done or done is not null;
comment on index sales.activities_done_create_time_idx is 'Tasks that are done, or not, by time of creation.';
create index activities_done_update_time_idx on sales.activities (tenant_id, done, update_time, id)
    where done or not done or done is not null;
comment on index sales.activities_done_update_time_idx is 'Tasks that are done, or not, by time of last change.';
create index activities_due_time_idx on sales.activities (tenant_id, due_time, id) where due_time is not null;
comment on index sales.activities_due_time_idx is 'Tasks that are due within some time; these are sorted.';
create index activities_open_tasks_idx on sales.activities (tenant_id, owner_key, due_key, id)
    where not done and delete_time is null;
comment on index sales.activities_open_tasks_idx is
    'Open tasks of an owner, the first that is due first. It holds no others: few of all activities are open tasks.';

alter table sales.activities enable row level security;
alter table sales.activities force row level security;
create policy activities_tenant on sales.activities
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy activities_keys on sales.activities to current_user
    using (current_setting('crm.make_keys', true) = 'on');
