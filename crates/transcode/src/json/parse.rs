//! Bytes to JSON, with the place of the first fault.

use serde_json::Value;

/// Parses a whole body. The error says what is wrong and where, and holds nothing of the body.
pub(crate) fn parse(body: &[u8], max_depth: usize) -> Result<Value, String> {
    check_depth(body, max_depth)?;
    serde_json::from_slice(body).map_err(|error| {
        let what = match error.classify() {
            serde_json::error::Category::Eof => "JSON ends too early",
            _ => "not JSON",
        };
        format!("{what}, at line {}, column {}", error.line(), error.column())
    })
}

/// Looks at brackets outside strings only; whether they match is for the parser to say.
fn check_depth(body: &[u8], max_depth: usize) -> Result<(), String> {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in body.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > max_depth {
            let (line, column) = place(body, at);
            return Err(format!("nested deeper than {max_depth} levels, at line {line}, column {column}"));
        }
    }
    Ok(())
}

/// Line and column of a byte, both from 1.
fn place(body: &[u8], at: usize) -> (usize, usize) {
    let before = body.get(..at).unwrap_or_default();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    (1 + before.iter().filter(|byte| **byte == b'\n').count(), 1 + at - line_start)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_have_a_place() {
        let check = |body: &str, expected: &str| assert_eq!(parse(body.as_bytes(), 3).unwrap_err(), expected, "{body}");
        check("{\"a\": \n tru}", "not JSON, at line 2, column 5");
        check("{\"a\":", "JSON ends too early, at line 1, column 5");
        check("{} x", "not JSON, at line 1, column 4");
        check("[[\n[ [1]]]]", "nested deeper than 3 levels, at line 2, column 3");
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(parse(br#"["[[[[\"[[["]"#, 1).is_ok());
        assert!(parse(b"[[],[],[]]", 2).is_ok());
    }
}
