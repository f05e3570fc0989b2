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
