use std::str::FromStr;

use url::{Position, Url};

/// A base address that is shown to people: `http://127.0.0.1:8081`, or the same without its scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link(Url);

/// The text is no address of a server.
#[derive(Debug, thiserror::Error)]
#[error("must be an address such as http://127.0.0.1:8081, without user, password, query and fragment")]
pub struct NoLink;

impl FromStr for Link {
    type Err = NoLink;

    fn from_str(text: &str) -> Result<Self, NoLink> {
        let text = text.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let url = Url::parse(&text).map_err(|_| NoLink)?;
        // It is shown on a page that asks nobody for a password; and what stands below it comes behind its path.
        let says_more = !url.username().is_empty() || url.password().is_some();
        let says_more = says_more || url.query().is_some() || url.fragment().is_some();
        // For the web, `url` refuses an empty host.
        if matches!(url.scheme(), "http" | "https") && !says_more { Ok(Self(url)) } else { Err(NoLink) }
    }
}

impl Link {
    /// The address of something below it; `path` is empty or begins with a slash.
    pub fn to(&self, path: &str) -> String {
        format!("{}{path}", self.0.as_str().trim_end_matches('/'))
    }

    /// Without the scheme, as a person says it.
    pub fn short(&self) -> &str {
        self.0[Position::BeforeHost..].trim_end_matches('/')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_are_addresses_and_hold_no_secret() {
        let viewer: Link = "HTTPS://Room.example:443/viewer/".parse().unwrap();
        assert_eq!((viewer.short(), viewer.to("").as_str()), ("room.example/viewer", "https://room.example/viewer"));
        assert_eq!("127.0.0.1:8082".parse::<Link>().unwrap().to("/x"), "http://127.0.0.1:8082/x");
        for wrong in [
            "http://room:hunter2@room.example",
            "http://room@room.example",
            "room.example?token=x",
            "room.example#x",
            "ftp://x",
            "javascript:alert(1)",
            "javascript://x/%0aalert(1)",
            "data:text/html,x",
            "http://",
            "http://a b",
        ] {
            assert!(wrong.parse::<Link>().is_err(), "{wrong}");
        }
    }
}
