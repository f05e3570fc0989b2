//! The columns of a resource's tables: one list, by which exports write and imports read.
//!
//! A column is called as the API calls the field. A list stands in one cell, its items joined by `;`. What a cell holds is
//! a message's field, so what may stand there is decided where requests are checked, and nowhere else.

use std::fmt;

use crm_proto::google::r#type::Money;
use crm_values::Flaw;

use super::cells::unguarded;
use super::numbers::{parse_decimal, parse_whole, show_decimal};
use crate::Resource;

/// Between the items of a list.
pub const BETWEEN_ITEMS: char = ';';
/// What people write between them.
const BETWEEN_ITEMS_READ: [char; 3] = [BETWEEN_ITEMS, ',', '\n'];

/// A resource whose records are rows of a table.
pub trait Tabular: Resource {
    /// Its columns, in the order in which they are written.
    const COLUMNS: &'static [Column<Self::Message>];

    /// The ids of its tags, if it can have some: a column behind all others has their names.
    fn tag_ids(_message: &mut Self::Message) -> Option<&mut Vec<String>> {
        None
    }
}

/// A column, of messages of a kind.
pub struct Column<M> {
    /// What its header says: the field, as the API calls it.
    pub name: &'static str,
    cell: Cell<M>,
}

/// What of a message stands in a cell.
enum Cell<M> {
    Text(fn(&mut M) -> &mut String),
    Texts(fn(&mut M) -> &mut Vec<String>),
    Number(fn(&mut M) -> &mut Option<i32>),
    Truth(fn(&mut M) -> &mut Option<bool>),
    Amount(fn(&mut M) -> &mut Option<Money>),
    Currency(fn(&mut M) -> &mut Option<Money>),
    Told(fn(&M) -> String),
}

impl<M> Column<M> {
    /// A text.
    pub const fn text(name: &'static str, field: fn(&mut M) -> &mut String) -> Self {
        Self { name, cell: Cell::Text(field) }
    }

    /// A list of texts.
    pub const fn texts(name: &'static str, field: fn(&mut M) -> &mut Vec<String>) -> Self {
        Self { name, cell: Cell::Texts(field) }
    }

    /// A whole number.
    pub const fn number(name: &'static str, field: fn(&mut M) -> &mut Option<i32>) -> Self {
        Self { name, cell: Cell::Number(field) }
    }

    /// `true` or `false`.
    pub const fn truth(name: &'static str, field: fn(&mut M) -> &mut Option<bool>) -> Self {
        Self { name, cell: Cell::Truth(field) }
    }

    /// The number of an amount of money, whose currency has a column of its own.
    pub const fn amount(name: &'static str, field: fn(&mut M) -> &mut Option<Money>) -> Self {
        Self { name, cell: Cell::Amount(field) }
    }

    /// The currency of an amount.
    pub const fn currency(name: &'static str, field: fn(&mut M) -> &mut Option<Money>) -> Self {
        Self { name, cell: Cell::Currency(field) }
    }

    /// What the service says: it is written, and nothing is read of it.
    pub const fn told(name: &'static str, show: fn(&M) -> String) -> Self {
        Self { name, cell: Cell::Told(show) }
    }

    /// Whether something can be read of it.
    pub const fn is_read(&self) -> bool {
        !matches!(self.cell, Cell::Told(_))
    }

    /// Whether a row may have several such columns: their items are one list.
    pub const fn is_list(&self) -> bool {
        matches!(self.cell, Cell::Texts(_))
    }

    /// What stands in the cell of this message, which is left as it is.
    pub fn show(&self, message: &mut M) -> String {
        match self.cell {
            Cell::Text(field) => field(message).clone(),
            Cell::Texts(field) => field(message).join(&BETWEEN_ITEMS.to_string()),
            Cell::Number(field) => shown(*field(message)),
            Cell::Truth(field) => shown(*field(message)),
            Cell::Amount(field) => {
                field(message).as_ref().map(|money| show_decimal(money.units, money.nanos)).unwrap_or_default()
            }
            Cell::Currency(field) => {
                field(message).as_ref().map(|money| money.currency_code.clone()).unwrap_or_default()
            }
            Cell::Told(show) => show(message),
        }
    }

    /// Sets what the cell says. An empty one says nothing.
    ///
    /// # Errors
    /// It is not in the form of its kind. Whether the value may be there is for those to say who read the message.
    pub fn read(&self, message: &mut M, cell: &str) -> Result<(), Flaw> {
        let cell = unguarded(if matches!(self.cell, Cell::Text(_)) { cell } else { cell.trim() });
        if cell.is_empty() {
            return Ok(());
        }
        match self.cell {
            Cell::Text(field) => cell.clone_into(field(message)),
            Cell::Texts(field) => {
                let items = cell.split(BETWEEN_ITEMS_READ).map(str::trim).filter(|item| !item.is_empty());
                field(message).extend(items.map(str::to_owned));
            }
            Cell::Number(field) => *field(message) = Some(parse_whole(cell)?),
            Cell::Truth(field) => *field(message) = Some(parse_truth(cell)?),
            Cell::Amount(field) => {
                let money = field(message).get_or_insert_default();
                (money.units, money.nanos) = parse_decimal(cell)?;
            }
            Cell::Currency(field) => {
                cell.to_uppercase().clone_into(&mut field(message).get_or_insert_default().currency_code);
            }
            Cell::Told(_) => {}
        }
        Ok(())
    }
}

fn shown<T: ToString>(value: Option<T>) -> String {
    value.map(|value| value.to_string()).unwrap_or_default()
}

fn parse_truth(cell: &str) -> Result<bool, Flaw> {
    match cell.to_lowercase().as_str() {
        "true" | "yes" | "1" => Ok(true),
        "false" | "no" | "0" => Ok(false),
        _ => Err(Flaw::malformed("must be \"true\" or \"false\"")),
    }
}

impl<M> fmt::Debug for Column<M> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("Column").field(&self.name).finish()
    }
}
