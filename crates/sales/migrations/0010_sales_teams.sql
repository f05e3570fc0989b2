-- Sales teams: who sells together, one row each, deleted ones included.
create table sales.sales_teams (
    tenant_id uuid not null,
    id uuid not null,
    name text not null,
    name_key text collate "C" not null,
    -- Up to a hundred, only ever read and written whole. Which teams has somebody? Ask sales_team_members.
    members text[] not null default '{}',
    manager text not null default '',
    manager_key text collate "C" not null default '',
    office text not null default '',
    office_key text collate "C" not null default '',
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint sales_teams_pkey primary key (tenant_id, id),
    constraint sales_teams_name_length check (char_length(name) between 1 and 200),
    constraint sales_teams_name_key_length check (octet_length(name_key) <= 800),
    constraint sales_teams_members_count check (cardinality(members) <= 100 and array_position(members, null) is null),
    constraint sales_teams_manager_length check (char_length(manager) <= 100),
    constraint sales_teams_office_length check (char_length(office) <= 60),
    constraint sales_teams_version_positive check (version > 0)
);

create unique index sales_teams_name_key on sales.sales_teams (tenant_id, name_key) where delete_time is null;
comment on index sales.sales_teams_name_key is 'Is the name taken? A deleted team gives its name free.';
create index sales_teams_name_idx on sales.sales_teams (tenant_id, name_key, id);
comment on index sales.sales_teams_name_idx is 'Teams by name; teams whose name begins with a text.';
create index sales_teams_update_time_idx on sales.sales_teams (tenant_id, update_time, id);
comment on index sales.sales_teams_update_time_idx is 'Teams by time of last change; teams changed since.';
create index sales_teams_manager_idx on sales.sales_teams (tenant_id, manager_key, name_key, id);
comment on index sales.sales_teams_manager_idx is 'Teams of a manager by name. Other orders sort what is found: a few.';
create index sales_teams_office_idx on sales.sales_teams (tenant_id, office_key, name_key, id);
comment on index sales.sales_teams_office_idx is 'Teams of an office by name. Other orders sort what is found: a few.';

alter table sales.sales_teams enable row level security;
alter table sales.sales_teams force row level security;
create policy sales_teams_tenant on sales.sales_teams
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
create policy sales_teams_keys on sales.sales_teams to current_user
    using (current_setting('crm.make_keys', true) = 'on');

-- Which teams has somebody? Array operators are not leakproof, hence useless to an index under row-level security.
-- The statements that write a team write these rows, too; sales_teams.members is what is shown.
create table sales.sales_team_members (
    tenant_id uuid not null,
    member_key text collate "C" not null,
    team_id uuid not null,

    constraint sales_team_members_pkey primary key (tenant_id, member_key, team_id),
    constraint sales_team_members_team_fkey foreign key (tenant_id, team_id) references sales.sales_teams (tenant_id, id)
);

comment on index sales.sales_team_members_pkey is 'Teams that somebody belongs to.';
create index sales_team_members_team_idx on sales.sales_team_members (tenant_id, team_id);
comment on index sales.sales_team_members_team_idx is 'Members of a team, to replace them; also checks the reference.';

alter table sales.sales_team_members enable row level security;
alter table sales.sales_team_members force row level security;
create policy sales_team_members_tenant on sales.sales_team_members
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
