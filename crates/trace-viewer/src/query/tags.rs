//! Tags to search for: a JSON object, as Jaeger's pages send them, or logfmt, as people type them.

use serde_json::{Map, Value};

/// Reads `{"http.method":"GET"}` or `http.method=GET message="not found"`; a bare key means `true`.
///
/// # Errors
/// Tells the rule when the text is neither.
pub(super) fn parse(text: &str) -> Result<Vec<(String, String)>, String> {
    let text = text.trim();
    if text.starts_with('{') { parse_json(text) } else { parse_logfmt(text) }
}

fn parse_json(text: &str) -> Result<Vec<(String, String)>, String> {
    let object: Map<String, Value> =
        serde_json::from_str(text).map_err(|error| format!("must be a JSON object of tags: {error}"))?;
    object.into_iter().map(|(key, value)| Ok((key.clone(), scalar(&key, value)?))).collect()
}

fn scalar(key: &str, value: Value) -> Result<String, String> {
    match value {
        Value::String(text) => Ok(text),
        Value::Bool(_) | Value::Number(_) => Ok(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => Err(format!("{key:?} must be a text, number or boolean")),
    }
}

fn parse_logfmt(mut rest: &str) -> Result<Vec<(String, String)>, String> {
    let mut tags = Vec::new();
    while !rest.is_empty() {
        let end = rest.find(|c: char| c == '=' || c.is_whitespace()).unwrap_or(rest.len());
        let (key, tail) = rest.split_at(end);
        if key.is_empty() {
            return Err(format!("must be key=value pairs; found none at {:?}", shorten(rest)));
        }
        let (value, tail) = match tail.strip_prefix('=') {
            Some(tail) => logfmt_value(tail)?,
            None => ("true".to_owned(), tail),
        };
        tags.push((key.to_owned(), value));
        rest = tail.trim_start();
    }
    Ok(tags)
}

fn logfmt_value(text: &str) -> Result<(String, &str), String> {
    let Some(quoted) = text.strip_prefix('"') else {
        let end = text.find(char::is_whitespace).unwrap_or(text.len());
        return Ok((text[..end].to_owned(), &text[end..]));
    };
    let mut value = String::new();
    let mut chars = quoted.char_indices();
    while let Some((at, c)) = chars.next() {
        match c {
            '"' => return Ok((value, &quoted[at + 1..])),
            '\\' => value.extend(chars.next().map(|(_, escaped)| escaped)),
            _ => value.push(c),
        }
    }
    Err(format!("a quote is not closed: {:?}", shorten(text)))
}

fn shorten(text: &str) -> String {
    text.chars().take(40).collect()
}

#[cfg(test)]
mod tests {
    use super::parse;

    fn check(text: &str, expected: Option<&[(&str, &str)]>) {
        let parsed = parse(text).ok();
        let parsed: Option<Vec<_>> = parsed.as_ref().map(|tags| tags.iter().map(|(k, v)| (&**k, &**v)).collect());
        assert_eq!(parsed.as_deref(), expected, "{text}");
    }

    #[test]
    fn both_spellings_mean_the_same() {
        check(r#"{"error":true,"n":3,"m":"GET"}"#, Some(&[("error", "true"), ("m", "GET"), ("n", "3")]));
        check("error=true n=3", Some(&[("error", "true"), ("n", "3")]));
        check(r#"error m="not \"found\"" x="#, Some(&[("error", "true"), ("m", "not \"found\""), ("x", "")]));
        check("", Some(&[]));
    }

    #[test]
    fn what_is_neither_is_refused() {
        for text in ["{", "{\"a\":[1]}", "{\"a\":null}", "=x", "a=\"open"] {
            check(text, None);
        }
    }
}
