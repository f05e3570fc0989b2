//! What is particular about exchange rates, and about the currency of reports.

use crm_proto::sales as pb;
use crm_proto::sales::exchange_rate_service_client::ExchangeRateServiceClient;
use crm_proto::sales::sales_settings_service_client::SalesSettingsServiceClient;
use crm_resource::testkit::{self, Caller, Http, Process, field_mask, pool, refusal, refused, violations};
use crm_sales::SERVICE;
use crm_sales::exchange_rates::{Exact, Rates};
use crm_sandbox::testing::{self, TestDatabase};
use crm_server::token::{Role, tenant_id};
use sqlx::{Connection, PgConnection};
use tonic::{Code, Status};
use uuid::Uuid;

struct Own {
    rates: ExchangeRateServiceClient<Http>,
    settings: SalesSettingsServiceClient<Http>,
    manager: Caller,
    process: Process,
    database: TestDatabase,
}

impl Own {
    async fn start() -> Self {
        let database = testkit::database(&SERVICE).await;
        let url = database.url_as(testkit::storage(&SERVICE).role, "");
        let process = Process::start(&SERVICE, &url, &testing::redis().await.unwrap()).await;
        let manager = process.caller("acme", Role::Manager);
        let rates = ExchangeRateServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
        let settings = SalesSettingsServiceClient::with_origin(manager.http.clone(), manager.origin.clone());
        Self { rates, settings, manager, process, database }
    }

    async fn create(&self, rate: pb::ExchangeRate) -> Result<pb::ExchangeRate, Status> {
        let request_id = Uuid::new_v4().to_string();
        let request = self.manager.request(pb::CreateExchangeRateRequest { exchange_rate: Some(rate), request_id });
        Ok(self.rates.clone().create_exchange_rate(request).await?.into_inner())
    }

    async fn update(&self, rate: pb::ExchangeRate, mask: &[&str]) -> Result<pb::ExchangeRate, Status> {
        let request = pb::UpdateExchangeRateRequest { exchange_rate: Some(rate), update_mask: field_mask(mask) };
        Ok(self.rates.clone().update_exchange_rate(self.manager.request(request)).await?.into_inner())
    }

    async fn delete(&self, rate: &pb::ExchangeRate) {
        let request = pb::DeleteExchangeRateRequest { id: rate.id.clone(), etag: String::new() };
        self.rates.clone().delete_exchange_rate(self.manager.request(request)).await.unwrap();
    }

    async fn settings(&self, of: &Caller) -> pb::SalesSettings {
        let request = of.request(pb::GetSalesSettingsRequest {});
        self.settings.clone().get_sales_settings(request).await.unwrap().into_inner()
    }

    async fn choose(&self, currency: &str, etag: &str) -> Result<pb::SalesSettings, Status> {
        self.choose_as(&self.manager, currency, etag).await
    }

    async fn choose_as(&self, caller: &Caller, currency: &str, etag: &str) -> Result<pb::SalesSettings, Status> {
        let settings = Some(pb::SalesSettings {
            reporting_currency: currency.to_owned(),
            etag: etag.to_owned(),
            ..Default::default()
        });
        let update_mask = field_mask(&["reporting_currency"]);
        let request = caller.request(pb::UpdateSalesSettingsRequest { sales_settings: settings, update_mask });
        Ok(self.settings.clone().update_sales_settings(request).await?.into_inner())
    }

    async fn known(&self, needed: &[(&str, &str)]) -> Rates {
        let database = pool(&SERVICE, &self.database).await;
        let tenant = tenant_id("acme");
        let mut transaction = database.begin_read(tenant, None).await.unwrap();
        let needed = needed.iter().map(|(currency, day)| ((*currency).to_owned(), (*day).to_owned())).collect();
        Rates::read(&mut transaction, tenant, needed).await.unwrap()
    }
}

fn rate(base: &str, quote: &str, start_date: &str, rate: &str) -> pb::ExchangeRate {
    let (base_currency, quote_currency) = (base.to_owned(), quote.to_owned());
    let (start_date, rate) = (start_date.to_owned(), rate.to_owned());
    pb::ExchangeRate { base_currency, quote_currency, start_date, rate, ..Default::default() }
}

#[tokio::test]
async fn one_rate_of_two_currencies_begins_on_a_day_until_that_is_deleted() {
    let own = Own::start().await;
    let taken = refused(Code::AlreadyExists, "EXCHANGE_RATE_DATE_TAKEN");
    let first = own.create(rate("USD", "EUR", "2026-01-01", "0.85")).await.unwrap();
    assert_eq!(refusal(own.create(rate("USD", "EUR", "2026-01-01", "0.86")).await), taken);
    let later = own.create(rate("USD", "EUR", "2026-01-02", "0.86")).await.unwrap();
    for other in [rate("EUR", "USD", "2026-01-01", "1.17"), rate("GBP", "EUR", "2026-01-01", "1.15")] {
        own.create(other).await.unwrap();
    }
    let moved = pb::ExchangeRate { id: later.id, ..rate("", "", "2026-01-01", "") };
    assert_eq!(refusal(own.update(moved, &["start_date"]).await), taken);
    own.delete(&first).await;
    own.create(rate("USD", "EUR", "2026-01-01", "0.87")).await.unwrap();
    let undelete = own.manager.request(pb::UndeleteExchangeRateRequest { id: first.id, etag: String::new() });
    assert_eq!(refusal(own.rates.clone().undelete_exchange_rate(undelete).await), taken);
}

#[tokio::test]
async fn rates_are_decimals_and_all_flaws_are_told_at_once() {
    let own = Own::start().await;
    for (day, (given, shown)) in [
        ("2026-01-01", ("0.850", "0.85")),
        ("2026-01-02", ("000000000001", "1")),
        ("2026-01-03", ("0.000000000001", "0.000000000001")),
        ("2026-01-04", ("9000000", "9000000")),
        ("2026-01-05", ("163.90", "163.9")),
    ] {
        assert_eq!(own.create(rate("USD", "EUR", day, given)).await.unwrap().rate, shown);
    }
    for wrong in ["", "0", "0.0", "-1", "1e3", "1,5", ".5", "9000000.000000000001", "0.0000000000001", "NaN", " 1"] {
        let answer = own.create(rate("USD", "EUR", "2026-02-01", wrong)).await;
        assert_eq!(violations(answer), ["exchange_rate.rate"], "{wrong:?}");
    }
    let all = ["base_currency", "quote_currency", "start_date", "rate"].map(|field| format!("exchange_rate.{field}"));
    assert_eq!(violations(own.create(rate("usd", "XXX", "2026-02-30", "x")).await), all);
    assert_eq!(violations(own.create(pb::ExchangeRate::default()).await), all);
    let itself = own.create(rate("EUR", "EUR", "2026-02-01", "1")).await;
    assert_eq!(violations(itself), ["exchange_rate.quote_currency"]);
}

#[tokio::test]
async fn settings_are_there_before_anybody_chooses_and_a_stale_choice_changes_nothing() {
    let own = Own::start().await;
    let acme = tenant_id("acme").to_string();
    let none = pb::SalesSettings { id: acme.clone(), ..Default::default() };
    assert_eq!(own.settings(&own.manager).await, none);
    assert_eq!(own.choose("", "").await.unwrap().reporting_currency, "");
    assert_eq!(own.settings(&own.manager).await, none, "what changes nothing leaves nothing");
    let chosen = own.choose("EUR", "").await.unwrap();
    assert_eq!((chosen.reporting_currency.as_str(), &chosen.id), ("EUR", &acme));
    assert_eq!(own.settings(&own.manager).await, chosen);
    let other = own.choose("CHF", &chosen.etag).await.unwrap();
    assert_eq!(refusal(own.choose("USD", &chosen.etag).await), refused(Code::Aborted, "ETAG_MISMATCH"));
    assert_eq!(own.settings(&own.manager).await, other);
    for wrong in ["eur", "XXX", "EURO"] {
        assert_eq!(violations(own.choose(wrong, "").await), ["sales_settings.reporting_currency"]);
    }
    // Another tenant has its own, and who sells does not choose.
    let stranger = own.process.caller("other", Role::Manager);
    assert_eq!(own.settings(&stranger).await.reporting_currency, "");
    let agent = own.process.caller("acme", Role::Agent);
    let refusal = own.choose_as(&agent, "EUR", "").await.unwrap_err();
    assert_eq!(refusal.code(), Code::PermissionDenied);
    assert_eq!(own.settings(&agent).await, other);
    // Each choice is told; that there was a row to lock is none.
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let told = "select kind || ' ' || version from sales.journal where resource = 'sales_settings' order by version";
    let told: Vec<String> = sqlx::query_scalar(told).fetch_all(&mut owner).await.unwrap();
    assert_eq!(told, ["updated 2", "updated 3"]);
}

#[tokio::test]
async fn those_who_choose_first_at_once_all_choose() {
    let own = Own::start().await;
    let choices = ["EUR", "USD", "GBP", "CHF"].map(|currency| own.choose(currency, ""));
    let [a, b, c, d] = choices;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    let mut etags: Vec<String> = [a, b, c, d].into_iter().map(|chosen| chosen.unwrap().etag).collect();
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 4);
}

#[tokio::test]
async fn a_report_reads_the_rates_of_its_days_into_the_currency_of_now() {
    let own = Own::start().await;
    let shown =
        |rates: &Rates, currency: &str, day: &str| rates.at(currency, day).map(crm_sales::exchange_rates::Rate::shown);
    let needed = [("USD", "2026-02-15"), ("USD", "2025-12-31"), ("GBP", "2026-02-15"), ("CHF", "2026-02-15")];
    for (base, quote, day, worth) in [
        ("USD", "EUR", "2026-01-01", "0.85"),
        ("USD", "EUR", "2026-02-01", "0.86"),
        ("USD", "EUR", "2026-03-01", "0.87"),
        ("USD", "CHF", "2026-01-01", "0.8"),
        ("EUR", "USD", "2026-01-01", "1.17"),
        ("GBP", "EUR", "2026-02-15", "1.15"),
    ] {
        own.create(rate(base, quote, day, worth)).await.unwrap();
    }
    let gone = own.create(rate("USD", "EUR", "2026-02-10", "9")).await.unwrap();
    own.delete(&gone).await;
    let unchosen = own.known(&needed).await;
    assert!(unchosen.reporting_currency().is_none() && unchosen.at("USD", "2026-02-15").is_none());
    own.choose("EUR", "").await.unwrap();
    let known = own.known(&needed).await;
    assert_eq!(known.reporting_currency().map(crm_values::Currency::code), Some("EUR"));
    for (currency, day, expected) in [
        ("USD", "2026-02-15", Some("0.86")),
        ("USD", "2025-12-31", None),
        ("GBP", "2026-02-15", Some("1.15")),
        ("CHF", "2026-02-15", None),
    ] {
        assert_eq!(shown(&known, currency, day).as_deref(), expected, "{currency} {day}");
    }
    assert!(own.known(&[]).await.reporting_currency().is_some(), "nothing to convert");
    own.choose("CHF", "").await.unwrap();
    let known = own.known(&needed).await;
    assert_eq!(shown(&known, "USD", "2026-02-15").as_deref(), Some("0.8"));
    assert_eq!(shown(&known, "GBP", "2026-02-15"), None, "rates into what it was are not asked for");
}

/// What the service counts, Postgres counts, whose `numeric` has no end.
#[tokio::test]
async fn what_is_converted_is_what_numeric_says() {
    let own = Own::start().await;
    let worth = [("USD", "0.853419"), ("GBP", "1.15"), ("JPY", "0.006100000001"), ("KWD", "2.777777777777")];
    for (currency, worth) in worth {
        own.create(rate(currency, "EUR", "2026-01-01", worth)).await.unwrap();
    }
    own.choose("EUR", "").await.unwrap();
    let known = own.known(&worth.map(|(currency, _)| (currency, "2026-01-01"))).await;
    let mut owner = PgConnection::connect(own.database.url()).await.unwrap();
    let amounts = "select row_number() over () % 4, (random() * 100000)::bigint from generate_series(1, 400)";
    let amounts: Vec<(i64, i64)> = sqlx::query_as(amounts).fetch_all(&mut owner).await.unwrap();
    let mut sum = Exact::default();
    for (nth, amount) in &amounts {
        let currency = worth[usize::try_from(*nth).unwrap()].0;
        let (exact, _) = known.convert((i128::from(*amount), 0), currency, "2026-11-27").unwrap().unwrap();
        sum = sum.plus(exact).unwrap();
    }
    let expected = "select round(sum(amount * rate_trillionths::numeric / 1000000000000 \
        * case base_currency when 'JPY' then 100 when 'KWD' then 0.1 else 1 end))::bigint \
        from unnest($1::text[], $2::bigint[]) as of (currency, amount) join sales.exchange_rates on base_currency = currency";
    let currencies: Vec<&str> = amounts.iter().map(|(nth, _)| worth[usize::try_from(*nth).unwrap()].0).collect();
    let minor: Vec<i64> = amounts.iter().map(|(_, amount)| *amount).collect();
    let expected: i64 = sqlx::query_scalar(expected).bind(currencies).bind(&minor).fetch_one(&mut owner).await.unwrap();
    assert_eq!(sum.rounded(), Some(expected), "{amounts:?}");
}
