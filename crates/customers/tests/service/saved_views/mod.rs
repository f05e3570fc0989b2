//! Saved views. What all resources have in common is tried through the gateway.

mod limits;
mod rules;
mod walls;

use crm_proto::views::saved_view::Visibility;
use crm_proto::views::{self as pb, SavedView};
use tonic::Status;
use uuid::Uuid;

use crate::support::{Caller, call, field_mask};

fn view(visibility: Visibility, name: &str) -> SavedView {
    SavedView {
        resource: "accounts".to_owned(),
        name: name.to_owned(),
        filter: "owner = \"ada\"".to_owned(),
        order_by: "update_time desc".to_owned(),
        columns: vec!["name".to_owned(), "update_time".to_owned()],
        visibility: visibility.into(),
        ..Default::default()
    }
}

async fn create(caller: &Caller, view: SavedView) -> Result<SavedView, Status> {
    create_once(caller, view, Uuid::new_v4()).await
}

async fn create_once(caller: &Caller, view: SavedView, request: Uuid) -> Result<SavedView, Status> {
    let request = pb::CreateSavedViewRequest { saved_view: Some(view), request_id: request.to_string() };
    call!(caller, saved_views.create_saved_view(request))
}

async fn get(caller: &Caller, id: &str) -> Result<SavedView, Status> {
    call!(caller, saved_views.get_saved_view(pb::GetSavedViewRequest { id: id.to_owned() }))
}

async fn update(caller: &Caller, view: SavedView, mask: &[&str]) -> Result<SavedView, Status> {
    let request = pb::UpdateSavedViewRequest { saved_view: Some(view), update_mask: field_mask(mask) };
    call!(caller, saved_views.update_saved_view(request))
}

async fn delete(caller: &Caller, id: &str) -> Result<SavedView, Status> {
    let request = pb::DeleteSavedViewRequest { id: id.to_owned(), etag: String::new() };
    call!(caller, saved_views.delete_saved_view(request))
}

async fn undelete(caller: &Caller, id: &str) -> Result<SavedView, Status> {
    let request = pb::UndeleteSavedViewRequest { id: id.to_owned(), etag: String::new() };
    call!(caller, saved_views.undelete_saved_view(request))
}

async fn batch_get(caller: &Caller, ids: &[&str]) -> Result<Vec<SavedView>, Status> {
    let ids = ids.iter().map(|id| (*id).to_owned()).collect();
    let answer = call!(caller, saved_views.batch_get_saved_views(pb::BatchGetSavedViewsRequest { ids }));
    answer.map(|answer| answer.saved_views)
}

async fn list(caller: &Caller, filter: &str) -> Vec<SavedView> {
    let request = pb::ListSavedViewsRequest { filter: filter.to_owned(), show_deleted: true, ..Default::default() };
    call!(caller, saved_views.list_saved_views(request)).unwrap().saved_views
}

async fn export(caller: &Caller) -> Vec<SavedView> {
    use tokio_stream::StreamExt as _;
    let request = pb::ExportSavedViewsRequest { show_deleted: true, ..Default::default() };
    call!(caller, saved_views.export_saved_views(request)).unwrap().map(Result::unwrap).collect().await
}

async fn history(caller: &Caller, id: &str) -> Result<usize, Status> {
    let request = pb::GetSavedViewHistoryRequest { id: id.to_owned(), ..Default::default() };
    call!(caller, saved_views.get_saved_view_history(request)).map(|answer| answer.changes.len())
}

fn names(views: &[SavedView]) -> Vec<&str> {
    views.iter().map(|view| view.name.as_str()).collect()
}
