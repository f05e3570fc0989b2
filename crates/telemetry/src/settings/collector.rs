//! The collector, and how it is spoken to.

use std::time::Duration;

use http::{HeaderMap, HeaderName, HeaderValue};
use opentelemetry_otlp::{ExporterBuildError, RetryPolicy, SpanExporter, WithExportConfig, WithTonicConfig};
use tonic::metadata::MetadataMap;
use tonic::transport::{Certificate, ClientTlsConfig, Identity};

use super::endpoint::{self, Endpoint};
use super::environment::{Environment, percent_decoded};

/// What the specification has for a collector that is wanted and not named.
const DEFAULT_ENDPOINT: &str = "http://localhost:4317";
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// What "no limit" becomes: clocks cannot count much further.
const NO_LIMIT: Duration = Duration::from_secs(365 * 24 * 3600);

const HEADERS: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"];
const CERTIFICATE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "OTEL_EXPORTER_OTLP_CERTIFICATE"];
const CLIENT_CERTIFICATE: [&str; 2] =
    ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_CERTIFICATE", "OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE"];
const CLIENT_KEY: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_CLIENT_KEY", "OTEL_EXPORTER_OTLP_CLIENT_KEY"];

/// Where spans are sent, and how.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(super) endpoint: String,
    pub(super) timeout: Duration,
    /// Marked as secrets, so that they are not shown.
    headers: HeaderMap,
    tls: Option<ClientTlsConfig>,
}

/// What the variables say; `None` where no collector is named, unless it is `wanted` all the same, or where it cannot be
/// spoken to as they say.
pub(super) fn read(env: &mut Environment, wanted: bool) -> Option<Collector> {
    let endpoint = endpoint::read(env, wanted.then_some(DEFAULT_ENDPOINT));
    let timeout = timeout(env);
    protocol(env);
    compression(env);
    let headers = headers(env);
    let Endpoint { uri, is_secure } = endpoint?;
    let tls = tls(env, is_secure)?;
    Some(Collector { endpoint: uri, timeout, headers, tls })
}

impl Collector {
    /// Connects when the first spans are sent.
    pub(crate) fn exporter(self) -> Result<SpanExporter, ExporterBuildError> {
        // One quick retry bridges a collector's restart; more would only fill the queue behind a dead one.
        let retry = RetryPolicy::recommended().with_max_retries(1);
        let builder = SpanExporter::builder().with_tonic().with_retry_policy(retry);
        let builder = builder.with_endpoint(self.endpoint).with_timeout(self.timeout);
        let builder = builder.with_metadata(MetadataMap::from_headers(self.headers));
        match self.tls {
            Some(tls) => builder.with_tls_config(tls).build(),
            None => builder.build(),
        }
    }
}

fn timeout(env: &mut Environment) -> Duration {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
    match env.number(&names, 0, "10,000 ms are used") {
        None => DEFAULT_TIMEOUT,
        Some(0) => NO_LIMIT,
        Some(milliseconds) => Duration::from_millis(milliseconds).min(NO_LIMIT),
    }
}

fn protocol(env: &mut Environment) {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
    if let Some((name, text)) = env.first(&names).filter(|(_, text)| !text.eq_ignore_ascii_case("grpc")) {
        env.refuse(name, Some(&text), "grpc is used, whose port is 4317 as a rule");
    }
}

fn compression(env: &mut Environment) {
    let names = ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"];
    if let Some((name, text)) = env.first(&names).filter(|(_, text)| !text.eq_ignore_ascii_case("none")) {
        env.refuse(name, Some(&text), "spans are sent uncompressed");
    }
}

/// They hold secrets: of one that cannot be sent only the place is told.
fn headers(env: &mut Environment) -> HeaderMap {
    let Some((name, text)) = env.first(&HEADERS) else { return HeaderMap::new() };
    let mut headers = HeaderMap::new();
    for (number, entry) in (1..).zip(text.split(',')).filter(|(_, entry)| !entry.trim().is_empty()) {
        match header(entry) {
            Some((name, value)) => drop(headers.append(name, value)),
            None => env.refuse(name, None, format!("entry {number} is no header, name=value: it is left out")),
        }
    }
    headers
}

fn header(entry: &str) -> Option<(HeaderName, HeaderValue)> {
    let (name, value) = entry.split_once('=')?;
    let value = percent_decoded(value.trim()).filter(|value| !value.is_empty())?;
    let mut value = HeaderValue::try_from(value).ok()?;
    value.set_sensitive(true);
    Some((HeaderName::try_from(name.trim()).ok()?, value))
}

/// `None` where what is asked for cannot be done: spans are not sent to whom nobody can vouch for.
#[allow(clippy::option_option, reason = "no TLS is one thing, TLS that cannot be had another")]
fn tls(env: &mut Environment, is_secure: bool) -> Option<Option<ClientTlsConfig>> {
    let (certificate, identity) = (env.first(&CERTIFICATE), identity(env));
    if !is_secure {
        if let Some((name, path)) = certificate {
            env.refuse(name, Some(&path), "the collector's address is not https: there is no TLS");
        }
        return Some(None);
    }
    let tls = match certificate {
        Some((name, path)) => ClientTlsConfig::new().ca_certificate(Certificate::from_pem(pem(env, name, &path)?)),
        None => ClientTlsConfig::new().with_native_roots(),
    };
    Some(Some(match identity {
        Some([(certificate, certificate_path), (key, key_path)]) => {
            let certificate = pem(env, certificate, &certificate_path)?;
            tls.identity(Identity::from_pem(certificate, pem(env, key, &key_path)?))
        }
        None => tls,
    }))
}

/// The files of a client's certificate and its key, if both are named.
fn identity(env: &mut Environment) -> Option<[(&'static str, String); 2]> {
    match (env.first(&CLIENT_CERTIFICATE), env.first(&CLIENT_KEY)) {
        (Some(certificate), Some(key)) => Some([certificate, key]),
        (Some((name, path)), None) | (None, Some((name, path))) => {
            env.refuse(name, Some(&path), "a certificate needs its key, and a key its certificate: none is shown");
            None
        }
        (None, None) => None,
    }
}

fn pem(env: &mut Environment, name: &str, path: &str) -> Option<Vec<u8>> {
    let why = match std::fs::read(path) {
        Ok(bytes) if bytes.windows(11).any(|window| window == b"-----BEGIN ") => return Some(bytes),
        Ok(_) => "the file holds no PEM".to_owned(),
        Err(error) => format!("the file cannot be read: {error}"),
    };
    env.refuse(name, Some(path), format!("{why}: no spans are exported"));
    None
}
