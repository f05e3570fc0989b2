-- find_products
select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and id = any($2);
-- lock_product
select id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time from sales.products where tenant_id = $1 and id = $2 for no key update;
-- hold_product
select id from sales.products where tenant_id = $1 and id = $2 and delete_time is null for share;
-- insert_product
insert into sales.products (tenant_id, id, name, name_key, sku, sku_key, unit, price_minor, price_currency, active, create_time, update_time) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, statement_timestamp(), statement_timestamp()) returning id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time;
-- update_product
update sales.products set name = $3, name_key = $4, sku = $5, sku_key = $6, unit = $7, price_minor = $8, price_currency = $9, active = $10, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time;
-- set_product_deleted
update sales.products set delete_time = case when $3 then greatest(statement_timestamp(), update_time + interval '1 microsecond') end, version = version + 1, update_time = greatest(statement_timestamp(), update_time + interval '1 microsecond') where tenant_id = $1 and id = $2 returning id, name, sku, unit, price_minor, price_currency, active, version, create_time, update_time, delete_time;
