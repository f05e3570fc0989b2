//! Words, texts and symbols of a filter.

use std::iter::Peekable;
use std::str::Chars;

use super::{FilterError, Operator};

/// A token and where it begins, in characters from 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Token {
    pub(crate) position: usize,
    pub(crate) kind: TokenKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum TokenKind {
    /// Without quotes: a field, a keyword or a simple value.
    Word(String),
    /// In quotes. A `*` that stood unescaped at its end has been cut off and asks for a prefix.
    Text {
        text: String,
        prefix: bool,
    },
    Operator(Operator),
    Open,
    Close,
    Comma,
    End,
}

impl TokenKind {
    /// For messages.
    pub(crate) fn describe(&self) -> String {
        match self {
            Self::Word(word) => format!("{word:?}"),
            Self::Text { .. } => "a text".to_owned(),
            Self::Operator(operator) => operator.symbol().to_owned(),
            Self::Open => "(".to_owned(),
            Self::Close => ")".to_owned(),
            Self::Comma => ",".to_owned(),
            Self::End => "the end".to_owned(),
        }
    }
}

pub(crate) struct Lexer<'a> {
    rest: Peekable<Chars<'a>>,
    position: usize,
}

impl<'a> Lexer<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { rest: text.chars().peekable(), position: 1 }
    }

    /// The next token, where no value is expected.
    pub(crate) fn next(&mut self) -> Result<Token, FilterError> {
        self.token(is_of_word)
    }

    /// The next token, where a value is expected: one without quotes, such as a time, may have colons.
    pub(crate) fn next_value(&mut self) -> Result<Token, FilterError> {
        self.token(|character| is_of_word(character) || character == ':')
    }

    fn token(&mut self, is_inside: fn(char) -> bool) -> Result<Token, FilterError> {
        while self.take_if(char::is_whitespace).is_some() {}
        let position = self.position;
        let kind = match self.take() {
            None => TokenKind::End,
            Some('(') => TokenKind::Open,
            Some(')') => TokenKind::Close,
            Some(',') => TokenKind::Comma,
            Some('=') => TokenKind::Operator(Operator::Equal),
            Some('<') => TokenKind::Operator(self.or_equal(Operator::LessOrEqual, Operator::Less)),
            Some('>') => TokenKind::Operator(self.or_equal(Operator::GreaterOrEqual, Operator::Greater)),
            Some('!') if self.take_if(|next| next == '=').is_some() => TokenKind::Operator(Operator::NotEqual),
            Some(quote @ ('"' | '\'')) => self.text(quote, position)?,
            Some(first) if is_of_word(first) => self.word(first, is_inside),
            Some(':') => TokenKind::Operator(Operator::Has),
            Some(other) => return Err(FilterError::new(position, format!("{other:?} has no place here"))),
        };
        Ok(Token { position, kind })
    }

    fn take(&mut self) -> Option<char> {
        self.rest.next().inspect(|_| self.position += 1)
    }

    fn take_if(&mut self, wanted: impl Fn(char) -> bool) -> Option<char> {
        self.rest.next_if(|next| wanted(*next)).inspect(|_| self.position += 1)
    }

    fn or_equal(&mut self, with: Operator, without: Operator) -> Operator {
        if self.take_if(|next| next == '=').is_some() { with } else { without }
    }

    fn word(&mut self, first: char, is_inside: fn(char) -> bool) -> TokenKind {
        let mut word = String::from(first);
        while let Some(next) = self.take_if(is_inside) {
            word.push(next);
        }
        TokenKind::Word(word)
    }

    /// Up to the closing quote. A backslash takes the next character as it is: `\"`, `\\`, `\*`.
    fn text(&mut self, quote: char, position: usize) -> Result<TokenKind, FilterError> {
        let mut text = String::new();
        let mut prefix = false;
        loop {
            let at = self.position;
            let next = self.take().ok_or_else(|| FilterError::new(position, "the text is not closed"))?;
            if next == quote {
                return Ok(TokenKind::Text { text, prefix });
            }
            if prefix {
                return Err(FilterError::new(at - 1, "* stands only at the end of a text; a plain one is written \\*"));
            }
            match next {
                '*' => prefix = true,
                '\\' => text.push(self.escaped(at)?),
                plain => text.push(plain),
            }
        }
    }

    fn escaped(&mut self, at: usize) -> Result<char, FilterError> {
        self.take_if(|next| matches!(next, '"' | '\'' | '\\' | '*'))
            .ok_or_else(|| FilterError::new(at, "\\ escapes only quotes, * and itself"))
    }
}

/// Names, numbers, UUIDs and times need no quotes.
fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '-' | '.' | '+')
}
