//! A person is erased: looked for in every table and in Redis, whatever was done with them before.

mod life;
mod looking;
mod merged;
mod named;
mod shown;
mod stages;

use crm_proto::customers::{Contact, EraseContactRequest};
use crm_proto::operations::{GetOperationRequest, Operation};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::Role;
use tonic::Status;
use uuid::Uuid;

use crate::support::{Caller, Service, app, call, contact, database};

/// Nothing else in any table or key has these in it. Terms have numbers backwards, too.
const MARKS: [&str; 9] = [
    "zyxwela",
    "quoxberry",
    "wumpusmistress",
    "vexmoor",
    "4155557319",
    "9137555514",
    "whisperedfjord",
    "gloaminghelm",
    "brindlemark",
];
const EMAIL: &str = "Zyxwela.Quoxberry@vexmoor.example";
const OLD_EMAIL: &str = "zyxwela@vexmoor.example";

/// Two replicas of the service, and who asks them.
struct Two {
    database: TestDatabase,
    redis_url: String,
    services: [Service; 2],
    admin: Caller,
    other: Caller,
}

impl Two {
    async fn start() -> Self {
        let (database, redis_url) = (database().await, testing::redis().await.unwrap());
        let url = database.url_as(app::ROLE, "");
        let services = [Service::start(&url, &redis_url).await, Service::start(&url, &redis_url).await];
        let (admin, other) =
            (services[0].caller("acme", Role::Admin), services[1].caller_as("eve", "acme", Role::Agent));
        Self { database, redis_url, services, admin, other }
    }
}

fn person(account: &str) -> Contact {
    Contact {
        given_name: "Zyxwela".to_owned(),
        title: "Wumpusmistress".to_owned(),
        emails: vec![OLD_EMAIL.to_owned()],
        phones: vec!["+14155557319".to_owned()],
        ..contact(account, "Quoxberry")
    }
}

async fn erase_once(caller: &Caller, id: &str, etag: &str, request: Uuid) -> Result<Operation, Status> {
    let (id, etag, request_id) = (id.to_owned(), etag.to_owned(), request.to_string());
    call!(caller, contacts.erase_contact(EraseContactRequest { id, etag, request_id }))
}

/// The operation once it has ended.
async fn ended(caller: &Caller, begun: Operation) -> Operation {
    for _ in 0..1_500 {
        let now = call!(caller, operations.get_operation(GetOperationRequest { id: begun.id.clone() })).unwrap();
        if now.done {
            return now;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("the operation has not ended");
}

async fn erase(caller: &Caller, id: &str, etag: &str) -> Operation {
    ended(caller, erase_once(caller, id, etag, Uuid::new_v4()).await.unwrap()).await
}
