-- Imports: files of people's own that are read into records, a row each.

create table customers.imports (
    tenant_id uuid not null,
    -- UUIDv7, so that the newest are the greatest. The ids of the records that it makes are made of it.
    id uuid not null,
    -- As in the paths of the API: `accounts`.
    resource text collate "C" not null,
    file_name text not null,
    state text collate "C" not null default 'open',
    -- Bytes that were sent, and whether each part so far may be UTF-8.
    size bigint not null default 0,
    is_utf8 boolean not null default true,
    -- crm.imports.v1.ImportSettings: what somebody has said.
    settings bytea not null default '',
    -- Which operation works on it: whoever was begun last.
    worker uuid,
    -- How far these are, in a form of their own.
    checked jsonb,
    ran jsonb,
    undone jsonb,
    -- Whose token it was.
    subject text not null,
    create_time timestamptz not null default now(),
    forget_time timestamptz not null default now() + interval '7 days',

    constraint imports_pkey primary key (tenant_id, id),
    constraint imports_state_known check (state in ('open', 'running', 'run', 'undoing', 'undone')),
    constraint imports_size_range check (size between 0 and 104857600),
    constraint imports_file_name_length check (char_length(file_name) <= 200)
);

comment on index customers.imports_pkey is 'Which one? A tenant''s imports, newest first.';
create index imports_forget_time_idx on customers.imports (forget_time);
comment on index customers.imports_forget_time_idx is 'Which are old enough to be forgotten?';

-- A file, in the parts that it was sent in.
create table customers.import_parts (
    tenant_id uuid not null,
    import_id uuid not null,
    -- Where in the file it begins.
    position bigint not null,
    content bytea not null,

    constraint import_parts_pkey primary key (tenant_id, import_id, position),
    constraint import_parts_content_length check (octet_length(content) between 1 and 1048576)
);

-- Not compressed, so that a piece can be read without the rest.
alter table customers.import_parts alter column content set storage external;
comment on index customers.import_parts_pkey is 'What stands at a place of a file?';

-- Why a row is no record, or a record stays.
create table customers.import_errors (
    tenant_id uuid not null,
    import_id uuid not null,
    -- Of what: a check, a run, an undo.
    phase text collate "C" not null,
    number bigint not null,
    -- crm.imports.v1.RowError
    error bytea not null,

    constraint import_errors_pkey primary key (tenant_id, import_id, phase, number),
    constraint import_errors_phase_known check (phase in ('check', 'run', 'undo'))
);

comment on index customers.import_errors_pkey is 'What was wrong, in the order of the rows?';

-- What makes two rows of a file one, hashed, and the first row that has it: while it is checked.
create table customers.import_keys (
    tenant_id uuid not null,
    import_id uuid not null,
    key bigint not null,
    row bigint not null,

    constraint import_keys_pkey primary key (tenant_id, import_id, key)
);

comment on index customers.import_keys_pkey is 'Which row before has this?';

alter table customers.imports enable row level security;
alter table customers.imports force row level security;
create policy imports_tenant on customers.imports
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
alter table customers.import_parts enable row level security;
alter table customers.import_parts force row level security;
create policy import_parts_tenant on customers.import_parts
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
alter table customers.import_errors enable row level security;
alter table customers.import_errors force row level security;
create policy import_errors_tenant on customers.import_errors
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
alter table customers.import_keys enable row level security;
alter table customers.import_keys force row level security;
create policy import_keys_tenant on customers.import_keys
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
-- The function below crosses tenants, which the service's role cannot: the owner may, while it says that it does.
create policy imports_functions on customers.imports to current_user
    using (current_setting('crm.imports', true) = 'all');
create policy import_parts_functions on customers.import_parts to current_user
    using (current_setting('crm.imports', true) = 'all');
create policy import_errors_functions on customers.import_errors to current_user
    using (current_setting('crm.imports', true) = 'all');
create policy import_keys_functions on customers.import_keys to current_user
    using (current_setting('crm.imports', true) = 'all');

-- Forgets imports whose time has come, with all that belongs to them. Answers how many.
create function customers.sweep_imports(at_most integer) returns bigint
    language sql security definer set search_path = pg_catalog, pg_temp
begin atomic
    select set_config('crm.imports', 'all', true);
    with old as (
        select tenant_id, id from customers.imports where forget_time < now()
        order by forget_time limit at_most for update skip locked
    ), parts as (
        delete from customers.import_parts as parts using old where (parts.tenant_id, parts.import_id) = (old.tenant_id, old.id)
    ), errors as (
        delete from customers.import_errors as errors using old
        where (errors.tenant_id, errors.import_id) = (old.tenant_id, old.id)
    ), keys as (
        delete from customers.import_keys as keys using old where (keys.tenant_id, keys.import_id) = (old.tenant_id, old.id)
    ), gone as (
        delete from customers.imports as imports using old where (imports.tenant_id, imports.id) = (old.tenant_id, old.id)
        returning 1
    )
    select count(*) from gone;
end;
