//! Imports of people's own files.

mod defined;
mod duplicates;
mod files;
mod inspecting;
mod killed;
mod parts;
mod references;
mod undoing;

use crm_proto::imports::{self as pb, RowError, Tally, run_import_request::Duplicates};
use crm_proto::operations::{self as ops, operation::State};
use crm_server::token::Role;
use prost::Name;
use uuid::Uuid;

use crate::support::{Caller, World, call, world};

/// A service, and the manager of `acme` who has a file.
struct Desk {
    world: World,
    manager: Caller,
}

async fn desk() -> Desk {
    let world = world().await;
    let manager = world.service.caller("acme", Role::Manager);
    Desk { world, manager }
}

fn request_id() -> String {
    Uuid::new_v4().to_string()
}

impl Desk {
    async fn create(&self, resource: &str) -> String {
        let request = pb::CreateImportRequest {
            resource: resource.to_owned(),
            file_name: "mine.csv".to_owned(),
            request_id: request_id(),
        };
        call!(self.manager, imports.create_import(request)).unwrap().id
    }

    /// An import with this file, sent in parts of uneven length.
    async fn with_file(&self, resource: &str, file: &[u8]) -> String {
        let id = self.create(resource).await;
        let mut offset = 0;
        for part in file.chunks(700_001) {
            let request = pb::UploadImportRequest { id: id.clone(), offset, content: part.to_vec().into() };
            offset = call!(self.manager, imports.upload_import(request)).unwrap().size_bytes;
        }
        assert_eq!(offset as usize, file.len());
        id
    }

    async fn get(&self, id: &str) -> pb::Import {
        call!(self.manager, imports.get_import(pb::GetImportRequest { id: id.to_owned() })).unwrap()
    }

    async fn inspect(&self, id: &str) -> pb::InspectImportResponse {
        call!(self.manager, imports.inspect_import(pb::InspectImportRequest { id: id.to_owned() })).unwrap()
    }

    async fn begin_run(&self, id: &str, duplicates: Duplicates, create_accounts: bool) -> ops::Operation {
        let request = pb::RunImportRequest {
            id: id.to_owned(),
            duplicates: duplicates.into(),
            create_accounts,
            request_id: request_id(),
        };
        call!(self.manager, imports.run_import(request)).unwrap()
    }

    async fn ended(&self, begun: ops::Operation) -> ops::Operation {
        let wait = ops::WaitOperationRequest { id: begun.id, timeout: None };
        for _ in 0..60 {
            let operation = call!(self.manager, operations.wait_operation(wait.clone())).unwrap();
            if operation.done {
                return operation;
            }
        }
        panic!("an operation does not end");
    }

    /// Runs it, and what came of it.
    async fn run(&self, id: &str, duplicates: Duplicates, create_accounts: bool) -> Tally {
        let operation = self.ended(self.begin_run(id, duplicates, create_accounts).await).await;
        response::<pb::RunImportResponse>(&operation).run.unwrap()
    }

    async fn check(&self, id: &str, create_accounts: bool) -> Tally {
        let request = pb::CheckImportRequest { id: id.to_owned(), create_accounts, request_id: request_id() };
        let operation = self.ended(call!(self.manager, imports.check_import(request)).unwrap()).await;
        response::<pb::CheckImportResponse>(&operation).check.unwrap()
    }

    async fn undo(&self, id: &str) -> pb::UndoTally {
        let request = pb::UndoImportRequest { id: id.to_owned(), request_id: request_id() };
        let operation = self.ended(call!(self.manager, imports.undo_import(request)).unwrap()).await;
        response::<pb::UndoImportResponse>(&operation).undo.unwrap()
    }

    /// All errors of the last phase.
    async fn errors(&self, id: &str) -> Vec<RowError> {
        let mut all = Vec::new();
        let mut request = pb::ListImportErrorsRequest { id: id.to_owned(), page_size: 2, ..Default::default() };
        loop {
            let answer = call!(self.manager, imports.list_import_errors(request.clone())).unwrap();
            all.extend(answer.errors);
            if answer.next_page_token.is_empty() {
                return all;
            }
            request.page_token = answer.next_page_token;
            request.page_size = 100;
        }
    }

    /// Row, field and reason of each error.
    async fn faults(&self, id: &str) -> Vec<(i64, String, String)> {
        self.errors(id).await.into_iter().map(|error| (error.row, error.field, error.reason)).collect()
    }
}

fn response<M: prost::Message + Name + Default>(operation: &ops::Operation) -> M {
    assert_eq!(operation.state(), State::Succeeded, "{operation:?}");
    let Some(ops::operation::Result::Response(response)) = &operation.result else { panic!("{operation:?}") };
    response.to_msg().unwrap()
}

fn faults(expected: &[(i64, &str, &str)]) -> Vec<(i64, String, String)> {
    expected.iter().map(|(row, field, reason)| (*row, (*field).to_owned(), (*reason).to_owned())).collect()
}

/// Rows, created, invalid, duplicates.
fn counts(tally: &Tally) -> (i64, i64, i64, i64) {
    assert!(tally.done);
    (tally.rows, tally.created, tally.invalid, tally.duplicates)
}
