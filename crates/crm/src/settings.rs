//! Variables that look like settings and are none.
//!
//! They are told, once a process, and end none: several processes may share one environment, and a release before or after
//! this one knows others. A value is never told, for it may be a secret.

mod known;

use known::KNOWN;

const PREFIX: &str = "CRM_";
/// What processes of ours tell each other.
const OWN: &[&str] = &["CRM_UP_IN_BACKGROUND", "CRM_SANDBOX_TOY"];
/// Names further apart than this are not taken for each other.
const FARTHEST: usize = 4;

/// A line for each variable of this process that begins as a setting does and that nobody reads.
pub(crate) fn unknown() -> Vec<String> {
    let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    let mut lines: Vec<String> = names.filter_map(|name| line(&name)).collect();
    lines.sort();
    lines
}

fn line(name: &str) -> Option<String> {
    if !name.starts_with(PREFIX) || KNOWN.contains(&name) || OWN.contains(&name) {
        return None;
    }
    let nearest = KNOWN.iter().map(|known| (distance(name, known), known)).min();
    Some(match nearest {
        Some((far, known)) if far <= FARTHEST => format!("{name} is no setting and is not read; did you mean {known}?"),
        _ => format!("{name} is no setting and is not read"),
    })
}

/// How many letters are to be put in, left out or exchanged (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (number, a) in one.bytes().enumerate() {
        let mut before = std::mem::replace(&mut row[0], number + 1);
        for (place, b) in other.bytes().enumerate() {
            let exchanged = before + usize::from(a != b);
            before = row[place + 1];
            row[place + 1] = exchanged.min(before + 1).min(row[place] + 1);
        }
    }
    row[other.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_setting_is_told_with_the_one_that_may_be_meant() {
        for (name, meant) in [
            ("CRM_LISTN", "CRM_LISTEN"),
            ("CRM_MAX_CONCURENT_CALLS", "CRM_MAX_CONCURRENT_CALLS"),
            ("CRM_STREAM_BYTES_PER_SEC", "CRM_STREAM_BYTES_PER_S"),
            ("CRM_CUSTOMER_DATABASE_URL", "CRM_CUSTOMERS_DATABASE_URL"),
        ] {
            let told = format!("{name} is no setting and is not read; did you mean {meant}?");
            assert_eq!(line(name), Some(told));
        }
        let told = "CRM_COLOUR_OF_THE_ROOM is no setting and is not read";
        assert_eq!(line("CRM_COLOUR_OF_THE_ROOM").as_deref(), Some(told));
        for fine in ["CRM_LISTEN", "CRM_DIR", "CRM_SANDBOX_TOY", "PATH", "CRMX", "OTEL_SERVICE_NAME"] {
            assert_eq!(line(fine), None, "{fine}");
        }
    }

    #[test]
    fn distances_are_those_of_letters() {
        for (one, other, far) in [("", "", 0), ("a", "", 1), ("kitten", "sitting", 3), ("abc", "abc", 0)] {
            assert_eq!((distance(one, other), distance(other, one)), (far, far));
        }
    }
}
