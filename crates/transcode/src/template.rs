//! Path templates of `google.api.http`, parsed.
//!
//! Grammar: `/` segments [`:` verb], a segment being a literal, `*`, `**` or `{field.path}` or `{field.path=pattern}`.

/// One segment of a path, variables unfolded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Segment {
    Literal(String),
    /// `*`: one segment.
    One,
    /// `**`: all that is left, if anything.
    Rest,
}

/// A field and the segments it captures, from `start` up to, not including, `end`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Variable {
    pub(crate) field: String,
    pub(crate) start: usize,
    pub(crate) end: usize,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Template {
    pub(crate) segments: Vec<Segment>,
    pub(crate) variables: Vec<Variable>,
    pub(crate) verb: Option<String>,
}

impl Template {
    /// Parses a template; the error says what is wrong with it.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let body = text.strip_prefix('/').ok_or("it does not start with a slash")?;
        let (path, verb) = split_verb(body);
        if verb.is_some_and(|verb| !is_literal(verb)) {
            return Err("its verb is empty or holds reserved characters".into());
        }
        let mut template = Self { segments: Vec::new(), variables: Vec::new(), verb: verb.map(str::to_owned) };
        for part in split_outside_braces(path)? {
            template.push_part(part)?;
        }
        template.check_rest_is_last()?;
        Ok(template)
    }

    fn push_part(&mut self, part: &str) -> Result<(), String> {
        let Some(inner) = part.strip_prefix('{') else { return self.push_segment(part) };
        let inner = inner.strip_suffix('}').ok_or_else(|| format!("`{part}` does not close"))?;
        let (field, pattern) = inner.split_once('=').unwrap_or((inner, "*"));
        if !field.split('.').all(is_identifier) {
            return Err(format!("`{field}` is not a field path"));
        }
        if self.variables.iter().any(|variable| variable.field == field) {
            return Err(format!("`{field}` is captured twice"));
        }
        let start = self.segments.len();
        for segment in pattern.split('/') {
            self.push_segment(segment)?;
        }
        self.variables.push(Variable { field: field.to_owned(), start, end: self.segments.len() });
        Ok(())
    }

    fn push_segment(&mut self, text: &str) -> Result<(), String> {
        self.segments.push(match text {
            "*" => Segment::One,
            "**" => Segment::Rest,
            _ if is_literal(text) => Segment::Literal(text.to_owned()),
            _ => return Err(format!("`{text}` is not a segment")),
        });
        Ok(())
    }

    fn check_rest_is_last(&self) -> Result<(), String> {
        match self.segments.iter().position(|segment| *segment == Segment::Rest) {
            Some(at) if at + 1 != self.segments.len() => Err("`**` is not the last segment".into()),
            _ => Ok(()),
        }
    }

    /// The part of `path` (without its verb) that each variable captures, still percent-encoded, in template order.
    pub(crate) fn capture<'a>(&self, path: &'a str) -> Vec<&'a str> {
        self.variables.iter().map(|variable| self.capture_one(path, variable)).collect()
    }

    fn capture_one<'a>(&self, path: &'a str, variable: &Variable) -> &'a str {
        let rest = skip_segments(path.strip_prefix('/').unwrap_or(path), variable.start);
        if self.segments.get(variable.start..variable.end).is_some_and(|inner| inner.contains(&Segment::Rest)) {
            return rest;
        }
        let kept = skip_segments(rest, variable.end - variable.start);
        let length = rest.len() - kept.len();
        rest.get(..length).unwrap_or_default().trim_end_matches('/')
    }

    /// Whether the value of the variable may hold several segments.
    pub(crate) fn spans_segments(&self, variable: &Variable) -> bool {
        self.segments.get(variable.start..variable.end) != Some(&[Segment::One])
    }
}

/// What follows the first `count` segments.
fn skip_segments(path: &str, count: usize) -> &str {
    (0..count).fold(path, |rest, _| rest.split_once('/').map_or("", |(_, tail)| tail))
}

/// A verb follows the last `:` outside braces in the last segment.
fn split_verb(body: &str) -> (&str, Option<&str>) {
    match body.rsplit_once(':') {
        Some((path, verb)) if !verb.contains(['}', '/']) => (path, Some(verb)),
        _ => (body, None),
    }
}

/// Splits at slashes that are not inside a variable.
fn split_outside_braces(path: &str) -> Result<Vec<&str>, String> {
    let (mut parts, mut start, mut open) = (Vec::new(), 0, false);
    for (at, character) in path.char_indices() {
        match character {
            '{' if open => return Err("variables are nested".into()),
            '{' => open = true,
            '}' => open = false,
            '/' if !open => {
                parts.push(path.get(start..at).unwrap_or_default());
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(path.get(start..).unwrap_or_default());
    Ok(parts)
}

fn is_identifier(text: &str) -> bool {
    !text.starts_with(|first: char| first.is_ascii_digit())
        && !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// RFC 3986's unreserved characters: what needs no encoding in a path.
fn is_literal(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn captures_what_the_template_says() {
        let check = |template: &str, path: &str, expected: &[&str]| {
            assert_eq!(Template::parse(template).unwrap().capture(path), expected, "{template}");
        };
        check("/v1/accounts", "/v1/accounts", &[]);
        check("/v1/accounts/{id}", "/v1/accounts/7", &["7"]);
        check("/v1/{account.id}/x/{id}:go", "/v1/7/x/8", &["7", "8"]);
        check("/v1/{name=a/*/b/**}", "/v1/a/1/b/2/3", &["a/1/b/2/3"]);
        check("/v1/{name=a/*}/{other}", "/v1/a/1/2", &["a/1", "2"]);
        check("/v1/{name=**}", "/v1", &[""]);
    }

    #[test]
    fn faulty_templates_are_refused() {
        for text in [
            "v1",
            "/v1//x",
            "/v1/{id",
            "/v1/id}",
            "/v1/{a{b}}",
            "/v1/{}",
            "/v1/{a..b}",
            "/v1/{1a}",
            "/**/x",
            "/v1/{a=**}/x",
            "/v1/{a}/{a}",
            "/v1/a:",
            "/v1/a b",
            "/v1/{a=}",
            "/",
            "/v1/x{a}",
        ] {
            assert!(Template::parse(text).is_err(), "{text}");
        }
    }
}
