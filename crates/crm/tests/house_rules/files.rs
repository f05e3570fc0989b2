//! Where code may stand, and how long a file may be.

use std::path::Path;
use std::process::Command;

use crate::metadata::{read, root};
use crate::services::table;

/// A file past this has a seam that was not found yet.
const LONGEST_FILE: usize = 400;

/// Tracked files that end so.
pub(crate) fn tracked(ending: &str) -> Vec<String> {
    let output =
        Command::new("git").args(["ls-files", "-co", "--exclude-standard"]).current_dir(root()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().filter(|file| file.ends_with(ending) && root().join(file).exists()).map(str::to_owned).collect()
}

/// Lines before the tests at a file's end. What tests need beside them, in the middle of a file, counts as code.
fn code_lines(text: &str) -> usize {
    let lines: Vec<&str> = text.lines().collect();
    let begins = |at: usize| {
        let mut after = lines[at + 1..].iter().skip_while(|line| line.starts_with("#["));
        lines[at] == "#[cfg(test)]" && after.next().is_some_and(|line| line.contains("mod ") && line.ends_with('{'))
    };
    (0..lines.len()).find(|at| begins(*at)).unwrap_or(lines.len())
}

#[test]
fn lines_are_counted_up_to_the_tests_and_no_other_test_code() {
    for (text, lines) in [
        ("a\nb\n#[cfg(test)]\nmod tests {\n}\n", 2),
        ("a\n#[cfg(test)]\n#[allow(x)]\npub(crate) mod tests {\n}\n", 1),
        ("a\n#[cfg(test)]\nimpl A {\n}\nb\n", 5),
        ("a\n#[cfg(test)]\nmod tests;\nb\n", 4),
    ] {
        assert_eq!(code_lines(text), lines, "{text}");
    }
}

#[test]
fn no_source_file_is_too_long() {
    // What a program writes has no seam to be found.
    let by_hand = tracked(".rs").into_iter().filter(|file| !file.contains("/tests/golden/"));
    let long: Vec<_> = by_hand.filter(|file| code_lines(&read(file)) > LONGEST_FILE).collect();
    assert!(long.is_empty(), "over {LONGEST_FILE} lines: {long:?}");
}

#[test]
fn sql_stands_where_records_are_kept() {
    let services = table::storages().map(|(service, _)| format!("crates/{}/src/", service.name));
    // The lab fills scratch databases of its own, and looks at them.
    let lab = ["journal", "customers", "scratch"].map(|part| format!("crates/lab/src/{part}/"));
    let places = ["crates/database/", "crates/sandbox/", "crates/resource/", "/tests/"].map(str::to_owned);
    let places: Vec<String> = places.into_iter().chain(lab).chain(services).collect();
    let may = |file: &str| places.iter().any(|place| file.contains(place));
    for file in tracked(".rs").into_iter().filter(|file| !may(file)) {
        assert!(!read(&file).contains("sqlx::query"), "{file} holds SQL");
    }
}

#[test]
fn no_file_names_a_private_place() {
    for ending in [".rs", ".md", ".toml", ".yaml", ".proto", ".sql", "Makefile", "Dockerfile"] {
        for file in tracked(ending).into_iter().filter(|file| !file.ends_with("house_rules/files.rs")) {
            for place in ["/work/", "/root/", "/home/"] {
                assert!(!read(&file).contains(place), "{file} names {place}");
            }
        }
    }
}

#[test]
fn every_decision_stands_in_the_index() {
    let index = read("docs/adr/README.md");
    for file in tracked(".md").into_iter().filter(|file| file.starts_with("docs/adr/0")) {
        let name = file.trim_start_matches("docs/adr/");
        assert!(index.contains(&format!("({name})")), "docs/adr/README.md lacks {name}");
    }
}

#[test]
fn every_crate_tells_its_purpose() {
    for manifest in tracked("Cargo.toml").into_iter().filter(|file| file.matches('/').count() == 2) {
        let readme = Path::new(&manifest).with_file_name("README.md");
        assert!(root().join(&readme).exists(), "{} is missing", readme.display());
    }
}
