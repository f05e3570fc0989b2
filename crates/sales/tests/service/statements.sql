-- Written by the test beside it. Which statements a standard method runs, in this order:
--   Get, BatchGet      find, of what no cache has
--   List               list
--   Create             claim_request_id (find_answer, if the request came before), insert, store_answer
--   Update             lock, and update if anything changes
--   Delete, Undelete   lock, set_deleted
--   Export             open_export, and fetch_export until nothing is left
-- Those of request ids are in crm_database::idempotency, those of operations in crm_resource::operations. A call with rules of its own runs more in between, which stand
-- at the end here: in which order, says src/<resource>/<operation>.rs.
-- find_products
select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and id = any($2);
-- lock_product
select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and id = $2 for no key update;
-- hold_product
select id from sales.products where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_product
with changed as (insert into sales.products (tenant_id, id, name, name_key, sku, sku_key, unit, price_minor, price_currency, active, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, statement_timestamp(), statement_timestamp()) returning id, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'products', id, version, 'created', update_time, $11, $12, $13, $14, $15 from changed) select id, version, create_time, update_time, delete_time from changed;
-- update_product
with changed as (update sales.products set name = $3, name_key = $4, sku = $5, sku_key = $6, unit = $7, price_minor = $8, price_currency = $9, active = $10, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'products', id, version, 'updated', update_time, $11, $12, $13, $14, $15 from changed) select id, version, create_time, update_time, delete_time from changed;
-- set_product_deleted
with changed as (update sales.products set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'products', id, version, case when $3 then 'deleted' else 'undeleted' end, update_time, $4, $5, $6, $7, $8 from changed) select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from changed;
-- list_products, by all filters at once, a later page
select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and delete_time is null and sku_key = $2 and name_key >= $3 and name_key < $4 and active = $5 and update_time >= $6 and (name_key, id) > ($7, $8) order by name_key, id limit $9;
-- find_matching_products, by all filters at once
select id from sales.products where tenant_id = $1 and delete_time is null and sku_key = $2 and name_key >= $3 and name_key < $4 and active = $5 and update_time >= $6 order by id limit $7;
-- lock_matching_products, by all filters at once
select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and delete_time is null and sku_key = $2 and name_key >= $3 and name_key < $4 and active = $5 and update_time >= $6 and id > $7 and id <= $8 order by id limit $9 for no key update;
-- open_export, of products, by all filters at once
declare export no scroll cursor for select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and delete_time is null and sku_key = $2 and name_key >= $3 and name_key < $4 and active = $5 and update_time >= $6 order by id;
-- find_sales_teams
select id, name, members, manager, office, version, create_time, update_time, delete_time from sales.sales_teams where tenant_id = $1 and id = any($2);
-- lock_sales_team
select id, name, members, manager, office, version, create_time, update_time, delete_time from sales.sales_teams where tenant_id = $1 and id = $2 for no key update;
-- hold_sales_team
select id from sales.sales_teams where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_sales_team
with members as (insert into sales.sales_team_members (tenant_id, member_key, team_id) select $1, unnest($6::text[]), $2), changed as (insert into sales.sales_teams (tenant_id, id, name, name_key, members, manager, manager_key, office, office_key, create_time, update_time) values ($1, $2, $3, $4, $5, $7, $8, $9, $10, statement_timestamp(), statement_timestamp()) returning id, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'sales_teams', id, version, 'created', update_time, $11, $12, $13, $14, $15 from changed) select id, version, create_time, update_time, delete_time from changed;
-- update_sales_team
with removed as (delete from sales.sales_team_members where tenant_id = $1 and team_id = $2 and member_key <> all($6::text[])), added as (insert into sales.sales_team_members (tenant_id, member_key, team_id) select $1, unnest($6::text[]), $2 on conflict do nothing), changed as (update sales.sales_teams set name = $3, name_key = $4, members = $5, manager = $7, manager_key = $8, office = $9, office_key = $10, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'sales_teams', id, version, 'updated', update_time, $11, $12, $13, $14, $15 from changed) select id, version, create_time, update_time, delete_time from changed;
-- set_sales_team_deleted
with changed as (update sales.sales_teams set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, members, manager, office, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'sales_teams', id, version, case when $3 then 'deleted' else 'undeleted' end, update_time, $4, $5, $6, $7, $8 from changed) select id, name, members, manager, office, version, create_time, update_time, delete_time from changed;
-- list_sales_teams, by all filters at once, a later page
select id, name, members, manager, office, version, create_time, update_time, delete_time from sales.sales_teams where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and id in (select team_id from sales.sales_team_members where tenant_id = $1 and member_key = $4) and manager_key = $5 and office_key = $6 and update_time >= $7 and (name_key, id) > ($8, $9) order by name_key, id limit $10;
-- find_matching_sales_teams, by all filters at once
select id from sales.sales_teams where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and id in (select team_id from sales.sales_team_members where tenant_id = $1 and member_key = $4) and manager_key = $5 and office_key = $6 and update_time >= $7 order by id limit $8;
-- lock_matching_sales_teams, by all filters at once
select id, name, members, manager, office, version, create_time, update_time, delete_time from sales.sales_teams where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and id in (select team_id from sales.sales_team_members where tenant_id = $1 and member_key = $4) and manager_key = $5 and office_key = $6 and update_time >= $7 and id > $8 and id <= $9 order by id limit $10 for no key update;
-- open_export, of sales_teams, by all filters at once
declare export no scroll cursor for select id, name, members, manager, office, version, create_time, update_time, delete_time from sales.sales_teams where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and id in (select team_id from sales.sales_team_members where tenant_id = $1 and member_key = $4) and manager_key = $5 and office_key = $6 and update_time >= $7 order by id;
-- find_pipelines
select id, name, stages, version, create_time, update_time, delete_time from sales.pipelines where tenant_id = $1 and id = any($2);
-- lock_pipeline
select id, name, stages, version, create_time, update_time, delete_time from sales.pipelines where tenant_id = $1 and id = $2 for no key update;
-- hold_pipeline
select id from sales.pipelines where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_pipeline
with changed as (insert into sales.pipelines (tenant_id, id, name, name_key, stages, create_time, update_time) values ($1, $2, $3, $4, $5, statement_timestamp(), statement_timestamp()) returning id, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'pipelines', id, version, 'created', update_time, $6, $7, $8, $9, $10 from changed) select id, version, create_time, update_time, delete_time from changed;
-- update_pipeline
with changed as (update sales.pipelines set name = $3, name_key = $4, stages = $5, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'pipelines', id, version, 'updated', update_time, $6, $7, $8, $9, $10 from changed) select id, version, create_time, update_time, delete_time from changed;
-- set_pipeline_deleted
with changed as (update sales.pipelines set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, stages, version, create_time, update_time, delete_time), entry as (insert into sales.journal (tenant_id, resource, record_id, version, kind, change_time, subject, role, changes, personal, traceparent) select $1, 'pipelines', id, version, case when $3 then 'deleted' else 'undeleted' end, update_time, $4, $5, $6, $7, $8 from changed) select id, name, stages, version, create_time, update_time, delete_time from changed;
-- list_pipelines, by all filters at once, a later page
select id, name, stages, version, create_time, update_time, delete_time from sales.pipelines where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and update_time >= $4 and (name_key, id) > ($5, $6) order by name_key, id limit $7;
-- find_matching_pipelines, by all filters at once
select id from sales.pipelines where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and update_time >= $4 order by id limit $5;
-- lock_matching_pipelines, by all filters at once
select id, name, stages, version, create_time, update_time, delete_time from sales.pipelines where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and update_time >= $4 and id > $5 and id <= $6 order by id limit $7 for no key update;
-- open_export, of pipelines, by all filters at once
declare export no scroll cursor for select id, name, stages, version, create_time, update_time, delete_time from sales.pipelines where tenant_id = $1 and delete_time is null and name_key >= $2 and name_key < $3 and update_time >= $4 order by id;
