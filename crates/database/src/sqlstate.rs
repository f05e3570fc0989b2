//! The one table of what a failure of the server means: whose fault it is, what becomes of the connection, what the
//! caller is told. The README shows it, and a test holds the two together.

use sqlx::error::DatabaseError;
use sqlx::postgres::PgDatabaseError;

/// What a failure means. Each has a way out of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    /// The request broke a named constraint.
    Constraint,
    /// Two requests met.
    Conflict,
    /// The deadline, or a limit of ours, has passed.
    Late,
    /// What the connection knows was overtaken; a new one knows better.
    Outdated,
    /// The connection may only read. A new one may do more, unless it is the server that only reads.
    ReadOnly,
    /// The server lacks something, or this connection to it is no more.
    Away,
    /// The server will not have us until somebody changes something there, or in our settings.
    Refused,
    /// The statement is wrong, which is our defect.
    Defect,
}

/// What becomes of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    /// Rolled back and used again.
    Kept,
    /// Closed.
    Closed,
    /// Closed, and so are all that were opened before it failed: what it did not know, they do not know either.
    ClosedWithItsElders,
}

/// SQLSTATEs by how they begin; the longest match decides. What is not in here is a defect.
pub(crate) const TABLE: &[(&str, Class, Fate)] = &[
    ("23", Class::Constraint, Fate::Kept),
    ("40", Class::Conflict, Fate::Kept),
    // Nobody knows whether it was done.
    ("40003", Class::Away, Fate::Closed),
    // By statement_timeout or an administrator; lock_timeout.
    ("57014", Class::Late, Fate::Kept),
    ("55P03", Class::Late, Fate::Kept),
    // The server ends the session: idle_in_transaction_session_timeout, transaction_timeout.
    ("25P03", Class::Late, Fate::Closed),
    ("25P04", Class::Late, Fate::Closed),
    // No prepared statement of this name, or one already: somebody cleared the session, or shares it.
    ("26000", Class::Outdated, Fate::ClosedWithItsElders),
    ("42P05", Class::Outdated, Fate::ClosedWithItsElders),
    ("25006", Class::ReadOnly, Fate::ClosedWithItsElders),
    ("08", Class::Away, Fate::Closed),
    ("57P", Class::Away, Fate::Closed),
    // No memory, disk, connections; input and output failed.
    ("53", Class::Away, Fate::Kept),
    ("58", Class::Away, Fate::Kept),
    ("28", Class::Refused, Fate::Closed),
    ("3D", Class::Refused, Fate::Closed),
];

/// The row of the table for a SQLSTATE alone.
pub(crate) fn row(sqlstate: &str) -> (Class, Fate) {
    let fitting = TABLE.iter().filter(|(begin, ..)| sqlstate.starts_with(begin));
    let longest = fitting.max_by_key(|(begin, ..)| begin.len());
    longest.map_or((Class::Defect, Fate::Kept), |(_, class, fate)| (*class, *fate))
}

/// The class of a failure. Two kinds share their SQLSTATE with defects and are told apart by more than that.
pub(crate) fn class(error: &dyn DatabaseError) -> Class {
    match error.code().unwrap_or_default().as_ref() {
        "0A000" if is_of_an_overtaken_plan(error) => Class::Outdated,
        "XX000" if is_of_a_dropped_object(error) => Class::Outdated,
        sqlstate => row(sqlstate).0,
    }
}

/// "cached plan must not change result type", in whichever language the server speaks.
fn is_of_an_overtaken_plan(error: &dyn DatabaseError) -> bool {
    let routine = error.try_downcast_ref::<PgDatabaseError>().and_then(PgDatabaseError::routine);
    routine == Some("RevalidateCachedQuery")
}

/// What was dropped, or made anew, while a statement was about to use it. Internal messages are never translated.
fn is_of_a_dropped_object(error: &dyn DatabaseError) -> bool {
    ["cache lookup failed for ", "could not open relation with OID"]
        .iter()
        .any(|begin| error.message().starts_with(begin))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longest_match_decides_and_the_unknown_is_a_defect() {
        let check = |sqlstate, expected| assert_eq!(row(sqlstate), expected, "{sqlstate}");
        check("23505", (Class::Constraint, Fate::Kept));
        check("40001", (Class::Conflict, Fate::Kept));
        check("40003", (Class::Away, Fate::Closed));
        check("57014", (Class::Late, Fate::Kept));
        check("57P01", (Class::Away, Fate::Closed));
        check("25P02", (Class::Defect, Fate::Kept));
        check("53300", (Class::Away, Fate::Kept));
        check("42P01", (Class::Defect, Fate::Kept));
        check("", (Class::Defect, Fate::Kept));
    }

    /// The README's table begins each row with the SQLSTATEs that it is about.
    #[test]
    fn the_readme_shows_every_row() {
        let readme = include_str!("../README.md");
        for (begin, class, fate) in TABLE {
            let name = format!("`{begin}");
            let row = readme.lines().find(|line| line.starts_with('|') && line.contains(&name));
            let row = row.unwrap_or_else(|| panic!("{begin} is missing"));
            let told = match class {
                Class::Constraint => "the service's own",
                Class::Conflict => "`ABORTED`",
                Class::Late => "`DEADLINE_EXCEEDED`",
                Class::Outdated | Class::ReadOnly | Class::Away | Class::Refused => "`UNAVAILABLE`",
                Class::Defect => "`INTERNAL`",
            };
            let becomes = match fate {
                Fate::Kept => "kept",
                Fate::Closed => "closed",
                Fate::ClosedWithItsElders => "closed with its elders",
            };
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            assert_eq!(cells[3], becomes, "{row}");
            assert!(cells[4].contains(told), "{row}");
        }
    }
}
