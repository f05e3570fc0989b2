//! One tag in the place of another.

use std::slice::from_ref;

use crm_proto::customers as pb;
use crm_proto::journal::change::Kind;
use crm_proto::operations::{self as ops, operation::State};
use crm_proto::tags::{MergeTagResponse, UndeleteTagRequest};
use crm_server::token::Role;
use tonic::Code;
use tonic_types::StatusExt;
use uuid::Uuid;

use super::{delete, get, list, merge, merging, number, tag, undelete};
use crate::support::{account, as_owner, call, contact, refusal, refused, tenant, violations, world};

fn changed(operation: &ops::Operation) -> i64 {
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    let Some(ops::operation::Result::Response(response)) = &operation.result else { panic!("{operation:?}") };
    response.to_msg::<MergeTagResponse>().unwrap().changed_count
}

fn reason(operation: &ops::Operation) -> (Code, String) {
    let Some(ops::operation::Result::Error(error)) = &operation.result else { panic!("{operation:?}") };
    let info = error.details.iter().find_map(|any| any.to_msg::<crm_proto::google::rpc::ErrorInfo>().ok());
    (error.code.into(), info.map(|info| info.reason).unwrap_or_default())
}

#[tokio::test]
async fn all_records_have_the_other_tag_once_and_the_tag_is_gone_for_good() {
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    let (gone, kept, other) = (tag(&manager, "Gone").await, tag(&manager, "Kept").await, tag(&manager, "Other").await);
    let company = |name: &str, tags: &[&String]| pb::Account {
        tag_ids: tags.iter().map(|tag| (*tag).clone()).collect(),
        ..account(name)
    };
    let has = manager.create_account(company("Has", &[&gone, &other])).await.unwrap();
    let has_both = manager.create_account(company("Has both", &[&gone, &kept])).await.unwrap();
    let has_kept = manager.create_account(company("Has kept", &[&kept])).await.unwrap();
    let person = pb::Contact { tag_ids: vec![gone.clone()], ..contact(&has.id, "Love") };
    let person = manager.create_contact(person).await.unwrap();
    let deleted = manager.create_account(company("Deleted", &[&gone])).await.unwrap();
    manager.delete_account(&deleted.id, "").await.unwrap();
    // Nobody else's.
    let stranger = world.service.caller("globex", Role::Agent);
    let same = tag(&stranger, "Gone").await;
    let theirs = stranger.create_account(company("Theirs", &[&same])).await.unwrap();
    // In the caches.
    manager.get_account(&has.id).await.unwrap();
    get(&manager, &gone).await.unwrap();

    let operation = merge(&manager, &gone, &kept).await;
    assert_eq!(changed(&operation), 4);
    let progress = operation.progress.unwrap();
    assert_eq!((progress.done, progress.total, progress.unit.as_str()), (4, Some(4), "records"));

    let sorted = |mut tags: Vec<String>| {
        tags.sort_unstable();
        tags
    };
    let now = manager.get_account(&has.id).await.unwrap();
    assert_eq!(now.tag_ids, sorted(vec![kept.clone(), other.clone()]));
    assert_eq!(manager.get_account(&has_both.id).await.unwrap().tag_ids, from_ref(&kept));
    assert_eq!(manager.get_account(&has_kept.id).await.unwrap(), has_kept);
    assert_eq!(manager.get_contact(&person.id).await.unwrap().tag_ids, from_ref(&kept));
    assert_eq!(manager.undelete_account(&deleted.id).await.unwrap().tag_ids, from_ref(&kept));
    assert_eq!(stranger.get_account(&theirs.id).await.unwrap(), theirs);

    // One entry for each record, and one for the tag, in the caller's name.
    let history = pb::GetAccountHistoryRequest { id: has.id.clone(), ..Default::default() };
    let changes = call!(manager, accounts.get_account_history(history)).unwrap().changes;
    assert_eq!((changes.len(), changes[0].fields.len(), changes[0].subject.as_str()), (2, 1, "ada"));
    assert_eq!((changes[0].fields[0].field.as_str(), &changes[0].etag), ("tag_ids", &now.etag));
    let history = crm_proto::tags::GetTagHistoryRequest { id: gone.clone(), ..Default::default() };
    let changes = call!(manager, tags.get_tag_history(history)).unwrap().changes;
    assert_eq!((changes.len(), changes[0].kind(), &changes[0].merged_into), (2, Kind::Merged, &kept));

    assert_eq!(refusal(get(&manager, &gone).await), refused(Code::NotFound, "TAG_NOT_FOUND"));
    assert_eq!(list(&manager, "", false).await, ["Kept", "Other"]);
    let undeleted = call!(manager, tags.undelete_tag(UndeleteTagRequest { id: gone.clone(), etag: String::new() }));
    let info = undeleted.as_ref().unwrap_err().get_error_details().error_info().cloned().unwrap();
    assert_eq!(info.metadata.get("id"), Some(&kept), "it names the other one");
    assert_eq!(refusal(undeleted), refused(Code::FailedPrecondition, "TAG_MERGED"));
    let answer = manager.update_account(company("", &[&gone]).with_id(&has_kept.id), &["tag_ids"]).await;
    let bad = answer.unwrap_err().get_error_details().bad_request().cloned().unwrap();
    assert_eq!(bad.field_violations[0].description, format!("the tag {gone} was merged into {kept}"));
    let facets = format!("select count(*) from customers.facets where facet = '{gone}'");
    assert_eq!(number(&world.database, &facets).await, 0);
    // The name is free.
    tag(&manager, "gone").await;
}

trait WithId {
    fn with_id(self, id: &str) -> Self;
}

impl WithId for pb::Account {
    fn with_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.id);
        self
    }
}

#[tokio::test]
async fn a_merge_into_itself_of_nothing_or_in_a_circle_is_refused() {
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    let (one, two, three) = (tag(&manager, "One").await, tag(&manager, "Two").await, tag(&manager, "Three").await);
    for (id, into, fields) in
        [(one.as_str(), one.as_str(), vec!["into"]), ("x", "", vec!["id", "into"]), ("", one.as_str(), vec!["id"])]
    {
        assert_eq!(violations(call!(manager, tags.merge_tag(merging(id, into)))), fields);
    }
    let missing = (Code::NotFound, "TAG_NOT_FOUND".to_owned());
    let nobody = Uuid::now_v7().to_string();
    let stranger = world.service.caller("globex", Role::Manager);
    let theirs = tag(&stranger, "Theirs").await;
    for (id, into) in [(&one, &nobody), (&nobody, &one), (&one, &theirs), (&theirs, &one)] {
        assert_eq!(reason(&merge(&manager, id, into).await), missing);
    }
    delete(&manager, &three).await.unwrap();
    assert_eq!(reason(&merge(&manager, &one, &three).await), missing);
    assert_eq!(reason(&merge(&manager, &three, &one).await), missing);
    undelete(&manager, &three).await.unwrap();
    assert_eq!(changed(&merge(&manager, &one, &two).await), 0);
    assert_eq!(reason(&merge(&manager, &two, &one).await), missing, "a circle");
    assert_eq!(reason(&merge(&manager, &one, &three).await), missing, "gone already");
    // What was begun is gone on with.
    assert_eq!(changed(&merge(&manager, &one, &two).await), 0);
    assert_eq!(refusal(call!(world.agent, tags.merge_tag(merging(&one, &two)))).0, Code::PermissionDenied);
    // Both at once, either way round: one of them is first.
    let (there, back) = tokio::join!(merge(&manager, &two, &three), merge(&manager, &three, &two));
    let states = [there.state(), back.state()];
    assert!(states.contains(&State::Succeeded) && states.contains(&State::Failed), "{states:?}");
}

#[tokio::test]
async fn records_follow_when_the_tag_that_is_kept_is_itself_merged() {
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    let (one, two, three) = (tag(&manager, "One").await, tag(&manager, "Two").await, tag(&manager, "Three").await);
    let tagged = pb::Account { tag_ids: vec![one.clone()], ..account("Acme") };
    let account = manager.create_account(tagged).await.unwrap();
    merge(&manager, &two, &three).await;
    // As of a merge that had begun before.
    let merged = format!(
        "update customers.tags set merged_into = '{two}', delete_time = now() where tenant_id = '{}' and id = '{one}'",
        tenant()
    );
    as_owner(&world.database, &merged).await;
    // The tag that it goes into is gone, and yet what was begun can be ended.
    assert_eq!(changed(&merge(&manager, &one, &two).await), 1);
    assert_eq!(manager.get_account(&account.id).await.unwrap().tag_ids, [three]);
}
