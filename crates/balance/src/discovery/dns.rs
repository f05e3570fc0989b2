//! Asking a name again.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::BoxFuture;

use super::Endpoint;

/// Turns a name into addresses; a test brings its own.
pub trait Resolve: Send + Sync + 'static {
    /// All addresses of `host`, each with `port`.
    ///
    /// # Errors
    /// When the name cannot be looked up now. The last answer stays in force.
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>>;
}

/// The resolver of the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemResolver;

impl Resolve for SystemResolver {
    fn resolve<'a>(&'a self, host: &'a str, port: u16) -> BoxFuture<'a, io::Result<Vec<SocketAddr>>> {
        Box::pin(async move { Ok(tokio::net::lookup_host((host, port)).await?.collect()) })
    }
}

/// How soon a failed look-up is repeated, at most: a name is often missing only for the moment of a start.
const SOON: Duration = Duration::from_secs(1);

/// Asks for ever, and tells each answer that says something.
///
/// An error or an empty answer changes nothing: name servers of container platforms give both while they restart, and an
/// endpoint that is truly gone shows itself by its connection.
pub(crate) async fn follow(
    resolver: &dyn Resolve,
    host: &str,
    port: u16,
    every: Duration,
    mut tell: impl FnMut(Vec<Endpoint>) + Send,
) {
    loop {
        let answer = resolver.resolve(host, port).await.unwrap_or_else(|error| {
            tracing::warn!(host, %error, "name look-up failed, keeping the last answer");
            Vec::new()
        });
        let pause = if answer.is_empty() { every.min(SOON) } else { every };
        tell(endpoints(answer));
        tokio::time::sleep(pause).await;
    }
}

/// Sorted, so that ordinals do not depend on the order in which a name server rotates its answers.
fn endpoints(mut addresses: Vec<SocketAddr>) -> Vec<Endpoint> {
    addresses.sort_unstable();
    addresses.dedup();
    addresses.into_iter().map(Endpoint::from).collect()
}
