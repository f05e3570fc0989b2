//! Looks for texts wherever something is kept.

use sqlx::{Connection, PgConnection};

use super::{MARKS, Two};

/// Every text of the database that has a mark in it, as `table: mark`. Tables are those of the catalogue, so one that is added
/// later is looked at as well. Bytes are written in hexadecimal digits when a row is a text.
const LOOK: &str = "
    create function pg_temp.look(marks text[]) returns setof text language plpgsql as $$
    declare found record; mark text; count bigint;
    begin
        for found in select quote_ident(nspname) || '.' || quote_ident(relname) as name
            from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
            where relkind in ('r', 'p', 'm') and nspname not like 'pg\\_%' and nspname <> 'information_schema'
        loop
            foreach mark in array marks loop
                execute format('select count(*) from %s as looked where position($1 in lower(looked::text)) > 0 or exists '
                    '(select from unnest($2) as bytes (digits) where position(bytes.digits in looked::text) > 0)', found.name)
                    into count using mark, array(select encode(convert_to(written, 'UTF8'), 'hex')
                        from unnest(array[mark, initcap(mark), upper(mark)]) as written);
                if count > 0 then return next found.name || ': ' || mark; end if;
            end loop;
        end loop;
    end $$";

impl Two {
    pub(super) async fn tables_with_marks(&self) -> Vec<String> {
        // Of a superuser: no policy hides anything.
        let mut owner = PgConnection::connect(self.database.url()).await.unwrap();
        sqlx::raw_sql(LOOK).execute(&mut owner).await.unwrap();
        let marks = MARKS.map(str::to_owned).to_vec();
        sqlx::query_scalar("select pg_temp.look($1) order by 1").bind(marks).fetch_all(&mut owner).await.unwrap()
    }

    /// Keys of Redis that have a mark in them or in what they hold, and how many keys there are.
    pub(super) async fn keys_with_marks(&self) -> (Vec<String>, usize) {
        let client = redis::Client::open(self.redis_url.as_str()).unwrap();
        let mut connection = client.get_multiplexed_async_connection().await.unwrap();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query_async(&mut connection).await.unwrap();
        let mut found = Vec::new();
        for key in &keys {
            // Of any type.
            let held: Option<Vec<u8>> = redis::cmd("DUMP").arg(key).query_async(&mut connection).await.unwrap();
            let text: Option<Vec<u8>> = redis::cmd("GET").arg(key).query_async(&mut connection).await.ok();
            let all = [key.clone(), held.unwrap_or_default(), text.unwrap_or_default()].concat();
            let all = String::from_utf8_lossy(&all).to_lowercase();
            if MARKS.iter().any(|mark| all.contains(mark)) {
                found.push(String::from_utf8_lossy(key).into_owned());
            }
        }
        (found, keys.len())
    }
}
