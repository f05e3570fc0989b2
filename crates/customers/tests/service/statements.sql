-- Written by the test beside it. Which statements a standard method runs, in this order:
--   Get, BatchGet      find, of what no cache has
--   List               list
--   Create             claim_request_id (find_answer, if the request came before), insert, store_answer
--   Update             lock, and update if anything changes
--   Delete, Undelete   lock, set_deleted
--   Export             open_export, and fetch_export until nothing is left
-- Those of request ids are in crm_database::idempotency. A call with rules of its own runs more in between, which stand
-- at the end here: in which order, says src/<resource>/<operation>.rs.
-- find_accounts
select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from customers.accounts where tenant_id = $1 and id = any($2);
-- lock_account
select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from customers.accounts where tenant_id = $1 and id = $2 for no key update;
-- hold_account
select id from customers.accounts where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_account
with changed as (insert into customers.accounts (tenant_id, id, name, name_key, domain, industry, industry_key, country, territory, territory_key, owner, owner_key, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, statement_timestamp(), statement_timestamp()) returning id, version, create_time, update_time, delete_time), entry as (insert into customers.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'accounts', id, version, 'created', update_time, $18, $19, $20, $21, $22 from changed) select id, version, create_time, update_time, delete_time from changed;
-- update_account
with changed as (update customers.accounts set name = $3, name_key = $4, domain = $5, industry = $6, industry_key = $7, country = $8, territory = $9, territory_key = $10, owner = $11, owner_key = $12, employees = $13, annual_revenue_minor = $14, annual_revenue_currency = $15, founded_year = $16, parent_id = $17, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, version, create_time, update_time, delete_time), entry as (insert into customers.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'accounts', id, version, 'updated', update_time, $18, $19, $20, $21, $22 from changed) select id, version, create_time, update_time, delete_time from changed;
-- set_account_deleted
with changed as (update customers.accounts set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time), entry as (insert into customers.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'accounts', id, version, case when $3 then 'deleted' else 'undeleted' end, update_time, $4, $5, $6, $7, $8 from changed) select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from changed;
-- list_accounts, by all filters at once, a later page
select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from customers.accounts where tenant_id = $1 and delete_time is null and owner_key = $2 and industry_key = $3 and territory_key = $4 and parent_id = $5 and name_key >= $6 and name_key < $7 and update_time >= $8 and (name_key, id) > ($9, $10) order by name_key, id limit $11;
-- open_export, of accounts, by all filters at once
declare export no scroll cursor for select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from customers.accounts where tenant_id = $1 and delete_time is null and owner_key = $2 and industry_key = $3 and territory_key = $4 and parent_id = $5 and name_key >= $6 and name_key < $7 and update_time >= $8 order by id;
-- find_contacts
select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from customers.contacts where tenant_id = $1 and id = any($2);
-- lock_contact
select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from customers.contacts where tenant_id = $1 and id = $2 for no key update;
-- hold_contact
select id from customers.contacts where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_contact
with addresses as (insert into customers.contact_emails (tenant_id, email_key, contact_id) select $1, unnest($9::text[]), $2), changed as (insert into customers.contacts (tenant_id, id, account_id, given_name, family_name, family_name_key, title, emails, phones, owner, owner_key, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $12, statement_timestamp(), statement_timestamp()) returning id, version, create_time, update_time, delete_time), entry as (insert into customers.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'contacts', id, version, 'created', update_time, $13, $14, $15, $16, $17 from changed) select id, version, create_time, update_time, delete_time from changed;
-- update_contact
with removed as (delete from customers.contact_emails where tenant_id = $1 and contact_id = $2 and email_key <> all($9::text[])), added as (insert into customers.contact_emails (tenant_id, email_key, contact_id) select $1, unnest($9::text[]), $2 on conflict do nothing), changed as (update customers.contacts set account_id = $3, given_name = $4, family_name = $5, family_name_key = $6, title = $7, emails = $8, phones = $10, owner = $11, owner_key = $12, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, version, create_time, update_time, delete_time), entry as (insert into customers.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'contacts', id, version, 'updated', update_time, $13, $14, $15, $16, $17 from changed) select id, version, create_time, update_time, delete_time from changed;
-- set_contact_deleted
with changed as (update customers.contacts set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time), entry as (insert into customers.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'contacts', id, version, case when $3 then 'deleted' else 'undeleted' end, update_time, $4, $5, $6, $7, $8 from changed) select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from changed;
-- list_contacts, by all filters at once, a later page
select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from customers.contacts where tenant_id = $1 and delete_time is null and account_id = $2 and owner_key = $3 and id in (select contact_id from customers.contact_emails where tenant_id = $1 and email_key = $4) and family_name_key >= $5 and family_name_key < $6 and update_time >= $7 and (family_name_key, id) > ($8, $9) order by family_name_key, id limit $10;
-- open_export, of contacts, by all filters at once
declare export no scroll cursor for select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from customers.contacts where tenant_id = $1 and delete_time is null and account_id = $2 and owner_key = $3 and id in (select contact_id from customers.contact_emails where tenant_id = $1 and email_key = $4) and family_name_key >= $5 and family_name_key < $6 and update_time >= $7 order by id;
-- lock_hierarchy
select pg_advisory_xact_lock(hashtextextended('customers.hierarchy ' || $1::text, 0));
-- share_hierarchy
select pg_advisory_xact_lock_shared(hashtextextended('customers.hierarchy ' || $1::text, 0));
-- find_ancestors
with recursive path (id, parent_id, length) as (select id, parent_id, 1 from customers.accounts where tenant_id = $1 and id = $2 union all select parent.id, parent.parent_id, path.length + 1 from path join customers.accounts parent on parent.tenant_id = $1 and parent.id = path.parent_id where path.length <= $3) select id from path order by length;
-- find_height
with recursive below (id, depth) as (select id, 0 from customers.accounts where tenant_id = $1 and id = $2 union all select child.id, below.depth + 1 from below join customers.accounts child on child.tenant_id = $1 and child.parent_id = below.id and child.delete_time is null where below.depth <= $3) select coalesce(max(depth), 0) from below;
-- find_subsidiary
select id from customers.accounts where tenant_id = $1 and parent_id = $2 and delete_time is null limit 1;
-- find_contact_of_account
select id from customers.contacts where tenant_id = $1 and account_id = $2 and delete_time is null limit 1;
