//! The control APIs of all gateways, asked and told as one.

mod document;
mod merge;

use futures_util::future::join_all;
use http::Method;
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, PercentEncode, utf8_percent_encode};
use serde_json::{Value, json};

pub(crate) use document::{Document, Replica, Upstream};
pub(crate) use merge::merge;
#[cfg(test)]
pub(crate) use merge::tests::document;

use crate::{
    config::Link,
    outbound::{Outbound, OutboundError},
};

/// Everything that a person can have done.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Command {
    /// Another policy chooses from now on.
    Policy { upstream: String, policy: crm_balance::Policy },
    /// A replica misbehaves.
    Break { upstream: String, replica: Target, fault: Value },
    /// It stops misbehaving.
    Heal { upstream: String, replica: Target },
}

/// One replica, or all of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Target {
    One(u32),
    All,
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::One(ordinal) => ordinal.fmt(f),
            Self::All => f.write_str("all"),
        }
    }
}

impl std::str::FromStr for Target {
    type Err = std::num::ParseIntError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if text == "all" { Ok(Self::All) } else { text.parse().map(Self::One) }
    }
}

/// The gateways that are watched.
#[derive(Debug, Clone)]
pub(crate) struct Controls {
    outbound: Outbound,
    links: Vec<Link>,
}

impl Controls {
    pub(crate) fn new(outbound: Outbound, links: Vec<Link>) -> Self {
        Self { outbound, links }
    }

    /// What each gateway sees, in their order.
    pub(crate) async fn documents(&self) -> Vec<Result<Document, OutboundError>> {
        join_all(self.links.iter().map(|link| async { self.outbound.get(&link.to("/upstreams")).await })).await
    }

    /// A policy is told to every gateway, for each chooses by itself. A fault sits in the replica, and the first gateway
    /// that takes it is enough: told twice it would only begin anew.
    pub(crate) async fn tell(&self, command: &Command) -> Result<(), OutboundError> {
        let (method, path, body) = request(command);
        if matches!(command, Command::Policy { .. }) {
            let told = self.links.iter().map(|link| self.tell_one(link, &method, &path, &body));
            return join_all(told).await.into_iter().collect();
        }
        let mut result = Err(OutboundError::Unreachable);
        for link in &self.links {
            result = self.tell_one(link, &method, &path, &body).await;
            if !matches!(result, Err(OutboundError::Unreachable | OutboundError::Slow)) {
                break;
            }
        }
        result
    }

    async fn tell_one(&self, link: &Link, method: &Method, path: &str, body: &Value) -> Result<(), OutboundError> {
        self.outbound.tell(method.clone(), &link.to(path), body).await
    }
}

fn request(command: &Command) -> (Method, String, Value) {
    match command {
        Command::Policy { upstream, policy } => {
            (Method::PUT, format!("/upstreams/{}/policy", encoded(upstream)), json!({"policy": policy}))
        }
        Command::Break { upstream, replica, fault } => (Method::PUT, fault_path(upstream, *replica), fault.clone()),
        Command::Heal { upstream, replica } => (Method::DELETE, fault_path(upstream, *replica), Value::Null),
    }
}

fn fault_path(upstream: &str, replica: Target) -> String {
    format!("/upstreams/{}/replicas/{replica}/fault", encoded(upstream))
}

/// A name as one segment of a path, whatever was put into a form.
fn encoded(name: &str) -> PercentEncode<'_> {
    const ESCAPED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.');
    utf8_percent_encode(name, ESCAPED)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_become_requests_and_names_stay_one_segment() {
        let heal = Command::Heal { upstream: "a/../b".to_owned(), replica: Target::All };
        assert_eq!(request(&heal).1, "/upstreams/a%2F..%2Fb/replicas/all/fault");
        let policy = Command::Policy { upstream: "customers".to_owned(), policy: crm_balance::Policy::Random };
        assert_eq!(request(&policy).2, json!({"policy": "random"}));
        assert_eq!("all".parse(), Ok(Target::All));
        assert_eq!("3".parse(), Ok(Target::One(3)));
        assert!("x".parse::<Target>().is_err());
    }
}
