//! Poolers between us and the server, such as PgBouncer in transaction mode.
//!
//! There, each transaction may run in another session. All that ours rely on is set within each of them; only statements
//! that were prepared under a name in one session are missing in the next, or, worse, are another process's statements of
//! the same name. So a session is opened with a mark that a pooler either refuses or does not pass on, each new connection
//! is asked for it, and once one lacks it, nothing is prepared under a name any more.

use std::sync::LazyLock;

use sqlx::{Executor, PgConnection, Row};
use uuid::Uuid;

use crate::Error;
use crate::error::when_connecting;

/// How a session is told from a pooler.
pub(crate) struct Session {
    mark: LazyLock<String>,
}

/// Not a mark that everybody has: a pooler's own session might have been opened with it.
pub(crate) static SESSION: Session = Session { mark: LazyLock::new(|| Uuid::new_v4().simple().to_string()) };

impl Session {
    /// What a session is opened with.
    pub(crate) fn option(&self) -> (&'static str, &str) {
        ("crm.session", &self.mark)
    }

    /// Whether this connection is the session that was opened.
    pub(crate) async fn is_ours(&self, connection: &mut PgConnection) -> Result<bool, Error> {
        let answer = connection.fetch_one("select current_setting('crm.session', true)").await;
        let mark: Option<String> = answer.map_err(when_connecting)?.try_get(0)?;
        Ok(mark.as_ref() == Some(&*self.mark))
    }
}
