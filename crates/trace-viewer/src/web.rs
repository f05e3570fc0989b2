//! The port for people: the query API, and the pages that use it.

use std::sync::Arc;

use axum::{Router, middleware};
use crm_server::{compression, process::routes_service, stack::BoxService};

use crate::{app::App, host, query, ui};

/// The routes of the web port; one that only this machine reaches refuses the names of others.
pub(crate) fn service(app: Arc<App>, is_local: bool) -> BoxService {
    let routes: Router = query::router(Arc::clone(&app)).merge(ui::router(app));
    let routes = if is_local { routes.layer(middleware::from_fn(host::guard)) } else { routes };
    compression::packing(routes_service(routes))
}
