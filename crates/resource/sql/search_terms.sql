create table {schema}.search_terms (
    tenant_id uuid not null,
    -- The letter of a resource, the letter of a kind of term, and a key from one of its words on (docs/adr/0039).
    term text collate "C" not null,
    record_id uuid not null,

    constraint search_terms_pkey primary key (tenant_id, term, record_id),
    constraint search_terms_term_length check (octet_length(term) between 3 and 70)
);

comment on index {schema}.search_terms_pkey is 'Which records have a term that begins so?';

alter table {schema}.search_terms enable row level security;
alter table {schema}.search_terms force row level security;
create policy search_terms_tenant on {schema}.search_terms
    using (tenant_id = nullif(current_setting('crm.tenant', true), '')::uuid);
-- Making them anew crosses tenants, which nobody may. The owner may, while it says that this is what it does.
create policy search_terms_owner on {schema}.search_terms to current_user
    using (current_setting('crm.make_keys', true) = 'on');
