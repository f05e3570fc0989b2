//! Replicas that merge a large account, and readers of all that stands under it.
//!
//! `CRM_TEST_CHILDREN` says how many contacts there are; of the other kinds there are a half and a fifth as many.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use crm_customers::OfCustomers;
use crm_customers::accounts::{Account, MergeAccount, UnmergeAccount};
use crm_customers::contacts::Contact;
use crm_proto::activities::{GetActivityRequest, GetTimelineRequest, ListActivitiesRequest};
use crm_proto::customers as pb;
use crm_proto::merges::MergeRequest;
use crm_proto::operations as ops;
use crm_resource::activities::Activities;
use crm_resource::operations::{Next, Operation, Progress};
use crm_resource::{Error, Records, Store, Violations, Write};
use crm_sandbox::testing::TestDatabase;
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tonic::async_trait;
use uuid::Uuid;

use crate::operations::by;
use crate::support::{as_owner, eventually, store, tenant};

fn contacts() -> usize {
    std::env::var("CRM_TEST_CHILDREN").ok().and_then(|count| count.parse().ok()).unwrap_or(1_200)
}

/// A replica without its ports.
#[derive(Clone)]
pub struct Site {
    pub store: Store,
    pub accounts: Records<Account>,
    pub contacts: Records<Contact>,
    pub activities: Activities<OfCustomers>,
}

impl Site {
    pub async fn of(database: &TestDatabase) -> Self {
        let store = store(database).await;
        let (accounts, contacts) = (Records::new(&store), Records::new(&store));
        let activities = Activities::new(&store).on(&accounts).on(&contacts);
        Self { store, accounts, contacts, activities }
    }

    pub fn merging(&self) -> MergeAccount {
        MergeAccount::new(&self.accounts, &self.contacts, &self.activities)
    }

    pub fn undoing(&self) -> UnmergeAccount {
        UnmergeAccount(self.merging())
    }

    pub async fn begin(&self, request: MergeRequest) -> Uuid {
        let begun = self.store.begin_operation::<MergeAccount>(by(tenant(), request)).await.unwrap();
        begun.id.parse().unwrap()
    }

    pub async fn operation(&self, id: Uuid) -> ops::Operation {
        self.store.get_operation(by(tenant(), ops::GetOperationRequest { id: id.to_string() })).await.unwrap()
    }

    pub async fn ended(&self, id: Uuid) -> ops::Operation {
        eventually("the end of a merge", async || self.operation(id).await.done).await;
        self.operation(id).await
    }

    pub fn work<O: Operation>(&self, operation: O) -> JoinHandle<()> {
        self.store.offer(operation);
        let store = self.store.clone();
        tokio::spawn(async move { store.run_operations(CancellationToken::new()).await })
    }
}

/// An operation, of a process that sleeps for good in a step, once it has written all of it.
pub struct Sleeping<O> {
    operation: O,
    /// Steps that are left before that.
    steps: AtomicUsize,
    asleep: Arc<Notify>,
}

impl<O> Sleeping<O> {
    /// And what tells that it sleeps.
    pub fn after(steps: usize, operation: O) -> (Self, Arc<Notify>) {
        let asleep = Arc::new(Notify::new());
        (Self { operation, steps: AtomicUsize::new(steps), asleep: Arc::clone(&asleep) }, asleep)
    }
}

/// Waits until it sleeps, at most 30 s.
pub async fn fallen(asleep: &Notify) {
    tokio::time::timeout(Duration::from_secs(30), asleep.notified()).await.expect("there are fewer steps");
}

#[async_trait]
impl<O: Operation> Operation for Sleeping<O> {
    type Request = O::Request;
    type Position = O::Position;
    type Response = O::Response;

    const NAME: &'static str = O::NAME;
    const UNIT: &'static str = O::UNIT;
    const GOES_THROUGH: bool = O::GOES_THROUGH;

    fn request_id(request: &mut O::Request) -> &mut String {
        O::request_id(request)
    }

    fn check(request: &O::Request, found: &mut Violations) {
        O::check(request, found);
    }

    async fn step(
        &self,
        write: &mut Write,
        progress: &mut Progress,
        request: &O::Request,
        at: O::Position,
    ) -> Result<Next<O::Position, O::Response>, Error> {
        let next = self.operation.step(write, progress, request, at).await;
        if self.steps.fetch_sub(1, Ordering::Relaxed) == 0 {
            self.asleep.notify_one();
            std::future::pending::<()>().await;
        }
        next
    }
}

/// Two accounts, and what stands under them.
pub struct Family {
    pub winner: String,
    pub loser: String,
    pub contacts: BTreeSet<String>,
    pub subsidiaries: BTreeSet<String>,
    pub activities: BTreeSet<String>,
}

impl Family {
    /// Of the loser most, and of the winner a few.
    pub async fn fill(database: &TestDatabase) -> Self {
        let (tenant, count) = (tenant(), contacts());
        let id = |name: &str| format!("md5('{name}')::uuid");
        let parent = format!("case when n % 50 = 0 then {} else {} end", id("winner"), id("loser"));
        as_owner(
            database,
            &format!(
                "insert into customers.accounts (tenant_id, id, name, name_key)
                 values ('{tenant}', {}, 'Winner', 'winner'), ('{tenant}', {}, 'Loser', 'loser');
                 insert into customers.accounts (tenant_id, id, name, name_key, parent_id)
                 select '{tenant}', md5('s' || n)::uuid, 'Sub', 'sub', {parent} from generate_series(1, {count} / 5) n;
                 insert into customers.contacts (tenant_id, id, account_id, family_name, family_name_key, delete_time)
                 select '{tenant}', md5('c' || n)::uuid, {parent}, 'Love', 'love', case when n % 7 = 0 then now() end
                 from generate_series(1, {count}) n;
                 insert into customers.activities (tenant_id, id, kind, parent_resource, parent_id, subject, creator)
                 select '{tenant}', md5('v' || n)::uuid, 'call', 'accounts', {parent}, 'Call', 'ada'
                 from generate_series(1, {count} / 2) n;
                 -- What stands under others stays there.
                 insert into customers.accounts (tenant_id, id, name, name_key) values ('{tenant}', {other}, 'Other', 'other');
                 insert into customers.contacts (tenant_id, id, account_id, family_name)
                 values ('{tenant}', md5('o')::uuid, {other}, 'Other');",
                id("winner"),
                id("loser"),
                other = id("other"),
            ),
        )
        .await;
        let ids = async |of: &str| {
            let mut owner = <sqlx::PgConnection as sqlx::Connection>::connect(database.url()).await.unwrap();
            let select = sqlx::AssertSqlSafe(format!("select id::text from customers.{of}"));
            let ids: Vec<String> = sqlx::query_scalar(select).fetch_all(&mut owner).await.unwrap();
            ids.into_iter().collect::<BTreeSet<_>>()
        };
        Self {
            winner: ids("accounts where name = 'Winner'").await.pop_first().unwrap(),
            loser: ids("accounts where name = 'Loser'").await.pop_first().unwrap(),
            contacts: ids("contacts where family_name = 'Love' and delete_time is null").await,
            subsidiaries: ids("accounts where name = 'Sub'").await,
            activities: ids("activities").await,
        }
    }
}

/// Reads all pages, and counts each id.
async fn pages(mut page: impl AsyncFnMut(String) -> (Vec<String>, String)) -> Vec<String> {
    let (mut all, mut token) = (Vec::new(), String::new());
    loop {
        let (ids, next) = page(token).await;
        all.extend(ids);
        if next.is_empty() {
            return all;
        }
        token = next;
    }
}

pub fn check_all(what: &str, mut found: Vec<String>, expected: &BTreeSet<String>) {
    let count = found.len();
    found.sort_unstable();
    found.dedup();
    assert_eq!((count, found.len()), (expected.len(), expected.len()), "{what}: some are missing or come twice");
    assert!(found.iter().all(|id| expected.contains(id)), "{what}: of others");
}

impl Site {
    pub async fn contacts_of(&self, account: &str, page_size: i32) -> Vec<String> {
        pages(async |page_token| {
            let filter = format!("account_id = \"{account}\"");
            let request = pb::ListContactsRequest { filter, page_size, page_token, ..Default::default() };
            let answer = self.contacts.list(by(tenant(), request)).await.unwrap();
            (answer.contacts.into_iter().map(|it| it.id).collect(), answer.next_page_token)
        })
        .await
    }

    pub async fn subsidiaries_of(&self, account: &str) -> Vec<String> {
        pages(async |page_token| {
            let filter = format!("parent_id = \"{account}\"");
            let request = pb::ListAccountsRequest { filter, page_size: 70, page_token, ..Default::default() };
            let answer = self.accounts.list(by(tenant(), request)).await.unwrap();
            (answer.accounts.into_iter().map(|it| it.id).collect(), answer.next_page_token)
        })
        .await
    }

    async fn activities_of(&self, filter: String) -> Vec<String> {
        pages(async |page_token| {
            let filter = filter.clone();
            let request = ListActivitiesRequest { filter, page_size: 150, page_token, ..Default::default() };
            let answer = self.activities.list(by(tenant(), request)).await.unwrap();
            (answer.activities.into_iter().map(|it| it.id).collect(), answer.next_page_token)
        })
        .await
    }

    async fn timeline_of(&self, account: &str) -> Vec<String> {
        use crm_proto::activities::timeline_item::Item;
        pages(async |page_token| {
            let request = GetTimelineRequest { id: account.to_owned(), page_size: 400, page_token };
            let answer = self.activities.timeline(&self.accounts, by(tenant(), request)).await.unwrap();
            let id = |item| if let Some(Item::Activity(activity)) = item { Some(activity.id) } else { None };
            (answer.items.into_iter().filter_map(|it| id(it.item)).collect(), answer.next_page_token)
        })
        .await
    }

    /// Everything that a reader may ask for, of either id.
    pub async fn check(&self, family: &Family, round: usize) {
        let id = if round.is_multiple_of(2) { &family.winner } else { &family.loser };
        check_all("contacts", self.contacts_of(id, 130).await, &family.contacts);
        check_all("subsidiaries", self.subsidiaries_of(id).await, &family.subsidiaries);
        let of_parent = format!("parent_id = \"{id}\"");
        check_all("activities", self.activities_of(of_parent).await, &family.activities);
        check_all("all activities", self.activities_of(String::new()).await, &family.activities);
        check_all("timeline", self.timeline_of(id).await, &family.activities);
        let nth = round * 37 % family.activities.len();
        let id = family.activities.iter().nth(nth).unwrap().clone();
        self.activities.get(by(tenant(), GetActivityRequest { id })).await.unwrap();
        let nth = round * 37 % family.contacts.len();
        let id = family.contacts.iter().nth(nth).unwrap().clone();
        self.contacts.get(by(tenant(), pb::GetContactRequest { id })).await.unwrap();
    }
}
