//! `docs/settings.md` lists every setting of every process, and no other; OpenTelemetry's stand in `docs/telemetry.md`.

use std::collections::BTreeSet;

use crate::files::tracked;
use crate::metadata::read;
use crate::services::table;

#[path = "../../src/settings/known.rs"]
mod known;

type Names = BTreeSet<String>;

/// The words of `text` that begin with `prefix` and go on in capitals.
fn names(text: &str, prefix: &str) -> Names {
    let is_part = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_';
    let words = text.split(|c: char| !is_part(c)).filter(|word| word.starts_with(prefix));
    words.filter(|word| word.len() > prefix.len() && !word.ends_with('_')).map(str::to_owned).collect()
}

/// What the code below these folders names in quotes, its tests apart.
fn named_in(folders: &[&str], prefix: &str) -> Names {
    // One lists what all others read.
    let is_list = |file: &String| ["/tests.rs", "/settings/known.rs"].iter().any(|end| file.ends_with(end));
    let is_code = |file: &String| folders.iter().any(|folder| file.starts_with(folder)) && !is_list(file);
    let files = tracked(".rs").into_iter().filter(is_code);
    let code =
        files.map(|file| read(&file)).map(|text| text.split("#[cfg(test)]").next().unwrap_or_default().to_owned());
    let is_name = |word: &&str| word.starts_with(prefix) && names(word, prefix).contains(*word);
    code.flat_map(|code| code.split('"').filter(is_name).map(str::to_owned).collect::<Names>()).collect()
}

/// What the table below this heading lists.
fn listed(document: &str, heading: &str) -> Names {
    let section = document.split("\n## ").find(|section| section.starts_with(&format!("{heading}\n")));
    let rows = section.unwrap_or_default().lines().filter(|line| line.starts_with("| `"));
    rows.flat_map(|row| names(row.split(" | ").next().unwrap_or_default(), "CRM_")).collect()
}

#[test]
fn every_setting_of_every_process_is_listed() {
    let document = read("docs/settings.md");
    let of = |heading: &str| listed(&document, heading);
    let code = |folders: &[&str]| named_in(folders, "CRM_");
    let shared = of("Gateway and services");
    let without = |names: Names, others: &Names| names.difference(others).cloned().collect::<Names>();

    assert_eq!(shared, code(&["crates/server/src/", "crates/telemetry/src/"]));
    assert_eq!(of("Gateway"), without(code(&["crates/gateway/src/"]), &shared));
    assert_eq!(of("Live room"), code(&["crates/console/src/"]));
    assert_eq!(of("Trace viewer"), code(&["crates/trace-viewer/src/"]));

    let own: Names = table::storages()
        .flat_map(|(_, store)| [store.url_setting, store.password_file_setting])
        .map(str::to_owned)
        .collect();
    let folders: Vec<String> = table::ALL.iter().map(|service| format!("crates/{}/src/", service.name)).collect();
    let folders: Vec<&str> = folders.iter().map(String::as_str).chain(["crates/resource/src/"]).collect();
    assert_eq!(of("Services"), code(&folders).union(&own).cloned().collect());

    // The commands name others' settings, too: of the processes that they start.
    let processes = ["Gateway and services", "Gateway", "Services", "Live room", "Trace viewer"];
    let others: Names = processes.iter().flat_map(|heading| of(heading)).collect();
    assert_eq!(of("Command line"), without(without(code(&["crates/crm/src/"]), &others), &hidden()));

    let compose = read("deploy/compose.yaml");
    let ports = compose.split("${").skip(1).filter_map(|text| text.split(['}', ':']).next());
    assert_eq!(of("Containers"), without(ports.map(str::to_owned).collect(), &shared));
    let tests =
        without(code(&["crates/sandbox/src/", "crates/crm/tests/platform/", "crates/customers/tests/"]), &others);
    assert_eq!(of("Tests"), without(without(tests, &of("Command line")), &hidden()));
}

/// By which misspelt ones are found out.
#[test]
fn the_program_knows_every_setting_and_no_other() {
    let document = read("docs/settings.md");
    let rows = document.lines().filter(|line| line.starts_with("| `"));
    let listed: Names = rows.flat_map(|row| names(row.split(" | ").next().unwrap_or_default(), "CRM_")).collect();
    let known: Names = known::KNOWN.iter().map(|name| (*name).to_owned()).collect();
    assert_eq!(known, listed, "crates/crm/src/settings/known.rs");
}

/// What a process says to itself, and nobody sets.
fn hidden() -> Names {
    ["CRM_UP_IN_BACKGROUND", "CRM_SANDBOX_TOY"].map(str::to_owned).into()
}

/// Several of one beginning are listed as one, so that it is their ends that must be there.
#[test]
fn every_variable_of_opentelemetry_that_is_followed_is_listed() {
    let document = read("docs/telemetry.md");
    for name in named_in(&["crates/telemetry/src/"], "OTEL_") {
        let general = name.replace("_OTLP_TRACES_", "_OTLP_");
        let ends = general.match_indices('_').map(|(at, _)| format!("`…{}`", &general[at..]));
        let is_listed = [format!("`{general}`")].into_iter().chain(ends).any(|written| document.contains(&written));
        let is_told = [
            "OTEL_CONFIG_FILE",
            "OTEL_LOG_LEVEL",
            "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT",
            "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
        ];
        assert!(is_listed || is_told.contains(&general.as_str()), "docs/telemetry.md does not list {name}");
    }
}
