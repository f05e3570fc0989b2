//! The journal: what it says of changes, in which order they are read, how long they are kept.

mod entries;
mod followed;
mod follower;
mod history;
mod kept;
mod plans;
mod reading;

use crm_customers::accounts::Account;
use crm_proto::journal as pb;
use crm_resource::journal::{Cursor, Entry};
use crm_resource::testkit::call;
use crm_resource::{Records, Store};
use crm_sandbox::testing::TestDatabase;
use uuid::Uuid;

use crate::support::{app, as_owner, store};

/// What a replica has, without its ports.
pub(crate) struct Replica {
    pub(crate) store: Store,
    pub(crate) accounts: Records<Account>,
}

pub(crate) async fn replica(database: &TestDatabase) -> Replica {
    let store = store(database).await;
    Replica { accounts: Records::new(&store), store }
}

/// All that comes after a cursor, and the cursor after that.
async fn drain(store: &Store, tenant: Uuid, mut cursor: Cursor, limit: u32) -> (Vec<Entry>, Cursor) {
    let mut all = Vec::new();
    loop {
        let batch = store.changes(&call(tenant), &cursor, limit).await.unwrap();
        assert!(batch.entries.len() <= limit as usize);
        // As a reader keeps it.
        let kept = batch.cursor.encode(app::SCHEMA, tenant).unwrap();
        cursor = Cursor::decode(app::SCHEMA, tenant, "cursor", &kept).unwrap();
        assert_eq!(cursor, batch.cursor);
        all.extend(batch.entries);
        if batch.is_last {
            return (all, cursor);
        }
    }
}

/// `field: from -> to`, each.
fn fields(change: &pb::Change) -> Vec<String> {
    use prost_types::value::Kind;
    fn text(value: &prost_types::Value) -> String {
        match value.kind.as_ref().unwrap() {
            Kind::NullValue(_) => "null".to_owned(),
            Kind::NumberValue(number) => number.to_string(),
            Kind::StringValue(text) => text.clone(),
            Kind::BoolValue(truth) => truth.to_string(),
            Kind::ListValue(list) => format!("[{}]", list.values.iter().map(text).collect::<Vec<_>>().join(", ")),
            Kind::StructValue(fields) => {
                let fields = fields.fields.iter().map(|(name, value)| format!("{name}: {}", text(value)));
                format!("{{{}}}", fields.collect::<Vec<_>>().join(", "))
            }
        }
    }
    let each = |field: &pb::FieldChange| {
        format!("{}: {} -> {}", field.field, text(field.from.as_ref().unwrap()), text(field.to.as_ref().unwrap()))
    };
    change.fields.iter().map(each).collect()
}
