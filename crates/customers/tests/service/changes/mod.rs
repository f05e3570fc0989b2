//! Changes, as readers ask for them and as they are told of them.

mod copy;
mod list;
mod tenants;
mod watching;

use crm_proto::journal as pb;
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::Role;
use tonic::{Status, Streaming};

use crate::support::{Caller, Service, app, call, database};

/// Two replicas of the service over one database and one Redis.
struct Replicas {
    database: TestDatabase,
    redis_url: String,
    services: [Service; 2],
}

impl Replicas {
    async fn start() -> Self {
        let (database, redis_url) = (database().await, testing::redis().await.unwrap());
        let url = database.url_as(app::ROLE, "");
        let services = [Service::start(&url, &redis_url).await, Service::start(&url, &redis_url).await];
        Self { database, redis_url, services }
    }

    fn agent(&self, number: usize) -> Caller {
        self.services[number].caller("acme", Role::Agent)
    }

    /// The first one dies, and another takes its place.
    async fn replace_first(&mut self) {
        let another = Service::start(&self.database.url_as(app::ROLE, ""), &self.redis_url).await;
        std::mem::replace(&mut self.services[0], another).kill();
    }
}

/// What a watcher reads.
#[derive(Debug)]
struct Stream(Streaming<pb::WatchChangesResponse>);

impl Stream {
    async fn message(&mut self) -> Result<Option<pb::WatchChangesResponse>, Status> {
        self.0.message().await
    }

    /// The next message that has changes, within 20 s.
    async fn next(&mut self) -> pb::WatchChangesResponse {
        let next = async {
            loop {
                let message = self.message().await.unwrap().unwrap();
                if !message.changes.is_empty() {
                    return message;
                }
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), next).await.unwrap()
    }

    /// How it ends.
    async fn rest(&mut self) -> Result<(), Status> {
        while self.message().await?.is_some() {}
        Ok(())
    }
}

/// All changes from a cursor on.
async fn watch(caller: &Caller, cursor: &str) -> Result<Stream, Status> {
    watch_of(caller, &[], cursor).await
}

async fn watch_of(caller: &Caller, resources: &[&str], cursor: &str) -> Result<Stream, Status> {
    let resources = resources.iter().map(|name| (*name).to_owned()).collect();
    let request = pb::WatchChangesRequest { resources, cursor: cursor.to_owned() };
    call!(caller, changes.watch_changes(request)).map(Stream)
}

/// A page of changes, of all resources.
async fn list(caller: &Caller, cursor: &str, page_size: i32) -> Result<pb::ListChangesResponse, Status> {
    list_of(caller, &[], cursor, page_size).await
}

async fn list_of(
    caller: &Caller,
    resources: &[&str],
    cursor: &str,
    page_size: i32,
) -> Result<pb::ListChangesResponse, Status> {
    let resources = resources.iter().map(|name| (*name).to_owned()).collect();
    let request = pb::ListChangesRequest { resources, cursor: cursor.to_owned(), page_size };
    call!(caller, changes.list_changes(request))
}

/// Which record, since which version.
fn told(changes: &[pb::Change]) -> Vec<(String, i64)> {
    changes.iter().map(|change| (change.id.clone(), change.version)).collect()
}
