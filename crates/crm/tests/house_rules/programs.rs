//! A program beyond a base system's is called only where `deploy/ensure` can say how to get it.
//!
//! Scripts are read word by word, as far as to know which words are commands: enough for ours, and no shell.

use std::collections::BTreeSet;

use crate::files::tracked;
use crate::metadata::{read, root};

/// What a shell knows by itself.
const BUILTIN: &str = "[ [[ : . alias break cd command continue declare echo eval exec exit export false jobs kill local printf \
    pwd read readonly return set shift test time trap true unset wait";
/// What a minimal Debian has, and who runs make.
const BASE: &str = "awk bash basename cat chmod chown cp cut date df dirname env find grep gzip head hostname id install ln ls \
    make mkdir mktemp mv nohup nproc od rm rmdir sed seq sh sleep sort tail tar tee touch tr true uname uniq wc xargs";
/// Looked for before they are called, and done without.
const OPTIONAL: [&str; 3] = ["apt-get", "sudo", "pg_config"];
/// Words after which a command begins.
const BEFORE_COMMANDS: &str = "if then else elif while until do ! { ( | || & && ; \n $( exec time";

/// Words of `text` that stand where a shell expects a command, as far as they are plain names.
fn commands(text: &str) -> BTreeSet<String> {
    let (mut found, mut functions, mut pattern, mut begins) = (BTreeSet::new(), BTreeSet::new(), false, true);
    let words = words(text);
    for (at, word) in words.iter().enumerate() {
        let next = words.get(at + 1).map_or("", String::as_str);
        match word.as_str() {
            ")" if pattern => (pattern, begins) = (false, true),
            _ if pattern && word != "esac" => {}
            ";;" | "in" if word == ";;" || words[..at].iter().rev().nth(1).is_some_and(|it| it == "case") => {
                pattern = true;
            }
            "esac" => (pattern, begins) = (false, false),
            "for" | "case" | "done" | "fi" | "}" | ")" => begins = false,
            it if BEFORE_COMMANDS.split(' ').any(|before| before == it) => begins = true,
            _ if !begins => {}
            it if it.contains('=') => {}
            it => {
                begins = false;
                let is_name = it.chars().all(|c| c.is_ascii_alphanumeric() || "-_[:.".contains(c));
                if next == "()" {
                    functions.insert(it.to_owned());
                } else if is_name && !it.starts_with('-') && !it.is_empty() {
                    found.insert(it.to_owned());
                }
            }
        }
    }
    found.retain(|name| !functions.contains(name));
    found
}

/// Splits a script into words and operators; what is quoted is a placeholder, but for the commands inside of `$(…)`.
fn words(text: &str) -> Vec<String> {
    let (mut words, mut word) = (Vec::new(), String::new());
    let text = text.replace("\\\n", " ");
    let mut rest = text.as_str();
    while let Some(c) = rest.chars().next() {
        let (token, length) = match c {
            '#' if word.is_empty() => (None, rest.find('\n').unwrap_or(rest.len())),
            '\'' => (Some(("'", "")), rest[1..].find('\'').map_or(rest.len(), |end| end + 2)),
            '"' => {
                let end = quoted(rest);
                for inside in rest[1..end].split("$(").skip(1).filter(|inside| !inside.starts_with('(')) {
                    words.extend(["$(".to_owned()].into_iter().chain(self::words(inside)).chain([")".to_owned()]));
                }
                (Some(("'", "")), end + 1)
            }
            '$' if rest.starts_with("$((") => (Some(("'", "")), rest.find("))").map_or(rest.len(), |end| end + 2)),
            '$' if rest.starts_with("${") => (Some(("'", "")), rest.find('}').map_or(rest.len(), |end| end + 1)),
            '$' if rest.starts_with("$(") => (Some(("", "$(")), 2),
            '\\' => (Some(("'", "")), 2.min(rest.len())),
            ' ' | '\t' => (Some(("", "")), 1),
            '<' | '>' => (Some(("'", "")), rest.find(|c: char| !"<>&-".contains(c)).unwrap_or(rest.len())),
            _ if rest.starts_with("()") => (Some(("", "()")), 2),
            '\n' | ';' | '|' | '&' | '(' | ')' => {
                let double = ["||", "&&", ";;"].into_iter().find(|double| rest.starts_with(double));
                let operator = double.unwrap_or(&rest[..1]);
                (Some(("", operator)), operator.len())
            }
            _ => {
                word.push(c);
                (None, c.len_utf8())
            }
        };
        match token {
            Some(("'", _)) => word.push('\''),
            Some((_, operator)) => {
                words.extend([std::mem::take(&mut word), operator.to_owned()].into_iter().filter(|it| !it.is_empty()));
            }
            None => {}
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    words.push(word);
    words
}

/// Where a double-quoted text ends, quotes inside of `$(…)` left alone.
fn quoted(text: &str) -> usize {
    let (mut depth, mut escaped) = (0_u32, false);
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '(' if text[..at].ends_with('$') || depth > 0 => depth += 1,
            ')' if depth > 0 => depth -= 1,
            '"' if depth == 0 => return at,
            _ => {}
        }
    }
    text.len() - 1
}

/// Names in `Command::new("…")` and in the two ways that lead to a server's program.
fn spawned(text: &str) -> impl Iterator<Item = String> + '_ {
    let calls = ["Command::new(\"", "programs.program(\"", "program: \""];
    calls
        .into_iter()
        .flat_map(move |call| text.split(call).skip(1))
        .filter_map(|rest| rest.split('"').next())
        .map(str::to_owned)
}

/// The third column of the table in `deploy/ensure`.
fn ensured() -> BTreeSet<String> {
    let text = read("deploy/ensure");
    let table = text.split("TABLE='").nth(1).and_then(|rest| rest.split('\'').next()).unwrap();
    let programs = table.lines().filter_map(|row| row.split('|').nth(2));
    programs.flat_map(str::split_whitespace).map(str::to_owned).collect()
}

/// Every script, the Makefile's recipes among them.
fn scripts() -> Vec<(String, String)> {
    let is_script =
        |text: &str| text.lines().next().is_some_and(|first| first.starts_with("#!") && first.contains("sh"));
    let scripts =
        tracked("").into_iter().filter_map(|file| Some((std::fs::read_to_string(root().join(&file)).ok()?, file)));
    let mut scripts: Vec<_> = scripts.filter(|(text, _)| is_script(text)).map(|(text, file)| (file, text)).collect();
    let makefile = read("Makefile");
    let recipes = makefile.lines().filter_map(|line| line.strip_prefix('\t'));
    let recipes = recipes.map(|line| plain_recipe(line.trim_start_matches('@')));
    scripts.push(("Makefile".to_owned(), recipes.collect::<Vec<_>>().join("\n")));
    scripts
}

/// A recipe as a shell reads it; a stage's name is left out, so that its command is seen.
fn plain_recipe(line: &str) -> String {
    let staged = line.split_once("$(STAGE) ").and_then(|(_, rest)| rest.split_once(' '));
    staged.map_or(line, |(_name, command)| command).replace("$(", "./").replace("$$", "$")
}

#[test]
fn commands_are_told_from_other_words() {
    for (script, expected) in [
        ("jq . file # or yq", "jq"),
        ("a=1 jq", "jq"),
        ("if ! jq; then yq; else zq; fi", "jq yq zq"),
        ("for it in jq yq; do zq \"$it\"; done", "zq"),
        ("case $a in jq) yq ;; b | c) zq ;; esac; xq", "yq zq xq"),
        ("x() { jq; }\nx", "jq"),
        ("echo \"a $(jq \"b c\") yq\" 'zq' | xq", "echo jq xq"),
        ("echo $((jq)) ${yq}", "echo"),
        ("./jq \\\n yq && zq >xq 2>&1", "zq"),
        ("a || b & c", "a b c"),
    ] {
        assert_eq!(commands(script), expected.split(' ').map(str::to_owned).collect(), "{script}");
    }
}

#[test]
fn programs_beyond_a_base_system_are_in_the_table_of_ensure() {
    let set = |text: &'static str| text.split_whitespace().collect::<BTreeSet<_>>();
    let (ensured, base, builtin) = (ensured(), set(BASE), set(BUILTIN));
    let is_known = |name: &str| ensured.contains(name) || base.contains(name) || OPTIONAL.contains(&name);
    let scripts = scripts();
    assert!(scripts.iter().any(|(file, _)| file == ".ci/run"), "scripts are found");
    let mut unknown = Vec::new();
    for (file, text) in scripts {
        let called = commands(&text).into_iter().filter(|name| !is_known(name) && !builtin.contains(name.as_str()));
        unknown.extend(called.map(|name| format!("{file}: {name}")));
    }
    for file in tracked(".rs").into_iter().filter(|file| !file.ends_with("house_rules/programs.rs")) {
        let called = spawned(&read(&file)).filter(|name| !name.contains('/') && !is_known(name)).collect::<Vec<_>>();
        unknown.extend(called.into_iter().map(|name| format!("{file}: {name}")));
    }
    assert!(unknown.is_empty(), "neither a base system nor deploy/ensure has {unknown:?}");
}
