//! What the viewer is told at its start, read once from the environment.

use std::{net::SocketAddr, path::PathBuf, time::Duration};

use crm_server::config::Origins;

/// Limits and places, independent of where the viewer listens.
#[derive(Debug, Clone)]
pub struct Config {
    /// Most spans kept at once (`CRM_VIEWER_MAX_SPANS`).
    pub max_spans: usize,
    /// Most bytes that kept spans may take, with their share of tables and indexes (`CRM_VIEWER_MAX_BYTES`).
    pub max_bytes: usize,
    /// A trace at least this long is kept longer than ordinary ones (`CRM_VIEWER_SLOW_MS`).
    pub slow: Duration,
    /// Folder of the built Jaeger UI (`CRM_JAEGER_UI_DIR`), or else `jaeger-ui` beside the executable's folder.
    pub ui_dir: PathBuf,
    /// Origins whose pages may send spans over HTTP (`CRM_VIEWER_ORIGINS`); none unless said.
    pub origins: Origins,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            max_spans: 40_000,
            max_bytes: 14 << 20,
            slow: Duration::from_millis(500),
            ui_dir: default_ui_dir(),
            origins: Origins::default(),
        }
    }
}

/// `target/jaeger-ui`, where the fetch script puts it, for `target/<profile>/crm` and what lies deeper; before it is there,
/// the place beside the executable's folder.
fn default_ui_dir() -> PathBuf {
    let executable = std::env::current_exe().unwrap_or_default();
    let mut places = executable.ancestors().skip(2).take(3).map(|folder| folder.join("jaeger-ui"));
    let expected = places.clone().next().unwrap_or_else(|| PathBuf::from("target/jaeger-ui"));
    places.find(|place| place.join("index.html").exists()).unwrap_or(expected)
}

/// The whole environment of the process.
#[derive(Debug, Clone)]
pub(crate) struct Settings {
    pub(crate) listen: SocketAddr,
    pub(crate) otlp_listen: SocketAddr,
    pub(crate) otlp_http_listen: Option<SocketAddr>,
    pub(crate) admin_listen: Option<SocketAddr>,
    pub(crate) config: Config,
}

/// Every fault found in the environment, one a line.
#[derive(Debug, thiserror::Error)]
#[error("bad configuration: {}", .0.join("; "))]
pub struct ConfigError(Vec<String>);

impl Settings {
    /// Reads settings through `lookup`, which answers a variable's value.
    ///
    /// # Errors
    /// Names every variable that cannot be used, all at once.
    pub(crate) fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, ConfigError> {
        let mut faults = Vec::new();
        let fallback = Config::default();
        let mut reader = Reader { lookup, faults: &mut faults };
        let settings = Self {
            listen: reader.or("CRM_LISTEN", SocketAddr::from(([127, 0, 0, 1], 16686))),
            otlp_listen: reader.or("CRM_OTLP_LISTEN", SocketAddr::from(([127, 0, 0, 1], 4317))),
            otlp_http_listen: reader.optional("CRM_OTLP_HTTP_LISTEN"),
            admin_listen: reader.optional("CRM_ADMIN_LISTEN"),
            config: Config {
                max_spans: reader.at_least("CRM_VIEWER_MAX_SPANS", 100, fallback.max_spans),
                max_bytes: reader.at_least("CRM_VIEWER_MAX_BYTES", 1 << 20, fallback.max_bytes),
                slow: reader.optional("CRM_VIEWER_SLOW_MS").map_or(fallback.slow, Duration::from_millis),
                ui_dir: reader.or("CRM_JAEGER_UI_DIR", fallback.ui_dir),
                origins: reader.or("CRM_VIEWER_ORIGINS", fallback.origins),
            },
        };
        if faults.is_empty() { Ok(settings) } else { Err(ConfigError(faults)) }
    }
}

struct Reader<'a, F> {
    lookup: F,
    faults: &'a mut Vec<String>,
}

impl<F: Fn(&str) -> Option<String>> Reader<'_, F> {
    fn optional<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &str) -> Option<T> {
        let text = (self.lookup)(name).filter(|text| !text.is_empty())?;
        text.parse().map_err(|error| self.faults.push(format!("{name}={text:?}: {error}"))).ok()
    }

    fn or<T: std::str::FromStr<Err: std::fmt::Display>>(&mut self, name: &str, fallback: T) -> T {
        self.optional(name).unwrap_or(fallback)
    }

    fn at_least(&mut self, name: &str, least: usize, fallback: usize) -> usize {
        let value = self.or(name, fallback);
        if value < least {
            self.faults.push(format!("{name}={value}: must be at least {least}"));
        }
        value
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, ConfigError> {
        Settings::read(|name| pairs.iter().find(|pair| pair.0 == name).map(|pair| pair.1.to_owned()))
    }

    #[test]
    fn empty_environment_means_the_published_ports() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.listen.port(), 16686);
        assert_eq!(settings.otlp_listen.port(), 4317);
        assert!(settings.otlp_http_listen.is_none() && settings.admin_listen.is_none());
    }

    #[test]
    fn origins_are_written_as_browsers_write_them() {
        let origins = |text| read(&[("CRM_VIEWER_ORIGINS", text)]).map(|settings| settings.config.origins);
        assert_eq!(origins("").unwrap(), Origins::default());
        let two = origins("https://shop.example, http://localhost:3000").unwrap();
        assert_eq!(two, origins("HTTPS://Shop.example,http://localhost:3000").unwrap());
        for wrong in
            ["*", "https://*.example", "shop.example", "https://shop.example/", "https://a@b.example", "null", ","]
        {
            assert!(origins(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn every_fault_is_named_at_once() {
        let faults = read(&[("CRM_LISTEN", "nowhere"), ("CRM_VIEWER_MAX_SPANS", "3")]).unwrap_err().to_string();
        assert!(faults.contains("CRM_LISTEN=\"nowhere\"") && faults.contains("CRM_VIEWER_MAX_SPANS=3"), "{faults}");
    }
}
