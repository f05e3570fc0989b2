//! `deny.toml` holds for what is in the build.

use toml::Table;

use crate::metadata::{packages, read};

fn rules() -> Table {
    read("deny.toml").parse().unwrap()
}

/// Whether an SPDX expression is met by licences that are allowed. Expressions in the wild nest at most once.
fn met(expression: &str, allowed: &[&str]) -> bool {
    let expression = expression.replace('/', " OR ");
    let plain = |part: &str| allowed.contains(&part.trim_matches(|c: char| c.is_whitespace() || c == '(' || c == ')'));
    split_outside_brackets(&expression, " AND ").iter().all(|factor| factor.split(" OR ").any(plain))
}

fn split_outside_brackets(text: &str, separator: &str) -> Vec<String> {
    let (mut parts, mut depth, mut start) = (Vec::new(), 0_i32, 0);
    for (at, c) in text.char_indices() {
        depth += i32::from(c == '(') - i32::from(c == ')');
        if depth == 0 && text[at..].starts_with(separator) {
            parts.push(text[start..at].to_owned());
            start = at + separator.len();
        }
    }
    parts.push(text[start..].to_owned());
    parts
}

#[test]
fn expressions_are_understood() {
    let allowed = ["MIT", "Apache-2.0", "Unicode-3.0"];
    for (expression, holds) in [
        ("MIT", true),
        ("GPL-3.0", false),
        ("MIT/Apache-2.0", true),
        ("GPL-3.0 OR MIT", true),
        ("GPL-3.0 AND MIT", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND GPL-3.0", false),
    ] {
        assert_eq!(met(expression, &allowed), holds, "{expression}");
    }
}

#[test]
fn every_licence_is_allowed() {
    let rules = rules();
    let allowed: Vec<_> = rules["licenses"]["allow"].as_array().unwrap().iter().map(|l| l.as_str().unwrap()).collect();
    for package in packages() {
        let expression = package["license"].as_str().unwrap_or("none");
        assert!(met(expression, &allowed), "{}: {expression}", package["name"]);
    }
}

#[test]
fn nothing_banned_is_in_the_build() {
    let rules = rules();
    for banned in rules["bans"]["deny"].as_array().unwrap() {
        let name = banned["name"].as_str().unwrap();
        assert!(packages().iter().all(|package| package["name"] != name), "{name} is banned");
    }
}

#[test]
fn everything_comes_from_the_registry_or_from_here() {
    for package in packages() {
        let source = package["source"].as_str().unwrap_or("registry+");
        assert!(source.starts_with("registry+"), "{}: {source}", package["name"]);
    }
}
