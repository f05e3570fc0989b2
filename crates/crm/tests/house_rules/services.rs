//! What knows the services and is no Rust, held against their table: containers, image, documents, API.

use std::collections::BTreeSet;

use crm_resource::Service;

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

/// What of a service is missing where it has to stand.
fn missing(service: &Service, compose: &str, image: &str, architecture: &str) -> Vec<String> {
    let name = service.name;
    let mut wanted = vec![
        (format!("its own entry of compose.yaml, {name}"), entry(compose, name), format!("command: [serve, {name}]")),
        (
            "the gateway's routes in compose.yaml".to_owned(),
            entry(compose, "gateway"),
            format!("{}=dns:{name}:", service.package),
        ),
        (
            "what the gateway waits for in compose.yaml".to_owned(),
            entry(compose, "gateway"),
            format!("\n      {name}: {{"),
        ),
        ("the crates in architecture.md".to_owned(), Some(architecture), format!("`{name}`")),
    ];
    if let Some(store) = service.stored() {
        for setting in [
            format!("{}: postgres://{}@postgres/crm", store.url_setting, store.role),
            format!("{}: /secrets/{name}/password", store.password_file_setting),
        ] {
            wanted.push(("the databases of compose.yaml".to_owned(), Some(compose), format!("\n  {setting}\n")));
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
        wanted.push(("the image's folders".to_owned(), Some(image), format!(" /out/secrets/{name} ")));
    }
    let lacks = |(place, text, what): (String, Option<&str>, String)| {
        (!text.is_some_and(|text| text.contains(&what))).then(|| format!("{place}: `{}`", what.trim()))
    };
    wanted.into_iter().filter_map(lacks).collect()
}

#[test]
fn every_service_stands_in_containers_image_and_documents() {
    let (compose, image) = (read("deploy/compose.yaml"), read("deploy/docker/Dockerfile"));
    let architecture = read("docs/architecture.md");
    for service in table::ALL {
        assert_eq!(missing(service, &compose, &image, &architecture), [""; 0], "{}", service.name);
    }
}

/// The rule itself: it finds whatever is left out.
#[test]
fn a_service_that_is_left_out_anywhere_is_found() {
    let (compose, image) = (read("deploy/compose.yaml"), read("deploy/docker/Dockerfile"));
    let architecture = read("docs/architecture.md");
    let service = table::ALL[0];
    for (what, least) in [
        ("serve, customers", 1),
        ("crm.customers.v1=", 1),
        ("/secrets/customers", 5),
        ("crm_customers@postgres", 1),
        ("<<: *", 4),
    ] {
        let found = missing(service, &compose.replace(what, "else"), &image, &architecture);
        assert!(found.len() >= least, "{what}: {found:?}");
    }
    assert_eq!(missing(service, "", "", "").len(), 16);
    assert_eq!(missing(service, &compose, &image.replace("/out/secrets/customers", ""), &architecture).len(), 1);
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
