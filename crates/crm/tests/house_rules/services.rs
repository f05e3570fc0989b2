//! What knows the services and is no Rust, held against their table: containers, image, documents, API.

use std::collections::BTreeSet;

use crm_resource::peers::Peer;
use crm_resource::{Keeps, Service, Storage};

use crate::files::tracked;
use crate::metadata::read;

#[path = "../../src/services.rs"]
#[allow(dead_code, reason = "the table is for the program; this reads what concerns files")]
pub(crate) mod table;

/// The lines of one entry of a compose file's `services` or `volumes`.
fn entry<'a>(compose: &'a str, name: &str) -> Option<&'a str> {
    let begin = compose.find(&format!("\n  {name}:\n"))? + 1;
    let body = &compose[begin..];
    let next = |at: &usize| body[*at + 1..].starts_with("  ") && !body[*at + 3..].starts_with([' ', '\n']);
    let end = body
        .match_indices('\n')
        .map(|(at, _)| at)
        .skip(1)
        .find(|at| next(at) || !body[at + 1..].starts_with([' ', '\n']));
    Some(end.map_or(body, |end| &body[..end]))
}

/// The block under a name that begins no entry: what entries have in common.
fn block<'a>(compose: &'a str, name: &str) -> Option<&'a str> {
    let begin = compose.find(&format!("\n{name}: &"))?;
    Some(compose[begin..].split("\n\n").next().unwrap_or_default())
}

/// What sets a service's environment: its entry, which then has nothing of what services have in common, or this.
fn environment<'a>(compose: &'a str, name: &str) -> Option<&'a str> {
    entry(compose, name).filter(|own| own.contains("\n    environment:")).or_else(|| block(compose, "x-service"))
}

/// The same; of one that only adds to what services have in common, this.
fn shared_environment<'a>(compose: &'a str, name: &str) -> Option<&'a str> {
    environment(compose, name).filter(|own| !own.contains("<<: *serving\n")).or_else(|| block(compose, "x-service"))
}

/// Where services stand.
#[derive(Clone)]
struct Files {
    compose: String,
    test: String,
    image: String,
    architecture: String,
}

impl Files {
    fn read() -> Self {
        let [compose, test, image, architecture] =
            ["deploy/compose.yaml", "deploy/compose-test", "deploy/docker/Dockerfile", "docs/architecture.md"]
                .map(read);
        Self { compose, test, image, architecture }
    }
}

/// What has to stand where, and the text of that place, if there is one.
type Wanted<'a> = (String, Option<&'a str>, String);

/// What of a service is missing where it has to stand.
fn missing(service: &Service, files: &Files) -> Vec<String> {
    let (name, compose) = (service.name, files.compose.as_str());
    let (own, gateway) = (entry(compose, name), entry(compose, "gateway"));
    let mut wanted = vec![
        (format!("its own entry of compose.yaml, {name}"), own, format!("command: [serve, {name}]")),
        ("the gateway's routes in compose.yaml".to_owned(), gateway, format!("{}=dns:{name}:", service.package)),
        ("what the gateway waits for in compose.yaml".to_owned(), gateway, format!("\n      {name}: {{")),
        ("the crates in architecture.md".to_owned(), Some(&files.architecture), format!("`{name}`")),
    ];
    wanted.extend(service.asks.iter().map(|peer| {
        let address = format!(" {}: dns:{}:", peer.addresses_setting, peer.name);
        (format!("the environment of {name} in compose.yaml"), environment(compose, name), address)
    }));
    if let Some(store) = service.storage() {
        wanted.extend(wanted_for_store(name, store, files));
    }
    let lacks = |(place, text, what): Wanted<'_>| {
        (!text.is_some_and(|text| text.contains(&what))).then(|| format!("{place}: `{}`", what.trim()))
    };
    wanted.into_iter().filter_map(lacks).collect()
}

fn wanted_for_store<'a>(name: &str, store: &Storage, files: &'a Files) -> Vec<Wanted<'a>> {
    let compose = files.compose.as_str();
    let mut wanted: Vec<Wanted<'a>> = Vec::new();
    for setting in [
        format!("{}: postgres://{}@postgres/crm", store.url_setting, store.role),
        format!("{}: /secrets/{name}/password", store.password_file_setting),
    ] {
        wanted.push(("the databases of compose.yaml".to_owned(), Some(compose), format!("\n  {setting}\n")));
    }
    wanted.push((
        format!("the environment of {name} in compose.yaml"),
        shared_environment(compose, name),
        "*databases".to_owned(),
    ));
    // Who follows works without a caller.
    if !store.follows.is_empty() {
        let key = [
            "CRM_SERVICE_TOKEN_PRIVATE_KEY_FILE: /secrets/service-signing/",
            "service-signing:/secrets/service-signing:ro",
        ];
        wanted.extend(key.map(|what| (format!("{name} in compose.yaml"), entry(compose, name), what.to_owned())));
    }
    for (reader, through) in
        [("keys", "*databases"), ("migrate", "*databases"), (name, "*service"), ("crm", "*databases")]
    {
        let at = format!("{reader} in compose.yaml");
        wanted.push((at.clone(), entry(compose, reader), format!("<<: {through}\n")));
        wanted.push((at, entry(compose, reader), format!("{name}:/secrets/{name}")));
    }
    let volumes = compose.find("\nvolumes:\n").map(|at| &compose[at..]);
    wanted.push(("the volumes of compose.yaml".to_owned(), volumes, format!("\n  {name}:\n")));
    wanted.push(("the image's folders".to_owned(), Some(&files.image), format!(" /out/secrets/{name} ")));
    let created = store.resources.first().map(|resource| format!("create {} ", resource.kind.plural));
    wanted.extend(created.map(|create| ("compose-test".to_owned(), Some(files.test.as_str()), create)));
    wanted
}

#[test]
fn every_service_stands_in_containers_image_and_documents() {
    let files = Files::read();
    for service in table::ALL {
        assert_eq!(missing(service, &files), [""; 0], "{}", service.name);
    }
}

/// The rule itself: it finds whatever is left out.
#[test]
fn a_service_that_is_left_out_anywhere_is_found() {
    let (files, service) = (Files::read(), table::ALL[0]);
    for (what, least) in [
        ("serve, customers", 1),
        ("crm.customers.v1=", 1),
        ("/secrets/customers", 5),
        ("crm_customers@postgres", 1),
        ("<<: *", 4),
        (", *databases]", 1),
    ] {
        assert!(files.compose.contains(what), "{what}");
        let found = missing(service, &Files { compose: files.compose.replace(what, "else"), ..files.clone() });
        assert!(found.len() >= least, "{what}: {found:?}");
    }
    let nothing =
        Files { compose: String::new(), test: String::new(), image: String::new(), architecture: String::new() };
    assert_eq!(missing(service, &nothing).len(), 18);
    let image = files.image.replace("/out/secrets/customers", "");
    assert_eq!(missing(service, &Files { image, ..files.clone() }).len(), 1);
    let test = files.test.replace("create accounts ", "");
    assert_eq!(missing(service, &Files { test, ..files }).len(), 1);
}

/// Whom a service asks it must be told where to find. This one is made up.
#[test]
fn a_service_that_is_not_told_where_those_are_whom_it_asks_is_found() {
    const CUSTOMERS: Peer = Peer { name: "customers", addresses_setting: "CRM_CUSTOMERS_ADDRESSES" };
    let service = Service {
        name: "asking",
        package: "crm.asking.v1",
        keeps: Keeps::Nothing(|_peers, services| services),
        asks: &[CUSTOMERS],
        refusals: &[],
    };
    let mut files = Files::read();
    files.architecture.push_str("`asking`");
    let gateway = "\n  gateway:\n    crm.asking.v1=dns:asking:1\n      asking: {condition: service_started}\n";
    let own = "\n  asking:\n    command: [serve, asking]\n    environment:\n";
    let told = |line: &str| Files { compose: format!("services:{own}{line}{gateway}"), ..files.clone() };
    assert_eq!(missing(&service, &told("      CRM_CUSTOMERS_ADDRESSES: dns:customers:50051\n")), [""; 0]);
    let lacks = ["the environment of asking in compose.yaml: `CRM_CUSTOMERS_ADDRESSES: dns:customers:`"];
    for line in ["", "      CRM_CUSTOMERS_ADDRESSES: dns:sales:50051\n", "      CRM_SALES_ADDRESSES: dns:customers:1\n"]
    {
        assert_eq!(missing(&service, &told(line)), lacks, "{line}");
    }
}

/// Whoever could check the tokens of services could be called by one; whoever could sign them would be one.
#[test]
fn the_gateway_is_handed_no_key_of_services() {
    let compose = read("deploy/compose.yaml");
    let handed = |name: &str| entry(&compose, name).map(|text| text.contains("service-"));
    assert_eq!(
        ["gateway", "console", "trace-viewer", "crm", "customers"].map(handed),
        [false, false, false, false, true].map(Some)
    );
}

/// Each package with a service in `proto/` is somebody's, and each service has one.
#[test]
fn every_package_of_the_api_is_a_service_s() {
    let protos = tracked(".proto").into_iter().filter(|file| file.starts_with("proto/crm/"));
    let texts: Vec<String> = protos.map(|file| read(&file)).filter(|text| text.contains("\nservice ")).collect();
    let packages: BTreeSet<&str> =
        texts.iter().filter_map(|text| text.split("\npackage ").nth(1)?.split(';').next()).collect();
    // What every process answers is nobody's own.
    let known: BTreeSet<&str> = table::ALL.iter().map(|service| service.package).chain(["crm.server.v1"]).collect();
    assert_eq!(packages, known);
}
