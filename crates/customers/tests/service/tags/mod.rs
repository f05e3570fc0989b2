//! Tags: their names, who can be given them, how they are found, and how two become one.

mod filter;
mod given;
mod merge;
mod merge_killed;
mod names;

use crm_proto::operations as ops;
use crm_proto::tags as pb;
use crm_sandbox::testing::TestDatabase;
use sqlx::{AssertSqlSafe, Connection, PgConnection};
use tonic::Status;
use uuid::Uuid;

use crate::support::{Caller, call, field_mask};

async fn create(caller: &Caller, tag: pb::Tag) -> Result<pb::Tag, Status> {
    call!(caller, tags.create_tag(pb::CreateTagRequest { tag: Some(tag), request_id: Uuid::new_v4().to_string() }))
}

/// The id of a new tag of this name.
pub(crate) async fn tag(caller: &Caller, name: &str) -> String {
    create(caller, named(name)).await.unwrap().id
}

fn named(name: &str) -> pb::Tag {
    pb::Tag { name: name.to_owned(), ..Default::default() }
}

async fn get(caller: &Caller, id: &str) -> Result<pb::Tag, Status> {
    call!(caller, tags.get_tag(pb::GetTagRequest { id: id.to_owned() }))
}

async fn update(caller: &Caller, tag: pb::Tag, mask: &[&str]) -> Result<pb::Tag, Status> {
    call!(caller, tags.update_tag(pb::UpdateTagRequest { tag: Some(tag), update_mask: field_mask(mask) }))
}

async fn delete(caller: &Caller, id: &str) -> Result<pb::Tag, Status> {
    call!(caller, tags.delete_tag(pb::DeleteTagRequest { id: id.to_owned(), etag: String::new() }))
}

async fn undelete(caller: &Caller, id: &str) -> Result<pb::Tag, Status> {
    call!(caller, tags.undelete_tag(pb::UndeleteTagRequest { id: id.to_owned(), etag: String::new() }))
}

async fn list(caller: &Caller, filter: &str, show_deleted: bool) -> Vec<String> {
    let request = pb::ListTagsRequest { filter: filter.to_owned(), show_deleted, ..Default::default() };
    let answer = call!(caller, tags.list_tags(request)).unwrap();
    answer.tags.into_iter().map(|tag| tag.name).collect()
}

fn merging(id: &str, into: &str) -> pb::MergeTagRequest {
    pb::MergeTagRequest { id: id.to_owned(), into: into.to_owned(), request_id: Uuid::new_v4().to_string() }
}

/// The operation, once it has ended.
async fn merge(caller: &Caller, id: &str, into: &str) -> ops::Operation {
    let begun = call!(caller, tags.merge_tag(merging(id, into))).unwrap();
    let wait = ops::WaitOperationRequest { id: begun.id, timeout: None };
    loop {
        let operation = call!(caller, operations.wait_operation(wait.clone())).unwrap();
        if operation.done {
            return operation;
        }
    }
}

async fn number(database: &TestDatabase, select: &str) -> i64 {
    let mut owner = PgConnection::connect(database.url()).await.unwrap();
    sqlx::query_scalar(AssertSqlSafe(select.to_owned())).fetch_one(&mut owner).await.unwrap()
}
