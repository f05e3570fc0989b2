//! Activities on accounts and contacts. What all resources have in common is tried through the gateway.

mod life;
mod parents;
mod rules;
mod tasks;
mod timeline;

use crm_proto::activities::activity::Kind;
use crm_proto::activities::{self as pb, Activity};
use prost_types::Timestamp;
use tonic::Status;

use crate::support::{Caller, account, call, contact, field_mask};

/// Somebody's account and a contact there.
async fn parents(caller: &Caller) -> (String, String) {
    let account = caller.create_account(account("Acme")).await.unwrap().id;
    let contact = caller.create_contact(contact(&account, "Love")).await.unwrap().id;
    (account, contact)
}

pub fn of(kind: Kind, parent_resource: &str, parent_id: &str) -> Activity {
    let (parent_resource, parent_id) = (parent_resource.to_owned(), parent_id.to_owned());
    let text = || "Something".to_owned();
    Activity { kind: kind.into(), parent_resource, parent_id, subject: text(), body: text(), ..Default::default() }
}

fn task(account: &str, subject: &str) -> Activity {
    Activity { subject: subject.to_owned(), owner: "ada".to_owned(), ..of(Kind::Task, "accounts", account) }
}

fn at(seconds: i64) -> Option<Timestamp> {
    Some(Timestamp { seconds, nanos: 0 })
}

pub async fn get(caller: &Caller, id: &str) -> Result<Activity, Status> {
    call!(caller, activities.get_activity(pb::GetActivityRequest { id: id.to_owned() }))
}

pub async fn update(caller: &Caller, activity: Activity, mask: &[&str]) -> Result<Activity, Status> {
    let (activity, update_mask) = (Some(activity), field_mask(mask));
    call!(caller, activities.update_activity(pb::UpdateActivityRequest { activity, update_mask }))
}

pub async fn delete(caller: &Caller, id: &str) -> Result<Activity, Status> {
    let request = pb::DeleteActivityRequest { id: id.to_owned(), etag: String::new() };
    call!(caller, activities.delete_activity(request))
}

async fn undelete(caller: &Caller, id: &str) -> Result<Activity, Status> {
    let request = pb::UndeleteActivityRequest { id: id.to_owned(), etag: String::new() };
    call!(caller, activities.undelete_activity(request))
}

/// Subjects of what a filter finds.
pub async fn list(caller: &Caller, filter: &str, show_deleted: bool) -> Vec<String> {
    let request = pb::ListActivitiesRequest { filter: filter.to_owned(), show_deleted, ..Default::default() };
    let answer = call!(caller, activities.list_activities(request)).unwrap();
    answer.activities.into_iter().map(|activity| activity.subject).collect()
}

/// Subjects of the caller's open tasks, page by page.
async fn open_tasks(caller: &Caller, page_size: i32) -> Vec<Vec<String>> {
    let (mut pages, mut page_token) = (Vec::new(), String::new());
    loop {
        let request = pb::ListOpenTasksRequest { page_size, page_token };
        let page = call!(caller, activities.list_open_tasks(request)).unwrap();
        pages.push(page.activities.into_iter().map(|activity| activity.subject).collect());
        page_token = page.next_page_token;
        if page_token.is_empty() {
            return pages;
        }
    }
}

fn timeline_of(id: &str, page_size: i32, page_token: &str) -> pb::GetTimelineRequest {
    pb::GetTimelineRequest { id: id.to_owned(), page_size, page_token: page_token.to_owned() }
}
