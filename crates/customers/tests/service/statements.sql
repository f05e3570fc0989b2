-- find_accounts
select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from customers.accounts where tenant_id = $1 and id = any($2);
-- lock_account
select id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time from customers.accounts where tenant_id = $1 and id = $2 for no key update;
-- hold_account
select id from customers.accounts where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_account
insert into customers.accounts (tenant_id, id, name, name_key, domain, industry, industry_key, country, territory, territory_key, owner, owner_key, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, statement_timestamp(), statement_timestamp()) returning id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time;
-- update_account
update customers.accounts set name = $3, name_key = $4, domain = $5, industry = $6, industry_key = $7, country = $8, territory = $9, territory_key = $10, owner = $11, owner_key = $12, employees = $13, annual_revenue_minor = $14, annual_revenue_currency = $15, founded_year = $16, parent_id = $17, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time;
-- set_account_deleted
update customers.accounts set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, domain, industry, country, territory, owner, employees, annual_revenue_minor, annual_revenue_currency, founded_year, parent_id, version, create_time, update_time, delete_time;
-- find_contacts
select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from customers.contacts where tenant_id = $1 and id = any($2);
-- lock_contact
select id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time from customers.contacts where tenant_id = $1 and id = $2 for no key update;
-- hold_contact
select id from customers.contacts where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_contact
with addresses as (insert into customers.contact_emails (tenant_id, email_key, contact_id) select $1, unnest($9::text[]), $2) insert into customers.contacts (tenant_id, id, account_id, given_name, family_name, family_name_key, title, emails, phones, owner, owner_key, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $10, $11, $12, statement_timestamp(), statement_timestamp()) returning id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time;
-- update_contact
with removed as (delete from customers.contact_emails where tenant_id = $1 and contact_id = $2 and email_key <> all($9::text[])), added as (insert into customers.contact_emails (tenant_id, email_key, contact_id) select $1, unnest($9::text[]), $2 on conflict do nothing) update customers.contacts set account_id = $3, given_name = $4, family_name = $5, family_name_key = $6, title = $7, emails = $8, phones = $10, owner = $11, owner_key = $12, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time;
-- set_contact_deleted
update customers.contacts set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, account_id, given_name, family_name, title, emails, phones, owner, version, create_time, update_time, delete_time;
