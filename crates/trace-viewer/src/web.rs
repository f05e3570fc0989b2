//! The port for people: the query API, and the pages that use it.

use std::sync::Arc;

use axum::{Router, middleware};

use crate::{app::App, host, query, ui};

/// The routes of the web port; one that only this machine reaches refuses the names of others.
pub(crate) fn router(app: Arc<App>, is_local: bool) -> Router {
    let routes = query::router(Arc::clone(&app)).merge(ui::router(app));
    if is_local { routes.layer(middleware::from_fn(host::guard)) } else { routes }
}
