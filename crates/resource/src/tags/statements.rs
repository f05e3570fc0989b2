//! The texts of the statements about one service's tags.

use sqlx::{AssertSqlSafe, SqlSafeStr, SqlStr};

use crate::statements::take_turns;

/// Made once.
#[derive(Debug)]
pub(crate) struct Statements {
    /// Tags with these ids as they are, which stay so. In the order of their ids, and behind the record that is given them:
    /// whoever changes a tag locks nothing else afterwards.
    pub(crate) hold: SqlStr,
    /// The ids of tags with these keys of names, which stay as they are.
    pub(super) by_name: SqlStr,
    /// The names of all.
    pub(crate) names: SqlStr,
    /// Keeps others from adding tags.
    pub(super) lock: SqlStr,
    /// How many there are.
    pub(super) count: SqlStr,
    /// Records of a resource that have a tag, deleted ones included, after an id.
    pub(super) find: SqlStr,
    /// How many records have a tag.
    pub(super) count_records: SqlStr,
}

impl Statements {
    /// Of the service with this schema, whose name needs no quotes.
    pub(crate) fn new(schema: &str) -> Self {
        let sql = |text: String| AssertSqlSafe(text).into_sql_str();
        Self {
            hold: sql(format!(
                "select id, delete_time is not null, merged_into from {schema}.tags where tenant_id = $1 and id = any($2) \
                 order by id for share"
            )),
            by_name: sql(format!(
                "select name_key, id from {schema}.tags where tenant_id = $1 and name_key = any($2) \
                 and delete_time is null order by id for share"
            )),
            names: sql(format!("select id, name from {schema}.tags where tenant_id = $1 and delete_time is null")),
            lock: sql(take_turns(&format!("{schema}.tags"))),
            count: sql(format!("select count(*) from {schema}.tags where tenant_id = $1 and delete_time is null")),
            find: sql(format!(
                "select record_id from {schema}.facets where tenant_id = $1 and resource = $2 and facet = $3 \
                 and value = '' and record_id > $4 order by record_id limit $5"
            )),
            count_records: sql(format!(
                "select count(*) from {schema}.facets where tenant_id = $1 and resource = any($2) and facet = $3 \
                 and value = ''"
            )),
        }
    }

    /// By their names.
    #[cfg(feature = "testkit")]
    pub(crate) fn all(&self) -> [(&'static str, &SqlStr); 7] {
        [
            ("hold_tags", &self.hold),
            ("hold_tags_by_name", &self.by_name),
            ("find_tag_names", &self.names),
            ("lock_vocabulary", &self.lock),
            ("count_tags", &self.count),
            ("find_tagged", &self.find),
            ("count_tagged", &self.count_records),
        ]
    }
}
