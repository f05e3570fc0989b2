//! Bytes to JSON, with the place of the first error.

use std::borrow::Cow;

use super::{Json, number};

/// Parses a whole body. The error says what is wrong and where, and holds nothing of the body.
pub(crate) fn parse(body: &[u8], max_depth: usize) -> Result<Json<'_>, String> {
    let mut parser = Parser { body, at: 0, depth_left: max_depth };
    parser.document().map_err(|error| match error {
        SyntaxError::TooEarly => format!("JSON ends too early, at {}", place(body, body.len().saturating_sub(1))),
        SyntaxError::NotJson(at) => format!("not JSON, at {}", place(body, at)),
        SyntaxError::TooDeep(at) => format!("nested deeper than {max_depth} levels, at {}", place(body, at)),
    })
}

enum SyntaxError {
    TooEarly,
    NotJson(usize),
    TooDeep(usize),
}

struct Parser<'a> {
    body: &'a [u8],
    at: usize,
    depth_left: usize,
}

impl<'a> Parser<'a> {
    fn document(&mut self) -> Result<Json<'a>, SyntaxError> {
        let json = self.value()?;
        match self.peek() {
            Ok(_) => Err(SyntaxError::NotJson(self.at)),
            Err(_) => Ok(json),
        }
    }

    fn value(&mut self) -> Result<Json<'a>, SyntaxError> {
        match self.peek()? {
            b'{' => self.nested(Self::object),
            b'[' => self.nested(Self::array),
            b'"' => self.string().map(Json::String),
            b'-' | b'0'..=b'9' => self.number(),
            b't' => self.word("true", Json::Bool(true)),
            b'f' => self.word("false", Json::Bool(false)),
            b'n' => self.word("null", Json::Null),
            _ => Err(SyntaxError::NotJson(self.at)),
        }
    }

    /// The next byte that is no space.
    fn peek(&mut self) -> Result<u8, SyntaxError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let is_space = |byte: &&u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
        self.at += rest.iter().take_while(is_space).count();
        self.body.get(self.at).copied().ok_or(SyntaxError::TooEarly)
    }

    fn expect(&mut self, wanted: u8) -> Result<(), SyntaxError> {
        if self.peek()? != wanted {
            return Err(SyntaxError::NotJson(self.at));
        }
        self.at += 1;
        Ok(())
    }

    /// Past an opening bracket, one level deeper.
    fn nested(&mut self, read: fn(&mut Self) -> Result<Json<'a>, SyntaxError>) -> Result<Json<'a>, SyntaxError> {
        self.depth_left = self.depth_left.checked_sub(1).ok_or(SyntaxError::TooDeep(self.at))?;
        self.at += 1;
        let json = read(self)?;
        self.depth_left += 1;
        Ok(json)
    }

    fn object(&mut self) -> Result<Json<'a>, SyntaxError> {
        let mut entries = Vec::new();
        let mut more = self.peek()? != b'}';
        while more {
            self.peek()?;
            let name = self.string()?;
            self.expect(b':')?;
            entries.push((name, self.value()?));
            more = self.has_more(b'}')?;
        }
        self.expect(b'}')?;
        Ok(Json::Object(entries))
    }

    fn array(&mut self) -> Result<Json<'a>, SyntaxError> {
        let mut items = Vec::new();
        let mut more = self.peek()? != b']';
        while more {
            items.push(self.value()?);
            more = self.has_more(b']')?;
        }
        self.expect(b']')?;
        Ok(Json::Array(items))
    }

    /// Past a comma, if the list does not end here.
    fn has_more(&mut self, end: u8) -> Result<bool, SyntaxError> {
        match self.peek()? {
            byte if byte == end => Ok(false),
            _ => self.expect(b',').map(|()| true),
        }
    }

    fn number(&mut self) -> Result<Json<'a>, SyntaxError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let length = number::scan(rest).map_err(|stop| self.error_at(self.at + stop))?;
        let text = self.text(self.at, self.at + length)?;
        self.at += length;
        Ok(Json::Number(text.into()))
    }

    fn word(&mut self, word: &str, json: Json<'a>) -> Result<Json<'a>, SyntaxError> {
        let rest = self.body.get(self.at..).unwrap_or_default();
        let same = rest.iter().zip(word.bytes()).take_while(|(found, wanted)| **found == *wanted).count();
        if same < word.len() {
            return Err(self.error_at(self.at + same));
        }
        self.at += same;
        Ok(json)
    }

    /// A text, of which only escapes need a copy.
    fn string(&mut self) -> Result<Cow<'a, str>, SyntaxError> {
        let start = self.at;
        if self.body.get(start) != Some(&b'"') {
            return Err(SyntaxError::NotJson(start));
        }
        let (end, has_escapes) = self.end_of_string(start + 1)?;
        self.at = end + 1;
        if !has_escapes {
            return self.text(start + 1, end).map(Cow::Borrowed);
        }
        let quoted = self.body.get(start..=end).unwrap_or_default();
        serde_json::from_slice(quoted).map(Cow::Owned).map_err(|_| SyntaxError::NotJson(start))
    }

    /// Where its closing quote is, and whether there are backslashes before.
    fn end_of_string(&self, from: usize) -> Result<(usize, bool), SyntaxError> {
        let (mut at, mut has_escapes) = (from, false);
        loop {
            match self.body.get(at) {
                None => return Err(SyntaxError::TooEarly),
                Some(b'"') => return Ok((at, has_escapes)),
                Some(b'\\') => (at, has_escapes) = (at + 2, true),
                Some(0..0x20) => return Err(SyntaxError::NotJson(at)),
                Some(_) => at += 1,
            }
        }
    }

    fn text(&self, start: usize, end: usize) -> Result<&'a str, SyntaxError> {
        let bytes = self.body.get(start..end).unwrap_or_default();
        std::str::from_utf8(bytes).map_err(|error| SyntaxError::NotJson(start + error.valid_up_to()))
    }

    fn error_at(&self, at: usize) -> SyntaxError {
        if at < self.body.len() { SyntaxError::NotJson(at) } else { SyntaxError::TooEarly }
    }
}

/// Line and column of a byte, both from 1.
fn place(body: &[u8], at: usize) -> String {
    let before = body.get(..at).unwrap_or_default();
    let line_start = before.iter().rposition(|byte| *byte == b'\n').map_or(0, |newline| newline + 1);
    let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
    format!("line {line}, column {}", 1 + at - line_start)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn faults_have_a_place() {
        let check = |body: &str, expected: &str| assert_eq!(parse(body.as_bytes(), 3).unwrap_err(), expected, "{body}");
        check("{\"a\": \n tru}", "not JSON, at line 2, column 5");
        check("{\"a\":", "JSON ends too early, at line 1, column 5");
        check("{} x", "not JSON, at line 1, column 4");
        check("[[\n[ [1]]]]", "nested deeper than 3 levels, at line 2, column 3");
        check("[1.]", "not JSON, at line 1, column 4");
        check("[01]", "not JSON, at line 1, column 3");
        check("[1,]", "not JSON, at line 1, column 4");
        check("{\"a\":1,}", "not JSON, at line 1, column 8");
        check("[\"a\nb\"]", "not JSON, at line 1, column 4");
        check("[\"\\ud800\"]", "not JSON, at line 1, column 2");
        check("[+7]", "not JSON, at line 1, column 2");
        check("[NaN]", "not JSON, at line 1, column 2");
        check("-", "JSON ends too early, at line 1, column 1");
        check("", "JSON ends too early, at line 1, column 1");
        assert_eq!(parse(b"[\"a\xff\"]", 3).unwrap_err(), "not JSON, at line 1, column 4");
    }

    #[test]
    fn brackets_in_strings_do_not_count() {
        assert!(parse(br#"["[[[[\"[[["]"#, 1).is_ok());
        assert!(parse(b"[[],[],[]]", 2).is_ok());
    }

    #[test]
    fn keys_keep_their_order_and_numbers_their_digits() {
        let parsed = parse(br#" {"b": 9007199254740993.0, "a\u0020": [], "b": "\u00e9"} "#, 3).unwrap();
        let expected = [
            ("b".into(), Json::Number("9007199254740993.0".into())),
            ("a ".into(), Json::Array(Vec::new())),
            ("b".into(), Json::String("é".into())),
        ];
        assert_eq!(parsed, Json::Object(expected.into()));
    }

    proptest! {
        /// What serde_json takes is taken, with the same meaning, and nothing else.
        #[test]
        fn it_agrees_with_another_parser(text in "[\\[\\]{}\",:0-9eE.+tnrufals\\\\ \n-]{0,24}") {
            let ours = parse(text.as_bytes(), 100).ok().and_then(|json| json.to_value());
            prop_assert_eq!(ours, serde_json::from_str::<serde_json::Value>(&text).ok());
        }
    }
}
