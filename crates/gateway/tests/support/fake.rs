//! Services that answer what the request tells them to, so that each test reads on its own.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crm_proto::activities::{GetTimelineRequest, GetTimelineResponse};
use crm_proto::customers::{
    self as pb, account_service_server::AccountService, contact_service_server::ContactService,
    operation_service_server::OperationService, table_service_server::TableService,
};
use crm_proto::google::api::HttpBody;
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_proto::operations as ops;
use crm_proto::tables::ExportTableRequest;
use crm_server::problem::Problem;
use futures_util::{Stream, StreamExt, stream};
use tonic::{Code, Request, Response, Status};

/// What a fake saw.
#[derive(Debug, Default)]
pub struct Seen {
    pub calls: AtomicUsize,
    pub running: AtomicUsize,
    pub cancelled: AtomicUsize,
}

/// A customers service that has one answer for each id.
#[derive(Debug, Clone, Default)]
pub struct Fake {
    pub seen: Arc<Seen>,
}

type Accounts = Pin<Box<dyn Stream<Item = Result<pb::Account, Status>> + Send>>;
type Contacts = Pin<Box<dyn Stream<Item = Result<pb::Contact, Status>> + Send>>;

/// Counts a call that is dropped before its end.
struct Running(Arc<Seen>, bool);

impl Running {
    fn new(seen: &Arc<Seen>) -> Self {
        seen.running.fetch_add(1, Ordering::SeqCst);
        Self(Arc::clone(seen), false)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.running.fetch_sub(1, Ordering::SeqCst);
        if !self.1 {
            self.0.cancelled.fetch_add(1, Ordering::SeqCst);
        }
    }
}

pub fn account(id: &str) -> pb::Account {
    pb::Account { id: id.into(), name: "Acme".into(), employees: Some(7), ..Default::default() }
}

fn contact(id: &str) -> pb::Contact {
    pb::Contact {
        id: id.into(),
        given_name: "Ada".into(),
        emails: vec!["ada@acme.example".into()],
        ..Default::default()
    }
}

/// Resources called `at-v2` are in the state `v2`; `at-odds` is one that somebody else is changing, too.
fn check_state(id: &str, etag: &str) -> Result<(), Status> {
    match id.strip_prefix("at-") {
        Some("odds") => Err(Problem::new(Code::Aborted, "TRANSACTION_CONFLICT", "try again").into()),
        Some(current) if !etag.is_empty() && etag != current => {
            Err(Problem::new(Code::Aborted, "ETAG_MISMATCH", "it has changed").into())
        }
        _ => Ok(()),
    }
}

fn header<T>(request: &Request<T>, name: &str) -> String {
    request.metadata().get(name).map_or_else(String::new, |value| value.to_str().unwrap().to_owned())
}

fn named(name: impl Into<String>) -> Result<Response<pb::Account>, Status> {
    Ok(Response::new(pb::Account { name: name.into(), ..Default::default() }))
}

#[tonic::async_trait]
impl TableService for Fake {
    type ExportAccountTableStream = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;
    type ExportContactTableStream = Pin<Box<dyn Stream<Item = Result<HttpBody, Status>> + Send>>;

    /// So many rows, or two and a failure.
    async fn export_account_table(
        &self,
        request: Request<ExportTableRequest>,
    ) -> Result<Response<Self::ExportAccountTableStream>, Status> {
        let body = |text: &'static str| Ok(HttpBody { data: text.into(), ..HttpBody::default() });
        let filter = request.into_inner().filter;
        let (rows, end) = match filter.as_str() {
            "refused" => return Err(Problem::new(Code::InvalidArgument, "INVALID_FILTER", "no such field").into()),
            "breaks" => (2, Some(Err(Status::aborted("the snapshot is gone")))),
            number => (number.parse().unwrap_or(0), None),
        };
        let rows = std::iter::once(body("name\r\n")).chain(std::iter::repeat_with(move || body("Acme\r\n")).take(rows));
        let end = stream::iter(end).then(async |end| (tokio::time::sleep(Duration::from_millis(200)).await, end).1);
        Ok(Response::new(Box::pin(stream::iter(rows).chain(end))))
    }

    async fn export_contact_table(
        &self,
        _: Request<ExportTableRequest>,
    ) -> Result<Response<Self::ExportContactTableStream>, Status> {
        Err(Status::unimplemented(""))
    }
}

#[tonic::async_trait]
impl OperationService for Fake {
    async fn get_operation(&self, _: Request<ops::GetOperationRequest>) -> Result<Response<ops::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn list_operations(
        &self,
        _: Request<ops::ListOperationsRequest>,
    ) -> Result<Response<ops::ListOperationsResponse>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn cancel_operation(
        &self,
        _: Request<ops::CancelOperationRequest>,
    ) -> Result<Response<ops::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    /// An operation without an end.
    async fn wait_operation(&self, _: Request<ops::WaitOperationRequest>) -> Result<Response<ops::Operation>, Status> {
        let _running = Running::new(&self.seen);
        std::future::pending().await
    }
}

#[tonic::async_trait]
impl AccountService for Fake {
    type ExportAccountsStream = Accounts;

    async fn create_account(
        &self,
        request: Request<pb::CreateAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        let request = request.into_inner();
        Ok(Response::new(pb::Account {
            id: "new".into(),
            etag: request.request_id,
            ..request.account.unwrap_or_default()
        }))
    }

    async fn get_account(&self, request: Request<pb::GetAccountRequest>) -> Result<Response<pb::Account>, Status> {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        let mut running = Running::new(&self.seen);
        let id = request.get_ref().id.clone();
        match id.as_str() {
            "missing" => Err(Problem::new(Code::NotFound, "ACCOUNT_NOT_FOUND", "no such account").into()),
            "busy" => {
                let problem = Problem::new(Code::ResourceExhausted, "BUSY", "come back later");
                Err(problem.with_retry_delay(Duration::from_millis(1500)).into())
            }
            "unavailable" => Err(Status::unavailable("not now")),
            "header" => named(header(&request, &header(&request, "ask-for"))),
            "names" => {
                let mut names: Vec<String> =
                    request.metadata().clone().into_headers().keys().map(ToString::to_string).collect();
                names.sort_unstable();
                named(names.join(","))
            }
            "large" => named("x".repeat(2 << 20)),
            "slow" => {
                tokio::time::sleep(Duration::from_millis(400)).await;
                running.1 = true;
                Ok(Response::new(account("slow")))
            }
            "hang" => std::future::pending().await,
            at if at.starts_with("at-") => {
                Ok(Response::new(pb::Account { etag: at.trim_start_matches("at-").into(), ..account(at) }))
            }
            _ => Ok(Response::new(account(&id))),
        }
    }

    async fn batch_get_accounts(
        &self,
        request: Request<pb::BatchGetAccountsRequest>,
    ) -> Result<Response<pb::BatchGetAccountsResponse>, Status> {
        let accounts = request.into_inner().ids.iter().map(|id| account(id)).collect();
        Ok(Response::new(pb::BatchGetAccountsResponse { accounts, ..Default::default() }))
    }

    async fn list_accounts(
        &self,
        request: Request<pb::ListAccountsRequest>,
    ) -> Result<Response<pb::ListAccountsResponse>, Status> {
        let asked = request.into_inner();
        let told = format!("{}|{}|{}|{}", asked.page_size, asked.filter, asked.order_by, asked.show_deleted);
        let many = if asked.filter == "many" { 2_000 } else { 1 };
        let accounts = (1..=many).map(|number| account(&number.to_string())).collect();
        Ok(Response::new(pb::ListAccountsResponse { accounts, next_page_token: told }))
    }

    async fn update_account(
        &self,
        request: Request<pb::UpdateAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        let request = request.into_inner();
        let account = request.account.unwrap_or_default();
        if account.id == "unavailable" {
            return Err(Status::unavailable("not now"));
        }
        check_state(&account.id, &account.etag)?;
        Ok(Response::new(pb::Account { etag: request.update_mask.unwrap_or_default().paths.join(","), ..account }))
    }

    async fn delete_account(
        &self,
        request: Request<pb::DeleteAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        self.seen.calls.fetch_add(1, Ordering::SeqCst);
        let request = request.into_inner();
        check_state(&request.id, &request.etag)?;
        Ok(Response::new(pb::Account { id: request.id, etag: request.etag, ..Default::default() }))
    }

    async fn undelete_account(
        &self,
        request: Request<pb::UndeleteAccountRequest>,
    ) -> Result<Response<pb::Account>, Status> {
        let request = request.into_inner();
        Ok(Response::new(pb::Account { id: request.id, etag: request.etag, ..Default::default() }))
    }

    async fn get_account_history(
        &self,
        _: Request<pb::GetAccountHistoryRequest>,
    ) -> Result<Response<pb::GetAccountHistoryResponse>, Status> {
        Ok(Response::new(pb::GetAccountHistoryResponse::default()))
    }

    async fn reassign_accounts(
        &self,
        _: Request<pb::ReassignAccountsRequest>,
    ) -> Result<Response<crm_proto::operations::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn merge_account(
        &self,
        _: Request<MergeRequest>,
    ) -> Result<Response<crm_proto::operations::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn unmerge_account(
        &self,
        _: Request<UnmergeRequest>,
    ) -> Result<Response<crm_proto::operations::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_timeline(&self, _: Request<GetTimelineRequest>) -> Result<Response<GetTimelineResponse>, Status> {
        Ok(Response::new(GetTimelineResponse::default()))
    }

    async fn export_accounts(&self, request: Request<pb::ExportAccountsRequest>) -> Result<Response<Accounts>, Status> {
        let filter = request.into_inner().filter;
        let running = Running::new(&self.seen);
        let endless = stream::iter(0_u32..)
            .map(|number| Ok(pb::Account { name: "x".repeat(1000), ..account(&number.to_string()) }));
        let accounts: Accounts = match filter.as_str() {
            "endless" => Box::pin(endless),
            "refused" => return Err(Problem::new(Code::InvalidArgument, "INVALID_FILTER", "no such filter").into()),
            "breaks" => {
                let end = stream::iter([Err(Problem::new(Code::Aborted, "BROKEN_OFF", "the snapshot is gone").into())]);
                Box::pin(endless.take(2).chain(end))
            }
            "silent" => Box::pin(endless.take(1).chain(stream::pending())),
            "mute" => Box::pin(stream::pending()),
            "huge" => {
                let huge = |number: u32| Ok(pb::Account { name: "x".repeat(100_000), ..account(&number.to_string()) });
                Box::pin(stream::iter(0..3).map(huge))
            }
            number => Box::pin(endless.take(number.parse().unwrap_or(0))),
        };
        let as_long_as_it_is_read = accounts.inspect(move |_| {
            let _keep = &running;
        });
        Ok(Response::new(Box::pin(as_long_as_it_is_read)))
    }
}

#[tonic::async_trait]
impl ContactService for Fake {
    type ExportContactsStream = Contacts;

    async fn create_contact(
        &self,
        request: Request<pb::CreateContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let request = request.into_inner();
        Ok(Response::new(pb::Contact {
            id: "new".into(),
            etag: request.request_id,
            ..request.contact.unwrap_or_default()
        }))
    }

    async fn get_contact(&self, request: Request<pb::GetContactRequest>) -> Result<Response<pb::Contact>, Status> {
        Ok(Response::new(contact(&request.into_inner().id)))
    }

    async fn batch_get_contacts(
        &self,
        request: Request<pb::BatchGetContactsRequest>,
    ) -> Result<Response<pb::BatchGetContactsResponse>, Status> {
        let contacts = request.into_inner().ids.iter().map(|id| contact(id)).collect();
        Ok(Response::new(pb::BatchGetContactsResponse { contacts, ..Default::default() }))
    }

    async fn list_contacts(
        &self,
        request: Request<pb::ListContactsRequest>,
    ) -> Result<Response<pb::ListContactsResponse>, Status> {
        let asked = request.into_inner();
        let told = format!("{}|{}|{}|{}", asked.page_size, asked.filter, asked.order_by, asked.show_deleted);
        Ok(Response::new(pb::ListContactsResponse { contacts: vec![contact("1")], next_page_token: told }))
    }

    async fn update_contact(
        &self,
        request: Request<pb::UpdateContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let request = request.into_inner();
        let etag = request.update_mask.unwrap_or_default().paths.join(",");
        Ok(Response::new(pb::Contact { etag, ..request.contact.unwrap_or_default() }))
    }

    async fn delete_contact(
        &self,
        request: Request<pb::DeleteContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let request = request.into_inner();
        Ok(Response::new(pb::Contact { id: request.id, etag: request.etag, ..Default::default() }))
    }

    async fn undelete_contact(
        &self,
        request: Request<pb::UndeleteContactRequest>,
    ) -> Result<Response<pb::Contact>, Status> {
        let request = request.into_inner();
        Ok(Response::new(pb::Contact { id: request.id, etag: request.etag, ..Default::default() }))
    }

    async fn erase_contact(&self, _: Request<pb::EraseContactRequest>) -> Result<Response<ops::Operation>, Status> {
        Ok(Response::new(ops::Operation::default()))
    }

    async fn get_contact_history(
        &self,
        _: Request<pb::GetContactHistoryRequest>,
    ) -> Result<Response<pb::GetContactHistoryResponse>, Status> {
        Ok(Response::new(pb::GetContactHistoryResponse::default()))
    }

    async fn merge_contact(
        &self,
        _: Request<MergeRequest>,
    ) -> Result<Response<crm_proto::operations::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn unmerge_contact(
        &self,
        _: Request<UnmergeRequest>,
    ) -> Result<Response<crm_proto::operations::Operation>, Status> {
        Err(Status::unimplemented(""))
    }

    async fn get_timeline(&self, _: Request<GetTimelineRequest>) -> Result<Response<GetTimelineResponse>, Status> {
        Ok(Response::new(GetTimelineResponse::default()))
    }

    async fn export_contacts(&self, request: Request<pb::ExportContactsRequest>) -> Result<Response<Contacts>, Status> {
        let count = request.into_inner().filter.parse().unwrap_or(0);
        Ok(Response::new(Box::pin(stream::iter((0..count).map(|number: u32| Ok(contact(&number.to_string())))))))
    }
}
