//! What callers do with operations: begin one, look at it, wait for it, cancel it.

use std::mem::take;
use std::time::Duration;

use crm_database::page::{self as pages, Scope};
use crm_database::{Access, TenantTransaction};
use crm_proto::operations as pb;
use crm_telemetry::propagation::traceparent;
use crm_values::Flaw;
use prost::Message;
use tokio::time::{Instant, sleep_until, timeout_at};
use tonic::Request;
use tracing::Span;
use uuid::Uuid;

use super::kind::{Operation, any};
use super::metrics;
use super::row::Row;
use crate::feed::Open;
use crate::page::flaw;
use crate::peers::Asking;
use crate::refusal::{OPERATION_GOES_THROUGH, OPERATION_NOT_FOUND};
use crate::request::{RequestId, single};
use crate::{Call, Error, Store, Violations, Write};

/// How long an operation may be read once its waiting is over: of what is left then of the half that the caller gives a try,
/// it leaves a half for the way back.
const READ_SHARE: f64 = 0.05;
const LONGEST_READ: Duration = Duration::from_secs(1);

impl Store {
    /// Lets this process run operations of a kind. To be said before it runs any.
    pub fn offer<O: Operation>(&self, operation: O) {
        self.operations.add(operation);
    }

    /// Begins an operation, or answers what the same request was answered before. The caller need not wait for it.
    ///
    /// # Errors
    /// All violations, that the request id was used for another request, or the database's.
    pub async fn begin_operation<O: Operation>(&self, request: Request<O::Request>) -> Result<pb::Operation, Error> {
        self.begin_operation_with::<O>(request, async |_: &mut Write, _: &O::Request| Ok(None)).await
    }

    /// The same, with what is done before the caller is answered, in the transaction that begins the operation. Where that
    /// has done something already, it says where the first step begins: one that goes through cannot be cancelled then.
    ///
    /// # Errors
    /// As there, or those of what is done.
    pub async fn begin_operation_with<O: Operation>(
        &self,
        request: Request<O::Request>,
        first: impl AsyncFnOnce(&mut Write, &O::Request) -> Result<Option<O::Position>, Error>,
    ) -> Result<pb::Operation, Error> {
        let (call, mut request) = (Call::of(&request)?, request.into_inner());
        let mut found = Violations::default();
        let id = take(O::request_id(&mut request));
        let request_id = RequestId::of(O::NAME, &id, &request, &mut found);
        O::check(&request, &mut found);
        found.finish(())?;
        let mut transaction = self.write(call.clone()).await?;
        if let Some(answer) = self.earlier_answer(&mut transaction, request_id).await? {
            let answer = pb::Operation::decode(answer.as_slice());
            return answer.map_err(|_| Error::Inconsistent("a kept answer does not decode"));
        }
        let position = first(&mut transaction, &request).await?;
        let position = position.map(serde_json::to_value).transpose();
        let position = position.map_err(|_| Error::Inconsistent("a position has no text form"))?;
        let query = sqlx::query(self.operations.statements.insert.clone()).bind(call.tenant).bind(Uuid::now_v7());
        let query = query.bind(O::NAME).bind(O::UNIT).bind(call.caller.subject.clone()).bind(call.caller.role.as_str());
        let query = query.bind(traceparent(&Span::current())).bind(any(&request).encode_to_vec()).bind(position);
        let answer = transaction.fetch_one::<Row>("insert_operation", query).await?.message()?;
        self.keep_answer(&mut transaction, request_id, &answer.encode_to_vec()).await?;
        transaction.commit().await?;
        self.operations.due.notify_one();
        Ok(answer)
    }

    /// An operation of the caller's tenant, as it is.
    ///
    /// # Errors
    /// There is none, or the database's.
    pub async fn get_operation(&self, request: Request<pb::GetOperationRequest>) -> Result<pb::Operation, Error> {
        let (call, id) = (Call::of(&request)?, single(&request.get_ref().id)?);
        self.read_operation(&call, id).await
    }

    /// A page of the tenant's operations, the newest first.
    ///
    /// # Errors
    /// All violations, or the database's.
    pub async fn list_operations(
        &self,
        request: Request<pb::ListOperationsRequest>,
    ) -> Result<pb::ListOperationsResponse, Error> {
        let (call, request) = (Call::of(&request)?, request.into_inner());
        let statements = &self.operations.statements;
        let scope = Scope::new(call.tenant, &["operations", &statements.schema]);
        let mut found = Violations::default();
        let size = found.check("page_size", pages::page_size(request.page_size).map_err(|error| flaw(&error)));
        let before = pages::decode::<Uuid>(scope, &request.page_token).map_err(|error| flaw(&error));
        let before = found.check("page_token", before);
        found.finish(())?;
        let mut transaction = self.begin(&call, Access::ReadOnly).await?;
        let query = sqlx::query(statements.list.clone()).bind(call.tenant).bind(before.unwrap_or(Uuid::max()));
        let mut rows: Vec<Row> = transaction.fetch_all("list_operations", query.bind(i64::from(size) + 1)).await?;
        transaction.commit().await?;
        let has_more = rows.len() > size as usize;
        rows.truncate(size as usize);
        let next = rows.last().filter(|_| has_more).map(|last| pages::encode(scope, &last.id)).transpose();
        let next = next.map_err(|_| Error::Inconsistent("a position has no text form"))?;
        let operations = rows.into_iter().map(Row::message).collect::<Result<_, _>>()?;
        Ok(pb::ListOperationsResponse { operations, next_page_token: next.unwrap_or_default() })
    }

    /// Asks for an operation to be cancelled. One that nobody works on ends at once, another one after its step.
    ///
    /// # Errors
    /// There is none, it goes through now that it has begun, or the database's.
    pub async fn cancel_operation(&self, request: Request<pb::CancelOperationRequest>) -> Result<pb::Operation, Error> {
        let (call, id) = (Call::of(&request)?, single(&request.get_ref().id)?);
        let mut transaction = self.begin(&call, Access::ReadWrite).await?;
        let query = sqlx::query(self.operations.statements.cancel.clone()).bind(call.tenant).bind(id);
        let query = query.bind(self.operations.going_through());
        let Some(row) = transaction.fetch_optional::<Row>("cancel_operation", query).await? else {
            let operation = self.find(transaction, &call, id).await?;
            return if operation.done { Ok(operation) } else { Err(Error::RefusedFor(&OPERATION_GOES_THROUGH, id)) };
        };
        transaction.commit().await?;
        if row.is_cancelled() {
            metrics::count_end(&row.kind, "cancelled", row.seconds());
            self.operations.waits.end(call.tenant, id);
        }
        row.message()
    }

    /// The operation once it has ended, or as it is when the caller should not be kept waiting any longer.
    ///
    /// # Errors
    /// There is none, no place is free, or the database's.
    pub async fn wait_operation(&self, request: Request<pb::WaitOperationRequest>) -> Result<pb::Operation, Error> {
        let (call, (until, told)) = (Call::of(&request)?, wait_ends(&request)?);
        let id = single(&request.get_ref().id)?;
        let _place = (self.watching.wait(call.tenant)?, Open::new("operations"));
        let room = self.operations.waits.enter(call.tenant, id);
        let operation = room.read(self, &call).await?;
        if operation.done || Instant::now() >= until {
            return Ok(operation);
        }
        tokio::select! {
            () = room.ended() => {}
            () = sleep_until(until) => {}
            // The process stops: whoever asks again finds another one.
            () = self.watching.end.cancelled() => {}
            () = self.look_for_ends() => {}
        }
        // Whoever waits is answered in time, however busy the database is: by what was read before, if there is nothing newer.
        timeout_at(told, room.read(self, &call)).await.unwrap_or(Ok(operation))
    }

    /// Forgets operations that ended more than 30 days ago, of all tenants. Answers how many.
    ///
    /// # Errors
    /// The database's; what was forgotten until then stays so.
    pub async fn sweep_operations(&self) -> Result<u64, crm_database::Error> {
        const AT_ONCE: i32 = 2_000;
        let mut all = 0;
        loop {
            let mut transaction = self.database.begin(Uuid::nil(), None).await?;
            let query = sqlx::query(self.operations.statements.sweep.clone()).bind(AT_ONCE);
            let (swept,): (i64,) = transaction.fetch_one("sweep_operations", query).await?;
            transaction.commit().await?;
            all += u64::try_from(swept).unwrap_or_default();
            if swept == 0 {
                return Ok(all);
            }
        }
    }

    pub(super) async fn read_operation(&self, call: &Call, id: Uuid) -> Result<pb::Operation, Error> {
        let transaction = self.begin(call, Access::ReadOnly).await?;
        self.find(transaction, call, id).await
    }

    async fn find(&self, mut transaction: TenantTransaction, call: &Call, id: Uuid) -> Result<pb::Operation, Error> {
        let query = sqlx::query(self.operations.statements.find.clone()).bind(call.tenant).bind(id);
        let row: Option<Row> = transaction.fetch_optional("find_operation", query).await?;
        transaction.commit().await?;
        row.ok_or(Error::RefusedFor(&OPERATION_NOT_FOUND, id))?.message()
    }
}

/// Until when the caller wants to wait, and until when the operation may be read again after that; no longer than what a
/// service may take for those behind it, for whoever called gives up a try at half of its time.
fn wait_ends(request: &Request<pb::WaitOperationRequest>) -> Result<(Instant, Instant), Error> {
    let longest = Asking::of(request)?.left();
    let wanted = match request.get_ref().timeout {
        None => longest,
        Some(timeout) => Duration::try_from(timeout).map_err(|_| negative())?,
    };
    let until = Instant::now() + wanted.min(longest);
    Ok((until, until + LONGEST_READ.min(longest.mul_f64(READ_SHARE))))
}

fn negative() -> Error {
    let mut found = Violations::default();
    found.add("timeout", Flaw::new(Flaw::OUT_OF_RANGE, "must not be negative"));
    found.finish(()).err().unwrap_or(Error::Inconsistent("a flaw was not noted"))
}
