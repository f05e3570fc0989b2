//! From tokens to conditions.

use super::error::one_of;
use super::value::read;
use super::{Condition, FieldSpec, FilterError, Kind, Lexer, Operator, Token, TokenKind, Value};

/// Longest filter.
const MAX_CHARACTERS: usize = 4_096;
const MAX_CONDITIONS: usize = 20;
const MAX_DEPTH: usize = 10;

/// The conditions of a filter, in the order written; none for a blank text.
///
/// # Errors
/// The first place that does not fit, and what would.
pub fn parse(text: &str, fields: &[FieldSpec]) -> Result<Vec<Condition>, FilterError> {
    if text.chars().count() > MAX_CHARACTERS {
        return Err(FilterError::new(1, format!("is longer than {MAX_CHARACTERS} characters")));
    }
    let mut lexer = Lexer::new(text);
    let token = lexer.next()?;
    let mut parser = Parser { lexer, token, fields, conditions: Vec::new(), depth: 0 };
    if parser.token.kind != TokenKind::End {
        parser.conjunction()?;
    }
    Ok(parser.conditions)
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    token: Token,
    fields: &'a [FieldSpec],
    conditions: Vec<Condition>,
    depth: usize,
}

impl Parser<'_> {
    /// `term (AND term)*` up to the end. Brackets change nothing about a conjunction, so they are counted, not nested.
    fn conjunction(&mut self) -> Result<(), FilterError> {
        loop {
            self.open_brackets()?;
            self.comparison()?;
            self.close_brackets()?;
            match &self.token.kind {
                TokenKind::End if self.depth == 0 => return Ok(()),
                TokenKind::End => return Err(self.error(") is missing")),
                TokenKind::Word(word) if word == "AND" => self.advance()?,
                TokenKind::Word(word) if word == "OR" => return Err(self.error("OR is not supported: ask twice")),
                other => return Err(self.error(format!("expected AND instead of {}", other.describe()))),
            };
        }
    }

    fn open_brackets(&mut self) -> Result<(), FilterError> {
        while self.token.kind == TokenKind::Open {
            self.depth += 1;
            if self.depth > MAX_DEPTH {
                return Err(self.error(format!("more than {MAX_DEPTH} brackets inside each other")));
            }
            self.advance()?;
        }
        Ok(())
    }

    fn close_brackets(&mut self) -> Result<(), FilterError> {
        while self.token.kind == TokenKind::Close {
            self.depth = self.depth.checked_sub(1).ok_or_else(|| self.error(") was never opened"))?;
            self.advance()?;
        }
        Ok(())
    }

    fn comparison(&mut self) -> Result<(), FilterError> {
        if self.conditions.len() == MAX_CONDITIONS {
            return Err(self.error(format!("more than {MAX_CONDITIONS} comparisons")));
        }
        let (field, key) = self.field()?;
        let operator = self.operator(&field)?;
        let position = self.token.position;
        let value = match (key, read(&field, operator, &self.token)?) {
            (Some(key), Value::Text(text)) => Value::Entry { key, text, position },
            (_, value) => value,
        };
        self.advance()?;
        self.conditions.push(Condition { field: field.name, operator, value });
        Ok(())
    }

    /// The field, and the key behind its name if it has entries.
    fn field(&mut self) -> Result<(FieldSpec, Option<String>), FilterError> {
        let TokenKind::Word(word) = &self.token.kind else {
            return Err(self.error(format!("expected a field instead of {}", self.token.kind.describe())));
        };
        if word == "NOT" || word.starts_with('-') {
            let is_known = self.fields.iter().any(|field| field.operators.contains(&Operator::NotEqual));
            return Err(self.error(if is_known { "NOT is not supported, use !=" } else { "NOT is not supported" }));
        }
        let Some(found) = self.fields.iter().find_map(|field| Some((*field, key_of(field, word)?))) else {
            let names: Vec<_> = self.fields.iter().map(named).collect();
            let known = one_of(names.iter().map(String::as_str));
            return Err(self.error(format!("cannot filter by {word:?}, only by {known}")));
        };
        self.advance()?;
        Ok(found)
    }

    fn operator(&mut self, field: &FieldSpec) -> Result<Operator, FilterError> {
        let known = || one_of(field.operators.iter().map(|operator| operator.symbol()));
        match self.token.kind {
            TokenKind::Operator(operator) if field.operators.contains(&operator) => {
                self.token = self.lexer.next_value()?;
                Ok(operator)
            }
            _ => Err(self.error(format!("{} is compared by {}", field.name, known()))),
        }
    }

    fn advance(&mut self) -> Result<(), FilterError> {
        self.token = self.lexer.next()?;
        Ok(())
    }

    fn error(&self, message: impl Into<String>) -> FilterError {
        FilterError::new(self.token.position, message)
    }
}

/// Whether the word names the field; if that has entries, the key of one as well.
fn key_of(field: &FieldSpec, word: &str) -> Option<Option<String>> {
    if field.kind != Kind::Entries {
        return (field.name == word).then_some(None);
    }
    let key = word.strip_prefix(field.name)?.strip_prefix('.')?;
    (!key.is_empty()).then(|| Some(key.to_owned()))
}

fn named(field: &FieldSpec) -> String {
    if field.kind == Kind::Entries { format!("{}.KEY", field.name) } else { field.name.to_owned() }
}
