//! The API's description, of the services that this gateway routes.
//!
//! The descriptors hold every service of the platform; a gateway may route a part of them, and must not describe calls
//! that it would refuse.

use crm_transcode::Transcoder;
use http::Method;
use serde_json::{Map, Value};

/// Stands above the routes in the viewer.
const ABOUT: &str = "Every call needs a token: `./crm token` prints one, and **Authorize** takes it. \
    Each answer of a recorded call carries `x-trace-id`, which the trace viewer's search takes. \
    `x-crm-timeout` (`500ms`, `2s`) says how long you will wait. [Start page](/)";

/// OpenAPI of the routes whose RPC's path `is_routed`.
pub(crate) fn describe(transcoder: &Transcoder, is_routed: impl Fn(&str) -> bool) -> Value {
    let mut document = transcoder.openapi("Bellwether", env!("CARGO_PKG_VERSION"));
    document["info"]["description"] = ABOUT.into();
    if let Some(paths) = document["paths"].as_object_mut() {
        keep_routed(paths, transcoder, is_routed);
    }
    forget_unused_tags(&mut document);
    document
}

fn keep_routed(paths: &mut Map<String, Value>, transcoder: &Transcoder, is_routed: impl Fn(&str) -> bool) {
    for (template, operations) in paths.iter_mut() {
        let path = example_of(template);
        let Some(operations) = operations.as_object_mut() else { continue };
        operations.retain(|method, _| {
            let method = Method::try_from(method.to_uppercase().as_str());
            let found = method.ok().and_then(|method| transcoder.route(&method, &path).ok());
            found.is_some_and(|found| is_routed(&found.rpc.path))
        });
    }
    paths.retain(|_, operations| operations.as_object().is_some_and(|operations| !operations.is_empty()));
}

/// A path that the template matches: `/v1/accounts/x:undelete` for `/v1/accounts/{id}:undelete`.
fn example_of(template: &str) -> String {
    let mut parts = template.split('{');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |path, part| path + "x" + part.split_once('}').map_or("", |(_, rest)| rest))
}

fn forget_unused_tags(document: &mut Value) {
    let operations = document["paths"].as_object().into_iter().flat_map(Map::values).filter_map(Value::as_object);
    let used: Vec<Value> = operations
        .flat_map(Map::values)
        .filter_map(|operation| operation["tags"].as_array())
        .flatten()
        .cloned()
        .collect();
    if let Some(tags) = document["tags"].as_array_mut() {
        tags.retain(|tag| used.contains(&tag["name"]));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(is_routed: fn(&str) -> bool, paths: usize, tags: usize) {
        let transcoder = Transcoder::new(crm_proto::DESCRIPTORS).expect("descriptors");
        let document = describe(&transcoder, is_routed);
        assert_eq!(document["paths"].as_object().map(Map::len), Some(paths));
        assert_eq!(document["tags"].as_array().map(Vec::len), Some(tags));
    }

    #[test]
    fn what_is_not_routed_is_not_described() {
        check(|path| path.starts_with("/crm.customers.v1."), 66, 11);
        check(|path| path.starts_with("/crm.customers.v1.AccountService/"), 10, 1);
        check(|_| false, 0, 0);
    }
}
