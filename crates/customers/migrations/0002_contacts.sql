-- Contacts: people at accounts, one row each, deleted ones included.
create table customers.contacts (
    tenant_id uuid not null,
    id uuid not null,
    account_id uuid not null,
    given_name text not null default '',
    family_name text not null default '',
    -- `family_name` as it is searched and sorted, as accounts.name_key.
    family_name_key text collate "C" not null default '',
    title text not null default '',
    -- Lists of up to ten that are only ever read and written whole. Who has an address? Ask contact_emails.
    emails text[] not null default '{}',
    phones text[] not null default '{}',
    owner text collate "C" not null default '',
    version bigint not null default 1,
    create_time timestamptz not null default now(),
    update_time timestamptz not null default now(),
    delete_time timestamptz,

    constraint contacts_pkey primary key (tenant_id, id),
    constraint contacts_account_fkey foreign key (tenant_id, account_id) references customers.accounts (tenant_id, id),
    constraint contacts_has_name check (given_name <> '' or family_name <> ''),
    constraint contacts_given_name_length check (char_length(given_name) <= 100),
    constraint contacts_family_name_length check (char_length(family_name) <= 100),
    constraint contacts_family_name_key_length check (octet_length(family_name_key) <= 800),
    constraint contacts_title_length check (char_length(title) <= 100),
    constraint contacts_emails_count check (cardinality(emails) <= 10 and array_position(emails, null) is null),
    constraint contacts_phones_count check (cardinality(phones) <= 10 and array_position(phones, null) is null),
    constraint contacts_owner_length check (char_length(owner) <= 100),
    constraint contacts_version_positive check (version > 0)
);

create index contacts_family_name_idx on customers.contacts (tenant_id, family_name_key, id);
comment on index customers.contacts_family_name_idx is 'Contacts by family name; contacts whose family name begins with a text.';
create index contacts_update_time_idx on customers.contacts (tenant_id, update_time, id);
comment on index customers.contacts_update_time_idx is 'Contacts by time of last change; contacts changed since.';
create index contacts_account_name_idx on customers.contacts (tenant_id, account_id, family_name_key, id);
comment on index customers.contacts_account_name_idx is 'Contacts of an account by family name; has an account any?';
create index contacts_account_update_time_idx on customers.contacts (tenant_id, account_id, update_time, id);
comment on index customers.contacts_account_update_time_idx is 'Contacts of an account by time of last change: large accounts have thousands.';
create index contacts_owner_name_idx on customers.contacts (tenant_id, owner, family_name_key, id);
comment on index customers.contacts_owner_name_idx is 'Contacts of an owner by family name.';
create index contacts_owner_update_time_idx on customers.contacts (tenant_id, owner, update_time, id);
comment on index customers.contacts_owner_update_time_idx is 'Contacts of an owner by time of last change.';

alter table customers.contacts enable row level security;
alter table customers.contacts force row level security;
create policy contacts_tenant on customers.contacts
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);

-- Who has this address? Array operators are not leakproof, hence useless to an index under row-level security.
-- The statements that write a contact write these rows, too; contacts.emails is what is shown.
create table customers.contact_emails (
    tenant_id uuid not null,
    -- The whole address in lower case: mailboxes that differ by case only are one person in practice.
    email_key text collate "C" not null,
    contact_id uuid not null,

    constraint contact_emails_pkey primary key (tenant_id, email_key, contact_id),
    constraint contact_emails_contact_fkey foreign key (tenant_id, contact_id) references customers.contacts (tenant_id, id),
    constraint contact_emails_email_key_form check (email_key <> '' and octet_length(email_key) <= 254)
);

comment on index customers.contact_emails_pkey is 'Contacts that have an e-mail address.';
create index contact_emails_contact_idx on customers.contact_emails (tenant_id, contact_id);
comment on index customers.contact_emails_contact_idx is 'Addresses of a contact, to replace them; also checks the reference.';

alter table customers.contact_emails enable row level security;
alter table customers.contact_emails force row level security;
create policy contact_emails_tenant on customers.contact_emails
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
