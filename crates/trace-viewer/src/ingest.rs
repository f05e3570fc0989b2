use std::sync::Arc;

use axum::Router;

use crate::app::App;

pub(crate) fn router(app: Arc<App>) -> Router {
    Router::new().with_state(app.config.max_spans)
}
