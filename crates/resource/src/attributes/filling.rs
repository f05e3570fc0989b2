//! Makes an attribute one that lists are filtered by: an operation that gives the records there are their facets.
//!
//! First the definition says that it filters: from then on whoever writes a value writes its facet. Then all records are gone
//! through in the order of their ids, and the filter is ready. Whoever ends the filter meanwhile, or begins another filling,
//! ends this one: it finds another name there than it wrote.

use crm_proto::attributes as pb;
use crm_proto::operations as operation;
use crm_values::parse_id;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::AssertSqlSafe;
use sqlx::types::Json;
use tonic::{Request, async_trait};
use uuid::Uuid;

use super::definition::Fields;
use super::facet::{facet_of, value_of};
use super::{Definitions, FILTER_ENDED, Keeper};
use crate::operations::{Next, Operation, Progress};
use crate::record::Record;
use crate::{Call, Error, Kind, Violations, Write};

/// Records of one step.
const BATCH: usize = 500;

/// The operation.
#[derive(Debug, Clone)]
pub struct Filling<K: Keeper>(Definitions<K>);

/// How far it has come.
#[derive(Debug, Clone, Copy, Default, Serialize, Deserialize)]
pub struct Position {
    /// What the definition was told that it is filled by.
    filling: Option<Uuid>,
    after: Uuid,
    looked_at: i64,
    has_all: bool,
}

type Step = Result<Next<Position, pb::MakeAttributeFilterableResponse>, Error>;

impl<K: Keeper> Definitions<K> {
    /// What this process has to be able to run.
    pub fn filling(&self) -> Filling<K> {
        Filling(self.clone())
    }

    /// Begins to let lists be filtered by a definition, or answers what the same request was answered before.
    ///
    /// # Errors
    /// There is no such definition, the request id was used for another request, or the database's.
    pub async fn make_filterable(
        &self,
        request: Request<pb::MakeAttributeFilterableRequest>,
    ) -> Result<operation::Operation, Error> {
        if let Ok(id) = parse_id(&request.get_ref().id) {
            let call = Call::of(&request)?;
            let found = self.records.find(&call, &[id]).await?;
            if !found.into_iter().flatten().any(|found| found.live().is_some()) {
                return Err(Error::RefusedFor(K::KIND.not_found, id));
            }
        }
        self.records.store.begin_operation::<Filling<K>>(request).await
    }
}

#[async_trait]
impl<K: Keeper> Operation for Filling<K> {
    type Request = pb::MakeAttributeFilterableRequest;
    type Position = Position;
    type Response = pb::MakeAttributeFilterableResponse;

    const NAME: &'static str = "MakeAttributeFilterable";
    const UNIT: &'static str = "records";

    fn request_id(request: &mut Self::Request) -> &mut String {
        &mut request.request_id
    }

    fn check(request: &Self::Request, found: &mut Violations) {
        found.check("id", parse_id(&request.id));
    }

    async fn step(&self, write: &mut Write, progress: &mut Progress, request: &Self::Request, at: Position) -> Step {
        let id = parse_id(&request.id).map_err(|_| Error::Inconsistent("an id is none any more"))?;
        match at.filling {
            None => self.begin(write, id).await,
            Some(filling) if at.has_all => self.end(write, id, filling, at).await,
            Some(filling) => {
                let next = self.fill(write, id, filling, at).await?;
                progress.done = next.looked_at;
                Ok(Next::Step(next))
            }
        }
    }
}

impl<K: Keeper> Filling<K> {
    async fn begin(&self, write: &mut Write, id: Uuid) -> Step {
        let current = self.0.records.lock_live(write, id, "").await?;
        self.0.advance(write, &current.fields.resource).await?;
        if !current.fields.filterable {
            self.0.admit_filter(write, &current.fields.resource).await?;
        }
        let filling = Some(Uuid::now_v7());
        let fields = current.fields.with_filter(filling);
        self.0.records.replace(write, &current, &fields).await?;
        Ok(Next::Step(Position { filling, ..Position::default() }))
    }

    async fn fill(&self, write: &mut Write, id: Uuid, filling: Uuid, at: Position) -> Result<Position, Error> {
        let tenant = write.call.tenant;
        let found = self.0.records.find_live(write, tenant, &[id]).await?;
        let definition = filled_by(found.into_iter().next(), filling)?;
        let kind = K::OF.iter().find(|kind| kind.plural == definition.fields.resource);
        let kind = kind.ok_or(Error::Inconsistent("a definition is of no resource"))?;
        let rows = lock_batch(write, kind, at.after, &definition.fields.key).await?;
        let with_value = rows.iter().filter_map(|(id, value)| Some((value_of(&value.as_ref()?.0), *id)));
        add(write, kind, facet_of(kind.plural, &definition.fields.key), with_value.unzip()).await?;
        Ok(Position {
            after: rows.last().map_or(at.after, |(id, _)| *id),
            looked_at: at.looked_at + i64::try_from(rows.len()).unwrap_or_default(),
            has_all: rows.len() < BATCH,
            ..at
        })
    }

    async fn end(&self, write: &mut Write, id: Uuid, filling: Uuid, at: Position) -> Step {
        let current = filled_by(Some(self.0.records.lock_live(write, id, "").await?), filling)?;
        self.0.advance(write, &current.fields.resource).await?;
        let fields = current.fields.with_filter(None);
        self.0.records.replace(write, &current, &fields).await?;
        Ok(Next::End(pb::MakeAttributeFilterableResponse { record_count: at.looked_at }))
    }
}

/// The definition, if it is still this filling that it waits for.
fn filled_by(found: Option<Record<Fields>>, filling: Uuid) -> Result<Record<Fields>, Error> {
    found.filter(|found| found.fields.filling == Some(filling)).ok_or(Error::from(&FILTER_ENDED))
}

/// The next records, deleted ones included, each with its value: whoever changes one waits, and sees that it filters.
fn batch(kind: &Kind) -> String {
    format!(
        "select id, attributes -> $3 from {} where tenant_id = $1 and id > $2 order by id limit {BATCH} for share",
        kind.table
    )
}

/// Gives records a facet that they may have.
fn fill(kind: &Kind) -> String {
    format!(
        "insert into {}.facets (tenant_id, resource, facet, value, record_id) select $1, '{}', $2, value, record_id \
         from unnest($3::text[], $4::uuid[]) as come (value, record_id) on conflict do nothing",
        kind.schema(),
        kind.plural
    )
}

/// The statements about the records of a kind, to be read.
#[cfg(feature = "testkit")]
pub(crate) fn statements(kind: &Kind) -> [(&'static str, String); 2] {
    [("lock_batch_of_values", batch(kind)), ("fill_facets", fill(kind))]
}

async fn lock_batch(
    write: &mut Write,
    kind: &Kind,
    after: Uuid,
    key: &str,
) -> Result<Vec<(Uuid, Option<Json<Value>>)>, Error> {
    let query = sqlx::query(AssertSqlSafe(batch(kind))).bind(write.call.tenant).bind(after).bind(key.to_owned());
    Ok(write.fetch_all("lock_batch_of_values", query).await?)
}

async fn add(
    write: &mut Write,
    kind: &Kind,
    facet: Uuid,
    (values, ids): (Vec<String>, Vec<Uuid>),
) -> Result<(), Error> {
    if ids.is_empty() {
        return Ok(());
    }
    let query = sqlx::query(AssertSqlSafe(fill(kind))).bind(write.call.tenant).bind(facet).bind(values).bind(ids);
    write.execute("fill_facets", query).await?;
    Ok(())
}
