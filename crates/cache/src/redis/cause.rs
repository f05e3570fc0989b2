//! Why Redis does not do what it is asked to, in its own word: `NOPERM`, `OOM`, `READONLY`.
//!
//! Never in its text, which may quote what was sent to it.

use std::borrow::Cow;

use redis::{ErrorKind, RedisError};

/// Words that a server begins an error with, or that an older one only mentions in it: from within a script it answers
/// `ERR`, and the word stands in the text.
const WORDS: [&str; 24] = [
    "NOPERM",
    "OOM",
    "READONLY",
    "WRONGPASS",
    "NOAUTH",
    "LOADING",
    "MASTERDOWN",
    "MISCONF",
    "CLUSTERDOWN",
    "MOVED",
    "ASK",
    "CROSSSLOT",
    "TRYAGAIN",
    "NOREPLICAS",
    "NOSCRIPT",
    "BUSY",
    "UNKILLABLE",
    "WRONGTYPE",
    "NOPROTO",
    "DENIED",
    "EXECABORT",
    "NOTBUSY",
    "NOSUB",
    "INPROG",
];

/// What an `ERR` says, by its fixed part, where a word is meant by it.
const MEANT: [(&str, &str); 13] = [
    ("The user executing the script can't", "NOPERM"),
    ("ACL failure in script", "NOPERM"),
    ("no permissions", "NOPERM"),
    ("Authentication required", "NOAUTH"),
    ("operation not permitted", "NOAUTH"),
    ("invalid username-password pair", "WRONGPASS"),
    ("invalid password", "WRONGPASS"),
    ("is loading the dataset", "LOADING"),
    ("Link with MASTER is down", "MASTERDOWN"),
    ("against a read only", "READONLY"),
    ("used memory > 'maxmemory'", "OOM"),
    ("without any password configured", "ERR (a password is given and none is configured)"),
    ("no password is set", "ERR (a password is given and none is configured)"),
];

/// What else it may say, of those that an operator can do something about.
const SAID: [&str; 5] = [
    "max number of clients reached",
    "unknown command",
    "DB index is out of range",
    "invalid DB index",
    "SELECT is not allowed in cluster mode",
];

/// The server's word; of a connection that fails, what the system or TLS says.
pub(super) fn cause(error: &RedisError) -> Cow<'static, str> {
    match error.code() {
        Some("ERR") => meant(error.detail().unwrap_or_default()),
        Some(word) => named(word),
        None if error.kind() == ErrorKind::Io => error.to_string().into(),
        None => error.category().to_owned().into(),
    }
}

/// What is no word of a server's may be anything.
fn named(word: &str) -> Cow<'static, str> {
    let is_word = (2..=20).contains(&word.len()) && word.bytes().all(|byte| byte.is_ascii_uppercase());
    if is_word { word.to_owned().into() } else { "unknown".into() }
}

fn meant(text: &str) -> Cow<'static, str> {
    // `Error running script (call to f_…): @user_script:12: -OOM command not allowed when used memory …`
    let mentioned = text.split_ascii_whitespace().filter_map(|part| part.strip_prefix('-'));
    let word = mentioned.filter_map(|part| WORDS.into_iter().find(|word| *word == part)).next();
    let meant = || MEANT.iter().find(|(part, _)| text.contains(part)).map(|(_, word)| *word);
    let said = || SAID.into_iter().find(|part| text.contains(part));
    match (word.or_else(meant), said()) {
        (Some(word), _) => word.into(),
        (None, Some(said)) => format!("ERR {said}").into(),
        (None, None) => "ERR".into(),
    }
}

#[cfg(test)]
mod tests {
    use redis::parse_redis_value;

    use super::*;

    fn check(answer: &str, expected: &str) {
        let value = parse_redis_value(format!("-{answer}\r\n").as_bytes()).unwrap();
        let error = value.extract_error().unwrap_err();
        assert_eq!(cause(&error), expected, "{answer}");
    }

    #[test]
    fn the_word_is_the_server_s() {
        for word in WORDS {
            check(&format!("{word} and what it says of 'secret'"), word);
        }
        check("NEWWORD of a later server", "NEWWORD");
        check("secret! is no word", "unknown");
    }

    #[test]
    fn a_word_that_hides_behind_err_is_found() {
        for (answer, expected) in [
            (
                "ERR Error running script (call to f_7): @user_script:12: -OOM command not allowed when used memory > 'maxmemory'.",
                "OOM",
            ),
            (
                "ERR Error running script (call to f_7): @user_script:9: -READONLY You can't write against a read only replica.",
                "READONLY",
            ),
            (
                "ERR ACL failure in script: User u has no permissions to run the 'set' command script: 7, on @user_script:9.",
                "NOPERM",
            ),
            (
                "ERR The user executing the script can't publish to the channel mentioned in the command script: 7",
                "NOPERM",
            ),
            ("ERR max number of clients reached", "ERR max number of clients reached"),
            ("ERR unknown command 'EVALSHA', with args beginning with: 'secret'", "ERR unknown command"),
            (
                "ERR AUTH <password> called without any password configured for the default user.",
                "ERR (a password is given and none is configured)",
            ),
            ("ERR something about 'secret' -secret", "ERR"),
        ] {
            check(answer, expected);
        }
    }

    #[test]
    fn a_connection_that_fails_says_how() {
        let refused = std::io::Error::from(std::io::ErrorKind::ConnectionRefused);
        assert_eq!(cause(&refused.into()), "connection refused");
        let config = RedisError::from((ErrorKind::InvalidClientConfig, "of a", "secret".to_owned()));
        assert_eq!(cause(&config), "invalid client config");
    }
}
