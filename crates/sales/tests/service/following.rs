//! Opportunities go along with accounts that are merged, renamed and deleted in customers.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Instant;

use crm_proto::customers::operation_service_client::OperationServiceClient;
use crm_proto::customers::{
    Account, BatchGetAccountsRequest, DeleteAccountRequest, GetAccountRequest, UndeleteAccountRequest,
    UpdateAccountRequest,
};
use crm_proto::merges::{MergeRequest, UnmergeRequest};
use crm_proto::operations as ops;
use crm_proto::operations::operation::Result as Outcome;
use crm_proto::sales as pb;
use crm_resource::testkit::{eventually, field_mask};
use sqlx::{AssertSqlSafe, Connection, Executor, PgConnection};
use uuid::Uuid;

use crate::support::{Rig, euros, new_id, opportunity, usual};
use crate::totals::check;

/// What is done in customers.
struct Theirs<'a>(&'a Rig);

impl Theirs<'_> {
    async fn end(&self, begun: ops::Operation) {
        let asks = &self.0.asks;
        let client = OperationServiceClient::with_origin(asks.http.clone(), asks.origin.clone());
        let get = async || {
            let request = asks.request(ops::GetOperationRequest { id: begun.id.clone() });
            client.clone().get_operation(request).await.unwrap().into_inner()
        };
        eventually("the operation", || async { get().await.done }).await;
        let result = get().await.result.unwrap();
        assert!(matches!(result, Outcome::Response(_)), "{result:?}");
    }

    async fn merge(&self, winner: &str, loser: &str) {
        let (id, duplicate_id) = (winner.to_owned(), loser.to_owned());
        let request = MergeRequest { id, duplicate_id, request_id: new_id(), ..Default::default() };
        let begun = self.0.accounts.clone().merge_account(self.0.asks.request(request)).await.unwrap();
        self.end(begun.into_inner()).await;
    }

    async fn unmerge(&self, loser: &str) {
        let request = UnmergeRequest { id: loser.to_owned(), request_id: new_id() };
        let begun = self.0.accounts.clone().unmerge_account(self.0.asks.request(request)).await.unwrap();
        self.end(begun.into_inner()).await;
    }

    async fn rename(&self, id: &str, name: &str) {
        let account = Some(Account { id: id.to_owned(), name: name.to_owned(), ..Default::default() });
        let request = UpdateAccountRequest { account, update_mask: field_mask(&["name"]) };
        self.0.accounts.clone().update_account(self.0.asks.request(request)).await.unwrap();
    }

    async fn delete(&self, id: &str) {
        let request = DeleteAccountRequest { id: id.to_owned(), ..Default::default() };
        self.0.accounts.clone().delete_account(self.0.asks.request(request)).await.unwrap();
    }

    async fn undelete(&self, id: &str) {
        let request = UndeleteAccountRequest { id: id.to_owned(), ..Default::default() };
        self.0.accounts.clone().undelete_account(self.0.asks.request(request)).await.unwrap();
    }

    /// An account of this name.
    async fn account(&self, name: &str) -> String {
        let id = self.0.account().await;
        self.rename(&id, name).await;
        id
    }
}

/// The database's owner, whom no wall holds up.
async fn owner(own: &Rig) -> PgConnection {
    PgConnection::connect(own.database.url()).await.unwrap()
}

async fn count(owner: &mut PgConnection, question: &str) -> i64 {
    sqlx::query_scalar(AssertSqlSafe(question.to_owned())).fetch_one(owner).await.unwrap()
}

/// Where it stands, how that is called, and whether it is deleted.
async fn place(own: &Rig, id: &str) -> (String, String, bool) {
    let it = own.get(id).await.unwrap();
    (it.account_id, it.account_name, it.account_deleted)
}

async fn until(own: &Rig, id: &str, account: &str, name: &str, deleted: bool) {
    let wanted = (account.to_owned(), name.to_owned(), deleted);
    eventually(&format!("{id} at {wanted:?}"), || async { place(own, id).await == wanted }).await;
}

#[tokio::test]
async fn whatever_is_made_and_moved_meanwhile_goes_along_with_a_merge_once() {
    const EACH: usize = 25;
    let own = Arc::new(Rig::start().await);
    let theirs = Theirs(&own);
    let (loser, winner) = (theirs.account("Acme Inc.").await, theirs.account("Acme").await);
    let pipeline = own.pipeline(usual()).await;
    let mut ids = Vec::new();
    for number in 0..EACH {
        let amount = euros(i64::try_from(number).unwrap());
        ids.push(own.create(pb::Opportunity { amount, ..opportunity(&loser, &pipeline) }).await.unwrap().id);
    }
    own.delete(&ids[0]).await.unwrap();
    let (making, account, into) = (Arc::clone(&own), loser.clone(), pipeline.clone());
    let made = tokio::spawn(async move {
        let mut made = Vec::new();
        for _ in 0..EACH {
            made.push(making.create(opportunity(&account, &into)).await.unwrap().id);
        }
        made
    });
    let (moving, mine, stages) = (Arc::clone(&own), ids.clone(), pipeline.stages.clone());
    let moved = tokio::spawn(async move {
        for round in 0..2 * EACH {
            moving.move_to(&mine[1 + round % 5], &stages[round % 3]).await.unwrap();
        }
    });
    theirs.merge(&winner, &loser).await;
    ids.extend(made.await.unwrap());
    moved.await.unwrap();
    let mut owner = owner(&own).await;
    let left = format!("select count(*) from sales.opportunities where account_id = '{loser}'");
    for _ in 0..500 {
        if count(&mut owner, &left).await == 0 {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    let there = format!(
        "select count(*) from sales.opportunities where account_id = '{winner}' and account_name = 'Acme' and not account_deleted"
    );
    assert_eq!(
        count(&mut owner, &there).await,
        i64::try_from(ids.len()).unwrap(),
        "none is lost, deleted ones neither"
    );
    for id in &ids[1..] {
        assert_eq!(place(&own, id).await, (winner.clone(), "Acme".to_owned(), false), "{id}");
    }
    let twice = "select count(*) from (select record_id from sales.journal where resource = 'opportunities' \
                 and kind = 'updated' and changes ? 'account_id' group by record_id having count(*) > 1) as them";
    assert_eq!(count(&mut owner, twice).await, 0, "moved once");
    check(&mut owner, "after a merge of accounts").await;
    assert_eq!(own.undelete(&ids[0]).await.unwrap().account_id, winner);
    // Who read it before sends it back as it was.
    let sent_back = pb::Opportunity { id: ids[1].clone(), account_id: loser, ..Default::default() };
    let before = own.get(&ids[1]).await.unwrap();
    assert_eq!(own.update(sent_back, &["account_id"]).await.unwrap(), before);
}

#[tokio::test]
async fn a_creation_that_was_answered_before_a_merge_is_waited_for_or_goes_along_by_itself() {
    let own = Arc::new(Rig::start().await);
    let theirs = Theirs(&own);
    let (loser, winner) = (theirs.account("Acme Inc.").await, theirs.account("Acme").await);
    let pipeline = own.pipeline(usual()).await;
    let first = own.create(opportunity(&loser, &pipeline)).await.unwrap();
    let mut late = owner(&own).await;
    let tenant = crm_server::token::tenant_id("acme");
    let hold = |seen: i64| format!("select stands from sales.hold_foreign('{tenant}', 'accounts', '{loser}', {seen})");
    let mut creating = late.begin().await.unwrap();
    let stands: Uuid = sqlx::query_scalar(AssertSqlSafe(hold(2))).fetch_one(&mut *creating).await.unwrap();
    assert_eq!(stands.to_string(), loser);
    theirs.merge(&winner, &loser).await;
    // The follower waits for the lock that the creation has.
    let mut owner = owner(&own).await;
    let waits = "select count(*) from pg_locks where locktype = 'advisory' and not granted \
                 and database = (select oid from pg_database where datname = current_database())";
    while count(&mut owner, waits).await == 0 {
        tokio::time::sleep(std::time::Duration::from_millis(10)).await;
    }
    let copy = format!(
        "insert into sales.opportunities select (jsonb_populate_record(it, jsonb_build_object('id', gen_random_uuid()))).* \
         from sales.opportunities it where id = '{}'",
        first.id
    );
    creating.execute(AssertSqlSafe(copy)).await.unwrap();
    creating.commit().await.unwrap();
    until(&own, &first.id, &winner, "Acme", false).await;
    let there = format!("select count(*) from sales.opportunities where account_id = '{winner}'");
    assert_eq!(count(&mut owner, &there).await, 2);
    let stands: Uuid = sqlx::query_scalar(AssertSqlSafe(hold(2))).fetch_one(&mut owner).await.unwrap();
    assert_eq!(stands.to_string(), winner, "who comes later");
    let stands: Uuid = sqlx::query_scalar(AssertSqlSafe(hold(99))).fetch_one(&mut owner).await.unwrap();
    assert_eq!(stands.to_string(), loser, "who knows something newer");

    for round in 0..8 {
        let (loser, winner) = (own.account().await, own.account().await);
        let (other, account, into) = (Arc::clone(&own), loser.clone(), pipeline.clone());
        let made = tokio::spawn(async move {
            for _ in 0..6 {
                other.create(opportunity(&account, &into)).await.unwrap();
            }
        });
        theirs.merge(&winner, &loser).await;
        made.await.unwrap();
        let there = format!("select count(*) from sales.opportunities where account_id = '{winner}'");
        let mut found = 0;
        for _ in 0..500 {
            found = count(&mut owner, &there).await;
            if found == 6 {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(20)).await;
        }
        assert_eq!(found, 6, "round {round}");
    }
}

#[tokio::test]
async fn what_nobody_has_changed_goes_back_link_by_link_when_merges_are_undone() {
    let own = Rig::start().await;
    let theirs = Theirs(&own);
    let [a, b, c] = [theirs.account("A").await, theirs.account("B").await, theirs.account("C").await];
    let pipeline = own.pipeline(usual()).await;
    let create = async |account: &str| own.create(opportunity(account, &pipeline)).await.unwrap().id;
    let (of_a, changed, of_b) = (create(&a).await, create(&a).await, create(&b).await);
    theirs.merge(&b, &a).await;
    until(&own, &of_a, &b, "B", false).await;
    // What was moved is called otherwise, which nobody of here has done.
    theirs.rename(&b, "Be").await;
    until(&own, &of_a, &b, "Be", false).await;
    theirs.merge(&c, &b).await;
    for id in [&of_a, &changed, &of_b] {
        until(&own, id, &c, "C", false).await;
    }
    let late = create(&a).await;
    assert_eq!(place(&own, &late).await, (c.clone(), "C".to_owned(), false), "a chain is one step");
    theirs.rename(&c, "Sea").await;
    until(&own, &of_a, &c, "Sea", false).await;
    let name = "Changed".to_owned();
    own.update(pb::Opportunity { id: changed.clone(), name, ..Default::default() }, &["name"]).await.unwrap();

    theirs.unmerge(&b).await;
    until(&own, &of_b, &b, "Be", false).await;
    until(&own, &of_a, &b, "Be", false).await;
    theirs.unmerge(&a).await;
    until(&own, &of_a, &a, "A", false).await;
    assert_eq!(place(&own, &of_b).await, (b.clone(), "Be".to_owned(), false));
    for id in [&changed, &late] {
        assert_eq!(place(&own, id).await, (c.clone(), "Sea".to_owned(), false), "it stays");
    }
    let again = create(&a).await;
    assert_eq!(place(&own, &again).await, (a.clone(), "A".to_owned(), false), "it is there again");
    let mut owner = owner(&own).await;
    assert_eq!(count(&mut owner, "select count(*) from sales.foreign_moves").await, 0, "nothing is left to go back");
    check(&mut owner, "after merges were undone").await;
}

#[tokio::test]
async fn names_and_deletions_of_accounts_show_wherever_opportunities_do() {
    let own = Rig::start().await;
    let theirs = Theirs(&own);
    let (account, other) = (theirs.account("Acme").await, theirs.account("Other").await);
    let pipeline = own.pipeline(usual()).await;
    let made = own.create(opportunity(&account, &pipeline)).await.unwrap();
    assert_eq!((made.account_name.as_str(), made.account_deleted), ("Acme", false));
    let began = Instant::now();
    theirs.rename(&account, "Acme Ltd").await;
    until(&own, &made.id, &account, "Acme Ltd", false).await;
    println!("a name is followed in {:?}", began.elapsed());
    let renamed = own.get(&made.id).await.unwrap();
    assert_ne!(renamed.etag, made.etag);
    let request = own.manager.request(pb::ListOpportunitiesRequest::default());
    let listed = own.opportunities.clone().list_opportunities(request).await.unwrap().into_inner().opportunities;
    assert_eq!(listed, [renamed]);
    let request = own.manager.request(pb::GetBoardRequest { id: pipeline.id.clone(), card_count: 5 });
    let board = own.pipelines.clone().get_board(request).await.unwrap().into_inner();
    assert_eq!(board.stages[0].cards[0].account_name, "Acme Ltd");
    let request = own.manager.request(pb::GetOpportunityHistoryRequest { id: made.id.clone(), ..Default::default() });
    let past = own.opportunities.clone().get_opportunity_history(request).await.unwrap().into_inner().changes;
    let told: Vec<_> = past[0].fields.iter().map(|field| field.field.as_str()).collect();
    assert_eq!((told, past[0].subject.as_str()), (vec!["account_name"], "service:sales"));

    theirs.delete(&account).await;
    until(&own, &made.id, &account, "Acme Ltd", true).await;
    theirs.undelete(&account).await;
    until(&own, &made.id, &account, "Acme Ltd", false).await;
    // What concerns nobody here changes nothing here.
    let before = own.get(&made.id).await.unwrap();
    theirs.rename(&other, "Others").await;
    let at_other = own.create(opportunity(&other, &pipeline)).await.unwrap();
    until(&own, &at_other.id, &other, "Others", false).await;
    assert_eq!(own.get(&made.id).await.unwrap(), before);
    // It is not for callers to say.
    let said = pb::Opportunity { id: made.id.clone(), account_name: "Mine".to_owned(), ..Default::default() };
    assert_eq!(own.update(said, &[]).await.unwrap().account_name, "Acme Ltd");
    let moved = pb::Opportunity { id: made.id.clone(), account_id: other.clone(), ..Default::default() };
    let moved = own.update(moved, &["account_id"]).await.unwrap();
    assert_eq!((moved.account_id, moved.account_name.as_str()), (other, "Others"));
}

#[tokio::test]
async fn a_beginning_asks_how_accounts_stand() {
    let own = Rig::start().await;
    let theirs = Theirs(&own);
    let mut accounts = Vec::new();
    for name in ["Loser", "Winner", "Renamed", "Deleted", "Parted", "Left"] {
        accounts.push(theirs.account(name).await);
    }
    let [loser, winner, renamed, deleted, parted, left] = &accounts[..] else { panic!("six accounts") };
    let pipeline = own.pipeline(usual()).await;
    let create = async |account: &str| own.create(opportunity(account, &pipeline)).await.unwrap().id;
    let ids = [create(loser).await, create(renamed).await, create(deleted).await, create(parted).await];
    theirs.merge(left, parted).await;
    until(&own, &ids[3], left, "Left", false).await;
    // Nobody can move the cursor while its row is locked.
    let mut holder = owner(&own).await;
    let mut away = holder.begin().await.unwrap();
    let tenant = crm_server::token::tenant_id("acme");
    let hold = format!("select * from sales.follower_cursors where tenant_id = '{tenant}' for update");
    away.execute(AssertSqlSafe(hold)).await.unwrap();
    theirs.merge(winner, loser).await;
    theirs.rename(renamed, "New").await;
    theirs.delete(deleted).await;
    theirs.unmerge(parted).await;
    let tenant = crm_server::token::tenant_id("acme");
    let forget = format!("delete from sales.follower_cursors where tenant_id = '{tenant}'");
    away.execute(AssertSqlSafe(forget)).await.unwrap();
    away.commit().await.unwrap();
    until(&own, &ids[0], winner, "Winner", false).await;
    until(&own, &ids[1], renamed, "New", false).await;
    until(&own, &ids[2], deleted, "Deleted", true).await;
    until(&own, &ids[3], parted, "Parted", false).await;
    // And from there it goes on.
    theirs.rename(winner, "Still").await;
    theirs.undelete(deleted).await;
    until(&own, &ids[0], winner, "Still", false).await;
    until(&own, &ids[2], deleted, "Deleted", false).await;
}

/// What a service keeps of an answer stays, so it is not given what a cache has forgotten to forget.
#[tokio::test]
async fn services_are_answered_past_the_caches() {
    let own = Rig::start().await;
    let id = own.account().await;
    let get = own.asks.request(GetAccountRequest { id: id.clone() });
    assert_eq!(own.accounts.clone().get_account(get).await.unwrap().into_inner().name, "Acme");
    let mut owner = PgConnection::connect(own.theirs.url()).await.unwrap();
    let change = format!("update customers.accounts set name = 'Other', version = version + 1 where id = '{id}'");
    owner.execute(AssertSqlSafe(change)).await.unwrap();
    let service = own.customers.as_ref().unwrap().service("sales", "acme");
    let ids = vec![id.clone(), id.clone()];
    let request = service.request(BatchGetAccountsRequest { ids: ids.clone() });
    let found = own.accounts.clone().batch_get_accounts(request).await.unwrap().into_inner().accounts;
    assert_eq!(found.iter().map(|it| it.name.as_str()).collect::<Vec<_>>(), ["Other", "Other"]);
    let request = own.asks.request(BatchGetAccountsRequest { ids });
    let found = own.accounts.clone().batch_get_accounts(request).await.unwrap().into_inner().accounts;
    assert_eq!(found.iter().map(|it| it.name.as_str()).collect::<HashSet<_>>(), HashSet::from(["Acme"]));
}
