//! The API's description is true: programs that know nothing but it can use the API, and cannot catch it out.
//!
//! These programs are not ours. `deploy/ensure api-clients` installs them; where they cannot be had, a person is told
//! what is left out, and CI fails.

use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use ::http::{Method, StatusCode};
use crm_transcode::Transcoder;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::http::Answer;
use crate::samples::{Given, another, fields, filtered_by, sample, tagged, updates};
use crate::support::{Joined, json, text};

fn here(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/joined/described").join(name)
}

/// A program in `target/tools`, or none on a machine that could not get it.
fn tool(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/tools/bin").join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(std::env::var_os("CI").is_none(), "{name} is missing: deploy/ensure api-clients");
    eprintln!("left out: what {name} says of the API. deploy/ensure api-clients installs it.");
    None
}

pub(crate) fn succeed(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    let said = [&output.stdout, &output.stderr].map(|said| String::from_utf8_lossy(said).into_owned()).join("\n");
    assert!(output.status.success(), "{said}");
    output
}

/// Gone when dropped.
struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A folder with the document that this gateway serves.
async fn document(joined: &Joined) -> (Folder, PathBuf) {
    let folder = Folder(std::env::temp_dir().join(format!("crm-described-{}", Uuid::new_v4())));
    std::fs::create_dir(&folder.0).unwrap();
    let answer = joined.call(Method::GET, "/openapi.json", &[], Value::Null).await;
    let path = folder.0.join("openapi.json");
    std::fs::write(&path, &answer.body).unwrap();
    (folder, path)
}

pub(crate) async fn in_background(run: impl FnOnce() + Send + 'static) {
    tokio::task::spawn_blocking(run).await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_document_is_one_of_openapi_and_the_api_does_as_it_says() {
    let joined = Joined::start().await;
    let (folder, document) = document(&joined).await;
    if let Some(validator) = tool("openapi-spec-validator") {
        succeed(Command::new(validator).arg(&document));
    }
    let Some(schemathesis) = tool("schemathesis") else { return };
    let account = create(&joined, "accounts", &json!({"name": "Given"})).await;
    let account = json(&account)["id"].as_str().unwrap().to_owned();
    let (url, token) = (joined.url(), joined.token());
    in_background(move || {
        let mut command = Command::new(schemathesis);
        command.current_dir(&folder.0).arg("--config-file").arg(here("schemathesis.toml"));
        command.arg("run").arg(&document).args(["--url", &url, "--no-color"]);
        // What merges or erases refuses most of what a schema lets in: two records, one of them for once.
        // Accounts and contacts have fields of every kind; each path more is seconds. The limits of all fields and queries
        // are tried below. A watch has no end, and a draft may lack what a creation must have.
        let others =
            "^/v1/(products|salesTeams|salesSettings|pipelines|exchangeRates|targets|forecast|opportunities|figures|activities|attributeDefinitions|savedViews|tags|changes|imports|operations|customers:)|:(findDuplicates|merge|unmerge|erase)$";
        command.args(["--exclude-path-regex", others]);
        let command = command.env("CRM_ACCOUNT", account).env("CRM_TOKEN", token);
        succeed(command.env("SCHEMATHESIS_HOOKS", here("hooks.py")).env("PYTHONDONTWRITEBYTECODE", "1"));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_client_made_from_the_document_creates_lists_pages_changes_and_exports() {
    let joined = Joined::start().await;
    let (folder, document) = document(&joined).await;
    let (Some(generator), Some(python)) = (tool("openapi-python-client"), tool("python")) else { return };
    let (url, token) = (joined.url(), joined.token());
    in_background(move || {
        let made = folder.0.join("client");
        let mut generate = Command::new(generator);
        generate.arg("generate").arg("--path").arg(&document).args(["--meta", "none", "--output-path"]).arg(made);
        succeed(&mut generate);
        let mut program = Command::new(python);
        program.arg(here("use_client.py")).env("PYTHONPATH", &folder.0);
        succeed(program.env("CRM_URL", url).env("CRM_TOKEN", token));
    })
    .await;
}

/// Each collection, by its path, and a body that creates one of it; with another name, if it is a tag, as often as it is sent.
async fn collections(joined: &Joined) -> Vec<(String, Value)> {
    let given = Given::make(joined, "acme").await;
    let mut collections = Vec::new();
    for (path, _) in updates() {
        let body = tagged(joined, "acme", &path, another(&sample(&path, &given))).await;
        collections.push((path, body));
    }
    collections
}

async fn create(joined: &Joined, collection: &str, body: &Value) -> Answer {
    let path = format!("/v1/{collection}?requestId={}", Uuid::new_v4());
    joined.call(Method::POST, &path, &[], body.clone()).await
}

/// A text of so many characters that fits a pattern, if the pattern says nothing else.
fn long(length: u64) -> Value {
    "x".repeat(usize::try_from(length).unwrap()).into()
}

/// Values of one field at its limits, and beyond them; of a field whose limits are a form, its examples.
fn at_and_beyond(field: &Value) -> (Vec<Value>, Vec<Value>) {
    let (mut at, mut beyond) = (Vec::new(), Vec::new());
    let pattern = field["pattern"].as_str().unwrap_or_default();
    // Of texts with a form, none is made here that has it.
    let (is_text, is_of_lines) = (pattern.starts_with(r"^[^\u"), pattern.starts_with(r"^([^\u"));
    if let (Some(most), true) = (field["maxLength"].as_u64(), is_text) {
        at.push(long(most));
        beyond.push(long(most + 1));
        beyond.extend([json!("a\nb"), json!("\u{0}")]);
    }
    if let (Some(most), true) = (field["maxLength"].as_u64(), is_of_lines) {
        at.extend([long(most), json!("a\r\n\tb")]);
        beyond.extend([long(most + 1), json!("\u{0}"), json!("a\u{2028}b")]);
    }
    if let (Some(least), Some(most)) = (field["minimum"].as_i64(), field["maximum"].as_i64()) {
        at.extend([json!(least), json!(most)]);
        beyond.extend([json!(least - 1), json!(most + 1)]);
    }
    if let Some(most) = field["maxItems"].as_u64() {
        beyond.push(vec![field["examples"][0][0].clone(); usize::try_from(most).unwrap() + 1].into());
        beyond.push(json!([""]));
    }
    if field["minLength"].as_u64() == Some(1) {
        beyond.extend([json!(""), json!(" "), Value::Null]);
    }
    if !pattern.is_empty() && !is_text && !is_of_lines {
        beyond.push(json!("not of this form"));
    }
    if let Some(digits) = pattern.strip_prefix("^[0-9]{1,").and_then(|rest| rest.strip_suffix("}$")) {
        let digits = digits.parse().unwrap();
        at.push("9".repeat(digits).into());
        beyond.extend([json!("9".repeat(digits + 1)), json!("-1")]);
    }
    at.extend(field["examples"].as_array().into_iter().flatten().cloned());
    if field["type"].as_array().is_some_and(|types| types.contains(&json!("null"))) {
        at.push(Value::Null);
    }
    (at, beyond)
}

/// What the document says of a field, the service does: what it calls right is taken, what it calls wrong refused.
#[tokio::test]
async fn the_limits_in_the_document_are_those_of_the_service() {
    let joined = Joined::start().await;
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    let mut tried = 0;
    for (path, base) in collections(&joined).await {
        let collection = path.trim_start_matches("/v1/");
        for (name, field) in fields(&document, &document["paths"][&path]["post"]) {
            let (mut at, beyond) = at_and_beyond(&field);
            // The message is that of all services, and its example one of customers.
            at.retain(|value| (collection, name.as_str()) != ("activities/sales", "parentResource") || value.is_null());
            // Whose target it is has to be said, by this field or by another one.
            at.retain(|value| !(value.is_null() && collection == "targets" && name == "owner"));
            for (value, expected) in at
                .iter()
                .map(|value| (value, StatusCode::OK))
                .chain(beyond.iter().map(|one| (one, StatusCode::BAD_REQUEST)))
            {
                let mut body = another(&base);
                body[&name] = value.clone();
                let answer = create(&joined, collection, &body).await;
                assert_eq!(answer.status, expected, "{collection}: {name} = {value}: {}", text(&answer));
                tried += 1;
            }
        }
    }
    assert!(tried > 60, "{tried}");
}

/// Of the currency with the most decimals.
#[tokio::test]
async fn the_limits_of_money_are_those_of_the_service() {
    let joined = Joined::start().await;
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    let parts = document["components"]["schemas"]["Money.Input"]["properties"].as_object().unwrap();
    assert_eq!(parts.keys().collect::<Vec<_>>(), ["currencyCode", "nanos", "units"]);
    for (name, part) in parts {
        let (mut at, beyond) = at_and_beyond(part);
        // Whole minor units, which no schema says.
        at.retain(|value| value != 999_999_999);
        let at = at.iter().map(|value| (value, StatusCode::OK));
        for (value, expected) in at.chain(beyond.iter().map(|value| (value, StatusCode::BAD_REQUEST))) {
            let mut money = json!({"currencyCode": "UYW", "units": "1", "nanos": 0});
            money[name] = value.clone();
            let answer = create(&joined, "accounts", &json!({"name": "Acme", "annualRevenue": money})).await;
            assert_eq!(answer.status, expected, "{money}: {}", text(&answer));
        }
    }
}

/// Queries with one parameter at its limits, and beyond them; `known` is the id of something that is there.
fn queries(path: &str, parameter: &Value, known: &str) -> (Vec<String>, Vec<String>) {
    let (name, schema) = (parameter["name"].as_str().unwrap(), &parameter["schema"]);
    let item = schema["items"]["enum"][0].as_str().unwrap_or(known);
    let list = |count: u64| vec![format!("{name}={item}"); usize::try_from(count).unwrap()].join("&");
    if let Some(most) = schema["maxItems"].as_u64() {
        let (none, beyond) = (String::new(), vec![list(most + 1), format!("{name}=x")]);
        let is_required = parameter["required"] == true;
        return if is_required {
            (vec![list(1)], [beyond, vec![none]].concat())
        } else {
            (vec![list(1), none], beyond)
        };
    }
    let long = |length: u64| "x".repeat(usize::try_from(length).unwrap());
    let (at, beyond): (Vec<String>, Vec<String>) = match (name, schema["type"].as_str()) {
        // A token comes from an answer.
        ("pageToken" | "cursor", _) => (vec![String::new()], vec![long(schema["maxLength"].as_u64().unwrap() + 1)]),
        // Counted by characters, of which some have two bytes; all of them would not fit a request's head.
        ("filter", _) => {
            let most = schema["maxLength"].as_u64().unwrap();
            let begin = format!("{} = \"{}", filtered_by(path), "é".repeat(1500));
            let filter = |length: u64| format!("{begin}{}\"", long(length - 1 - begin.chars().count() as u64));
            (vec![filter(most)], vec![filter(most + 1)])
        }
        // One of an enumeration that stands elsewhere in the document.
        ("phase", _) => (vec!["PHASE_CHECK".to_owned(), "PHASE_UNDO".to_owned()], vec!["x".to_owned()]),
        ("group", _) => (vec!["GROUP_OWNER".to_owned(), "GROUP_SALES_TEAM".to_owned()], vec!["x".to_owned()]),
        ("owner", _) => {
            let most = schema["maxLength"].as_u64().unwrap();
            (vec!["ada".to_owned(), long(most)], vec![long(most + 1)])
        }
        ("fromMonth", _) => (vec!["2026-01".to_owned()], vec!["2026-13".to_owned(), "2026-01-01".to_owned()]),
        ("toMonth", _) => (vec![String::new()], vec!["2026-13".to_owned(), "2026-01-01".to_owned()]),
        ("currencyCode", _) => (vec![String::new(), "EUR".to_owned()], vec!["eur".to_owned()]),
        // How long to wait, which is a form and no limit.
        ("timeout", _) => (vec!["0s".to_owned(), "0.5s".to_owned()], vec!["x".to_owned(), "-1s".to_owned()]),
        ("query", _) => {
            let most = schema["maxLength"].as_u64().unwrap();
            (vec!["x".to_owned(), long(most)], vec![long(most + 1), String::new(), " ".to_owned(), "a\nb".to_owned()])
        }
        (_, Some("boolean")) => (vec!["true".to_owned(), "false".to_owned()], vec!["yes".to_owned()]),
        (_, Some("integer")) => {
            let (at, beyond) = at_and_beyond(schema);
            [at, beyond].map(|all| all.iter().map(Value::to_string).collect()).into()
        }
        _ => {
            let values = schema["enum"].as_array().unwrap_or_else(|| panic!("{name} is of a kind that is not tried"));
            (values.iter().map(|value| value.as_str().unwrap().to_owned()).collect(), vec!["x".to_owned()])
        }
    };
    let percent = |text: String| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    [at, beyond].map(|all| all.into_iter().map(|text| format!("{name}={}", percent(text))).collect()).into()
}

#[tokio::test]
async fn the_limits_of_queries_are_those_of_the_service() {
    let joined = Joined::start().await;
    let mut known = Vec::new();
    for (path, body) in collections(&joined).await {
        let created = create(&joined, path.trim_start_matches("/v1/"), &body).await;
        known.push((path, json(&created)["id"].clone()));
    }
    let request = Uuid::new_v4();
    let asked = json!({"filter": "owner = \"ada\"", "owner": "eve", "requestId": request});
    let operation = joined.json(Method::POST, "/v1/accounts:reassign", asked).await;
    known.push(("/v1/operations/customers".to_owned(), operation["id"].clone()));
    let import = json!({"resource": "contacts", "fileName": "mine.csv", "requestId": request});
    let import = joined.json(Method::POST, "/v1/imports/customers", import).await;
    known.push(("/v1/imports/customers".to_owned(), import["id"].clone()));
    let (definitions, id) = known.iter().find(|(path, _)| path == "/v1/attributeDefinitions/sales").unwrap();
    let filling = format!("{definitions}/{}:makeFilterable", id.as_str().unwrap());
    let operation = joined.json(Method::POST, &filling, json!({"requestId": request})).await;
    known.push(("/v1/operations/sales".to_owned(), operation["id"].clone()));
    known.push(("/v1/changes/customers".to_owned(), json!("contacts")));
    known.push(("/v1/changes/sales".to_owned(), json!("products")));
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    let mut tried = 0;
    // A watch has no end, and is asked as the list beside it.
    let paths = document["paths"].as_object().unwrap().iter().filter(|(path, _)| !path.ends_with(":watch"));
    for (path, methods) in paths {
        let parameters = methods["get"]["parameters"].as_array().into_iter().flatten();
        for parameter in parameters.filter(|parameter| parameter["in"] == "query") {
            // What is none of a collection's names none of its records.
            let known = known.iter().find(|(collection, _)| path.starts_with(collection.as_str()));
            let known = known.map_or("", |(_, id)| id.as_str().unwrap());
            let mut path = path.replace("{id}", known);
            let (at, beyond) = queries(&path, parameter, known);
            path += if path.ends_with(":search") && parameter["name"] != "query" { "?query=x&" } else { "?" };
            let at = at.iter().map(|query| (query, StatusCode::OK));
            for (query, expected) in at.chain(beyond.iter().map(|query| (query, StatusCode::BAD_REQUEST))) {
                let answer = joined.call(Method::GET, &format!("{path}{query}"), &[], Value::Null).await;
                assert_eq!(answer.status, expected, "{path}{query:.200}: {}", text(&answer));
                tried += 1;
            }
        }
    }
    assert!(tried > 40, "{tried}");
}

/// "Execute" in the viewer sends the example as it stands.
#[tokio::test]
async fn examples_are_accepted_unchanged() {
    let joined = Joined::start().await;
    let document = Transcoder::new(crm_proto::DESCRIPTORS).unwrap().openapi("", "");
    let of = |path: &str, method: &str| {
        let operation = &document["paths"][path][method];
        operation["requestBody"]["content"]["application/json"]["example"].clone()
    };
    let parameter = &document["paths"]["/v1/accounts"]["post"]["parameters"][0];
    let path = format!("/v1/accounts?requestId={}", parameter["example"].as_str().unwrap());
    let account = joined.json(Method::POST, &path, of("/v1/accounts", "post")).await;
    assert_eq!(joined.json(Method::POST, &path, of("/v1/accounts", "post")).await, account);
    let mut contact = of("/v1/contacts", "post");
    contact["accountId"] = account["id"].clone();
    let contact = json(&create(&joined, "contacts", &contact).await);
    for (collection, id) in [("contacts", &contact["id"]), ("accounts", &account["id"])] {
        let path = format!("/v1/{collection}/{}", id.as_str().unwrap());
        joined.json(Method::PATCH, &path, of(&format!("/v1/{collection}/{{id}}"), "patch")).await;
        joined.json(Method::DELETE, &path, Value::Null).await;
        let example = of(&format!("/v1/{collection}/{{id}}:undelete"), "post");
        joined.json(Method::POST, &format!("{path}:undelete"), example).await;
        // No account with contacts can be deleted.
        joined.json(Method::DELETE, &path, Value::Null).await;
    }
}
