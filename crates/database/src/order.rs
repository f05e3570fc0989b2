//! The order of a list (AIP-132): `name`, `update_time desc`, or several joined by commas.

use crate::filter::{FilterError, Lexer, Token, TokenKind, one_of};

/// Longest order, in bytes.
const MAX_BYTES: usize = 512;

/// One field of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Order {
    /// Name of the field, from those offered.
    pub field: &'static str,
    /// Largest first.
    pub descending: bool,
}

/// The fields of an order, in the order written; none for a blank text.
///
/// # Errors
/// The first place that does not fit, and what would.
pub fn parse(text: &str, fields: &[&'static str]) -> Result<Vec<Order>, FilterError> {
    if text.len() > MAX_BYTES {
        return Err(FilterError::new(1, format!("is longer than {MAX_BYTES} bytes")));
    }
    let mut lexer = Lexer::new(text);
    let mut token = lexer.next()?;
    let mut orders: Vec<Order> = Vec::new();
    while token.kind != TokenKind::End || !orders.is_empty() {
        let field = known_field(&token, fields)?;
        if orders.iter().any(|order| order.field == field) {
            return Err(FilterError::new(token.position, format!("{field} stands here twice")));
        }
        token = lexer.next()?;
        let direction = direction(&token);
        if direction.is_some() {
            token = lexer.next()?;
        }
        orders.push(Order { field, descending: direction.unwrap_or(false) });
        match token.kind {
            TokenKind::End => break,
            TokenKind::Comma => token = lexer.next()?,
            other => {
                return Err(FilterError::new(token.position, format!("expected a comma, not {}", other.describe())));
            }
        }
    }
    Ok(orders)
}

fn known_field(token: &Token, fields: &[&'static str]) -> Result<&'static str, FilterError> {
    let found = match &token.kind {
        TokenKind::Word(word) => fields.iter().copied().find(|field| field == word),
        _ => None,
    };
    found.ok_or_else(|| {
        let message = format!("cannot order by {}, only by {}", token.kind.describe(), one_of(fields.iter().copied()));
        FilterError::new(token.position, message)
    })
}

/// Whether the token asks for a direction, and if so whether for the descending one.
fn direction(token: &Token) -> Option<bool> {
    match &token.kind {
        TokenKind::Word(word) if word == "desc" => Some(true),
        TokenKind::Word(word) if word == "asc" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FIELDS: &[&str] = &["name", "update_time"];

    fn written(text: &str) -> String {
        match parse(text, FIELDS) {
            Ok(orders) => {
                let words =
                    orders.iter().map(|order| format!("{}{}", order.field, if order.descending { "-" } else { "+" }));
                words.collect::<Vec<_>>().join(" ")
            }
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn orders_are_read_and_faults_named_with_their_place() {
        let check = |text: &str, expected: &str| assert_eq!(written(text), expected, "{text:?}");
        check("", "");
        check("  ", "");
        check("name", "name+");
        check("update_time desc", "update_time-");
        check(" name asc ,update_time  desc", "name+ update_time-");
        check("owner", "cannot order by \"owner\", only by name or update_time (at character 1)");
        check("name,", "cannot order by the end, only by name or update_time (at character 6)");
        check(",name", "cannot order by ,, only by name or update_time (at character 1)");
        check("name, name desc", "name stands here twice (at character 7)");
        check("name DESC", "expected a comma, not \"DESC\" (at character 6)");
        check("name desc desc", "expected a comma, not \"desc\" (at character 11)");
        check("name; drop table", "';' has no place here (at character 5)");
        check(&"name ".repeat(200), "is longer than 512 bytes (at character 1)");
    }

    proptest! {
        #[test]
        fn no_text_panics(text in any::<String>(), near in "[ a-z_,;*()\"']{0,40}|(name|update_time|desc|,| ){0,12}") {
            let _ = parse(&text, FIELDS);
            let _ = parse(&near, FIELDS);
        }
    }
}
