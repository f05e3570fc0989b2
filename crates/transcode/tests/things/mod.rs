//! A transcoder of the test-only API in `tests/proto`, compiled here.

#![allow(dead_code, reason = "each test file uses its own part")]
#![allow(clippy::panic, clippy::needless_pass_by_value, reason = "tests fail so, and read so")]

use std::path::Path;
use std::sync::LazyLock;

use crm_transcode::{RequestError, Transcoder};
use http::{HeaderMap, Method};
use serde_json::Value;

/// Descriptor set of one file, given as text, that may import `google/api`.
pub(crate) fn compile(folder: &Path, file: &str) -> Vec<u8> {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto");
    let mut compiler = protox::Compiler::new([folder, &ours]).unwrap();
    compiler.include_imports(true).include_source_info(true).open_file(file).unwrap();
    compiler.encode_file_descriptor_set()
}

pub(crate) fn transcoder() -> Transcoder {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/proto");
    Transcoder::new(&compile(&folder, "things/v1/things.proto")).unwrap()
}

/// Compiled once: most of these tests ask it many times.
pub(crate) static THINGS: LazyLock<Transcoder> = LazyLock::new(transcoder);

pub(crate) fn accepts(method: Method, uri: &str, body: &str, expected: Value) {
    let read =
        read(&THINGS, &method, uri, &HeaderMap::new(), body).unwrap_or_else(|error| panic!("{method} {uri}: {error}"));
    assert!(contains(&read, &expected), "{method} {uri}: {read} lacks {expected}");
}

pub(crate) fn refuses(method: Method, uri: &str, body: &str, expected: &[(&str, &str)]) {
    let error = read(&THINGS, &method, uri, &HeaderMap::new(), body).unwrap_err();
    let found: Vec<_> = error.violations.iter().map(|one| (one.field.as_str(), one.reason)).collect();
    assert_eq!(found, expected, "{method} {uri}: {error}");
}

/// What a request becomes, as JSON of its message.
pub(crate) fn read(
    transcoder: &Transcoder,
    method: &Method,
    uri: &str,
    headers: &HeaderMap,
    body: &str,
) -> Result<Value, RequestError> {
    let (path, query) = uri.split_once('?').map_or((uri, None), |(path, query)| (path, Some(query)));
    let found = transcoder.route(method, path).unwrap();
    let message = transcoder.request(&found, query, headers, body.as_bytes())?.messages.remove(0);
    let json = transcoder.message_to_json(found.rpc.request_type(), &message).unwrap();
    Ok(serde_json::from_slice(&json).unwrap())
}

/// Whether all of `part` is in `whole`; lists must be equal.
pub(crate) fn contains(whole: &Value, part: &Value) -> bool {
    match (whole, part) {
        (Value::Object(whole), Value::Object(part)) => {
            part.iter().all(|(key, part)| whole.get(key).is_some_and(|whole| contains(whole, part)))
        }
        _ => whole == part,
    }
}
