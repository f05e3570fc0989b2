//! What a tenant has chosen for all of sales: one record, whose id is the tenant's.

mod calls;

use crm_proto::sales as pb;
use crm_resource::{Call, Change, ETAG_MISMATCH, Error, Exchange, Kind, Records, Resource, Row};
use crm_values::{Currency, Flaw};
use sqlx::FromRow;
use tonic::Request;

/// The resource.
#[derive(Debug, Clone)]
pub struct SalesSettings;

/// What callers may set; empty texts mean "not chosen".
#[derive(Debug, Clone, PartialEq, Eq, Default, FromRow)]
pub struct Fields {
    reporting_currency: String,
}

/// Behind `update_sales_settings`: the settings of who has chosen nothing, which are as if there were none.
pub const MAKE: &str =
    "insert into sales.sales_settings (tenant_id, id) values ($1, $1) on conflict (tenant_id, id) do nothing";

impl Resource for SalesSettings {
    type Message = pb::SalesSettings;
    type Fields = Fields;

    const KIND: &'static Kind = &Kind {
        // One a tenant.
        cache_bytes: 64 << 10,
        // They are always there, and never deleted.
        ..Kind::new("sales_settings", "sales.sales_settings", &ETAG_MISMATCH, &ETAG_MISMATCH)
    };

    fn exchange(it: &mut Fields, message: &mut pb::SalesSettings, fields: &mut Exchange<'_>) {
        let currency = (&mut it.reporting_currency, &mut message.reporting_currency);
        fields.field("reporting_currency", currency.0, currency.1, |code| optional_currency(code), Ok);
    }

    fn columns(it: &Fields, row: &mut Row) {
        row.set("reporting_currency", &it.reporting_currency);
    }
}

fn optional_currency(code: &str) -> Result<String, Flaw> {
    if code.is_empty() { Ok(String::new()) } else { Currency::parse(code).map(|it| it.code().to_owned()) }
}

/// The settings as they are, also if there are none.
async fn get(
    settings: &Records<SalesSettings>,
    request: Request<pb::GetSalesSettingsRequest>,
) -> Result<pb::SalesSettings, Error> {
    let call = Call::of(&request)?;
    let found = settings.find_one(&call, call.tenant).await?;
    Ok(found.unwrap_or_else(|| pb::SalesSettings { id: call.tenant.to_string(), ..Default::default() }))
}

/// Changes the settings, which are made if there are none.
async fn update(
    settings: &Records<SalesSettings>,
    request: Request<pb::UpdateSalesSettingsRequest>,
) -> Result<pb::SalesSettings, Error> {
    let (call, mut request) = (Call::of(&request)?, request.into_inner());
    if let Some(given) = &mut request.sales_settings {
        given.id = call.tenant.to_string();
    }
    let mut change = Change::<SalesSettings>::read(call, request)?;
    let mut write = settings.begin(change.call.clone()).await?;
    let query = sqlx::query(MAKE).bind(write.call.tenant);
    write.execute("make_sales_settings", query).await?;
    let current = settings.lock_live(&mut write, change.id, &change.etag).await?;
    let fields = settings.apply(&mut write, &mut change, &current).await?;
    settings.save(write, current, fields).await
}
