//! The port for people: the query API, and the pages that use it.

use std::sync::Arc;

use axum::Router;

use crate::{app::App, query, ui};

/// The routes of the web port.
pub(crate) fn router(app: Arc<App>) -> Router {
    query::router(Arc::clone(&app)).merge(ui::router(app))
}
