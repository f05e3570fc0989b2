-- Each text that lists are filtered by gets a key, as names have one: the text itself comes back as it was written, and
-- the key is compared, so that what looks the same is found.
--
-- The rows that there are get their text for a key, which it is for nearly all. (Generated, and plain at once: under
-- forced row-level security an update by the owner would see no rows.) `crm migrate` then makes all keys anew, since
-- what a key is made by has no form in SQL.
alter table customers.accounts
    -- As name_key.
    add column industry_key text collate "C" not null generated always as (industry) stored,
    -- Composed (NFC), without what does not show.
    add column territory_key text collate "C" not null generated always as (territory) stored,
    add column owner_key text collate "C" not null generated always as (owner) stored;
alter table customers.accounts
    alter column industry_key drop expression,
    alter column territory_key drop expression,
    alter column owner_key drop expression;
alter table customers.accounts
    alter column industry_key set default '',
    alter column territory_key set default '',
    alter column owner_key set default '';
alter table customers.contacts add column owner_key text collate "C" not null generated always as (owner) stored;
alter table customers.contacts alter column owner_key drop expression;
alter table customers.contacts alter column owner_key set default '';

drop index customers.accounts_owner_name_idx, customers.accounts_owner_update_time_idx,
    customers.accounts_industry_name_idx, customers.accounts_industry_update_time_idx,
    customers.accounts_territory_name_idx, customers.accounts_territory_update_time_idx,
    customers.contacts_owner_name_idx, customers.contacts_owner_update_time_idx;
create index accounts_owner_name_idx on customers.accounts (tenant_id, owner_key, name_key, id);
comment on index customers.accounts_owner_name_idx is 'Accounts of an owner by name.';
create index accounts_owner_update_time_idx on customers.accounts (tenant_id, owner_key, update_time, id);
comment on index customers.accounts_owner_update_time_idx is 'Accounts of an owner by time of last change.';
create index accounts_industry_name_idx on customers.accounts (tenant_id, industry_key, name_key, id);
comment on index customers.accounts_industry_name_idx is 'Accounts of an industry by name.';
create index accounts_industry_update_time_idx on customers.accounts (tenant_id, industry_key, update_time, id);
comment on index customers.accounts_industry_update_time_idx is 'Accounts of an industry by time of last change.';
create index accounts_territory_name_idx on customers.accounts (tenant_id, territory_key, name_key, id);
comment on index customers.accounts_territory_name_idx is 'Accounts of a territory by name.';
create index accounts_territory_update_time_idx on customers.accounts (tenant_id, territory_key, update_time, id);
comment on index customers.accounts_territory_update_time_idx is 'Accounts of a territory by time of last change.';
create index contacts_owner_name_idx on customers.contacts (tenant_id, owner_key, family_name_key, id);
comment on index customers.contacts_owner_name_idx is 'Contacts of an owner by family name.';
create index contacts_owner_update_time_idx on customers.contacts (tenant_id, owner_key, update_time, id);
comment on index customers.contacts_owner_update_time_idx is 'Contacts of an owner by time of last change.';

-- In which way all stored keys were last made. Less than the release's own: `crm migrate` makes them anew.
create table customers.key_state (
    one_row boolean not null default true,
    version integer not null,

    constraint key_state_pkey primary key (one_row),
    constraint key_state_one_row check (one_row)
);
insert into customers.key_state (version) values (1);
alter table customers.key_state enable row level security;
alter table customers.key_state force row level security;
create policy key_state_owner on customers.key_state to current_user using (true);

-- Making keys anew crosses tenants, which nobody may. The owner may, while it says that this is what it does.
create policy accounts_keys on customers.accounts to current_user
    using (current_setting('crm.make_keys', true) = 'on');
create policy contacts_keys on customers.contacts to current_user
    using (current_setting('crm.make_keys', true) = 'on');
