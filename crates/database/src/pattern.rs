//! Text that becomes part of a comparison.

/// The text with `%`, `_` and `\` escaped, for `like`.
pub fn escape_like(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        if matches!(character, '%' | '_' | '\\') {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// The first text after all that begin with `prefix`, in the order of code points (`collate "C"`); `None` if there is none.
///
/// Under row-level security `like` is not leakproof and so never an index condition; `name >= $1 and name < $2` is.
pub fn after_prefix(prefix: &str) -> Option<String> {
    let mut characters: Vec<char> = prefix.chars().collect();
    while let Some(last) = characters.pop() {
        if let Some(next) = following(last) {
            characters.push(next);
            return Some(characters.into_iter().collect());
        }
    }
    None
}

/// The code point after this one, leaping over the surrogates.
fn following(character: char) -> Option<char> {
    (u32::from(character) + 1..=u32::from(char::MAX)).find_map(char::from_u32)
}
