//! The collector's address.

use http::Uri;

use super::environment::Environment;

const ENDPOINT: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_ENDPOINT"];
const INSECURE: [&str; 2] = ["OTEL_EXPORTER_OTLP_TRACES_INSECURE", "OTEL_EXPORTER_OTLP_INSECURE"];

/// Where the collector is.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) uri: String,
    /// Over TLS.
    pub(super) is_secure: bool,
}

/// What the variables say; `None` where no address is set and there is no default, or where it is none.
pub(super) fn read(env: &mut Environment, default: Option<&str>) -> Option<Endpoint> {
    let is_insecure = env.is_true(&INSECURE);
    let (name, text) = env.first(&ENDPOINT).or_else(|| Some((ENDPOINT[1], default?.to_owned())))?;
    if let Some(path) = text.strip_prefix("unix:") {
        let path = path.strip_prefix("//").unwrap_or(path);
        return Some(Endpoint { uri: format!("unix://{path}"), is_secure: false });
    }
    let endpoint = parse(env, name, &text, is_insecure);
    if endpoint.is_none() {
        env.refuse(name, Some(&shown(&text)), "it is no address like http://host:4317: no spans are exported");
    }
    endpoint
}

fn parse(env: &mut Environment, name: &str, text: &str, is_insecure: bool) -> Option<Endpoint> {
    let (scheme, rest) = match text.split_once("://") {
        Some((scheme, rest)) => (scheme.to_ascii_lowercase(), rest),
        None if is_insecure => ("http".to_owned(), text),
        None => {
            let variable = INSECURE[1];
            env.refuse(
                name,
                Some(&shown(text)),
                format!("it names no scheme: https is used, or http if {variable} is true"),
            );
            ("https".to_owned(), text)
        }
    };
    if scheme != "http" && scheme != "https" {
        return None;
    }
    let uri: Uri = format!("{scheme}://{rest}").parse().ok()?;
    let authority = uri.authority()?.as_str();
    let host = authority.rsplit('@').next()?;
    if uri.host().is_none_or(str::is_empty) || has_bad_port(&uri, host) {
        return None;
    }
    if authority.contains('@') {
        env.refuse(
            name,
            Some(&shown(text)),
            format!("the user in it is left out: {} can hold a token", "OTEL_EXPORTER_OTLP_HEADERS"),
        );
    }
    if uri.path().len() > 1 || uri.query().is_some() {
        env.refuse(name, Some(&shown(text)), "its path is left out: gRPC has its own");
    }
    Some(Endpoint { uri: format!("{scheme}://{host}"), is_secure: scheme == "https" })
}

/// A port that is no number up to 65535.
fn has_bad_port(uri: &Uri, host: &str) -> bool {
    uri.port_u16().is_none() && uri.host() != Some(host)
}

/// Without what may be a secret: the user, and whatever follows the path.
fn shown(text: &str) -> String {
    // The user first: a password may hold whatever else ends an address.
    let shown = match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, rest))) => format!("{scheme}://***@{rest}"),
        (None, Some((_, rest))) => format!("***@{rest}"),
        (_, None) => text.to_owned(),
    };
    shown.split(['?', '#']).next().unwrap_or_default().to_owned()
}
