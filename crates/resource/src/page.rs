//! Lists: size, token, filter and order of a page.

use std::borrow::Cow;

use crm_database::filter::{self, Condition, FieldSpec, Value};
use crm_database::order::{self, Order};
use crm_database::page::{self as pages, PageError, Scope};
use crm_proto::standard::Page;
use crm_values::{Flaw, check_name_prefix, parse_calendar_date};
use uuid::Uuid;

use crate::attributes::{self, Known};
use crate::facets::Sought;
use crate::kind::{Kind, Test};
use crate::select::{Listing, Position, Selection};
use crate::{Error, Violations};

/// The page that `reader` asks for, with one row more than it has, and what its token is valid for.
pub(crate) fn page(
    kind: &Kind,
    tenant: Uuid,
    reader: &str,
    request: &Page,
    known: &Known,
) -> Result<(Listing, Scope), Error> {
    let mut violations = Violations::default();
    let size = violations.check("page_size", pages::page_size(request.page_size).map_err(|error| flaw(&error)));
    let mut selection = selection(kind, &request.filter, request.show_deleted, Some(known), &mut violations);
    reader.clone_into(&mut selection.reader);
    let order = violations.check("order_by", parse_order(kind, &request.order_by).map(Some));
    let order = order.unwrap_or(Order { field: "", descending: false });
    let scope = scope(kind, tenant, &selection, order);
    // A token cannot be judged by an order or a filter that is wrong itself.
    let after = match violations.is_clear("order_by") && violations.is_clear("filter") {
        true => violations.check("page_token", parse_token(kind, scope, &request.page_token, order)),
        false => None,
    };
    violations.finish((Listing { selection, order, after, limit: size.saturating_add(1) }, scope))
}

/// The rows that an export asks for; none that are one caller's alone, as long as nobody says who asks.
pub(crate) fn export_selection(
    kind: &Kind,
    filter: &str,
    show_deleted: bool,
    known: &Known,
) -> Result<Selection, Error> {
    let mut violations = Violations::default();
    let selection = selection(kind, filter, show_deleted, Some(known), &mut violations);
    violations.finish(selection)
}

/// Cuts `rows` to the page, and makes the token of the next one if there are more. `position` is that of a row.
pub(crate) fn next_page_token<T>(
    rows: &mut Vec<T>,
    listing: &Listing,
    scope: Scope,
    position: impl FnOnce(&T) -> Position,
) -> Result<String, Error> {
    let size = usize::try_from(listing.limit).unwrap_or(usize::MAX).saturating_sub(1);
    if rows.len() <= size {
        return Ok(String::new());
    }
    rows.truncate(size);
    let Some(last) = rows.last() else { return Ok(String::new()) };
    token(scope, &position(last))
}

/// The token of what comes after a position.
pub(crate) fn token(scope: Scope, position: &Position) -> Result<String, Error> {
    pages::encode(scope, position).map_err(|_| Error::Inconsistent("a position has no text form"))
}

/// The rows that a filter means; what is wrong with it is noted. What is asked of attributes is left out where it is not
/// known which there are: such a selection selects nothing.
pub(crate) fn selection(
    kind: &Kind,
    filter: &str,
    show_deleted: bool,
    known: Option<&Known>,
    violations: &mut Violations,
) -> Selection {
    let conditions = violations.check("filter", parse_filter(kind, filter));
    let mut facets: Vec<_> = conditions.iter().filter_map(|condition| tag(kind, condition)).collect();
    if let Some(known) = known {
        facets.extend(violations.check("filter", attributes::sought(kind, known, &conditions)));
    }
    Selection { conditions, show_deleted, facets, ..Selection::default() }
}

/// The facet that a condition asks for, if it asks for one.
fn tag(kind: &Kind, condition: &Condition) -> Option<Sought> {
    let filter = kind.filters.iter().find(|filter| filter.field == condition.field)?;
    match (filter.test, &condition.value) {
        (Test::Tag(column), Value::Uuid(id)) => Some(Sought::tag(*id, column)),
        _ => None,
    }
}

pub(crate) fn parse_filter(kind: &Kind, text: &str) -> Result<Vec<Condition>, Flaw> {
    let fields: Vec<FieldSpec> = kind.filters.iter().map(|filter| filter.spec()).collect();
    let conditions = filter::parse(text, &fields).map_err(|error| Flaw::new("FILTER_INVALID", error.to_string()))?;
    for condition in &conditions {
        check_prefix(condition)?;
        check_choice(kind, condition)?;
        check_date(kind, condition)?;
    }
    Ok(conditions)
}

/// Where a few values are possible, another one is a mistake, and not one that nothing has.
fn check_choice(kind: &Kind, condition: &Condition) -> Result<(), Flaw> {
    let filter = kind.filters.iter().find(|filter| filter.field == condition.field);
    let (Some(Test::Choice(_, values)), Value::Text(text)) = (filter.map(|filter| filter.test), &condition.value)
    else {
        return Ok(());
    };
    if values.iter().any(|(name, _)| name == text) {
        return Ok(());
    }
    let names: Vec<_> = values.iter().map(|(name, _)| *name).collect();
    Err(Flaw::new("FILTER_INVALID", format!("{} must be one of {}", condition.field, names.join(", "))))
}

/// Texts that are no dates have an order as well, and would be answered something.
fn check_date(kind: &Kind, condition: &Condition) -> Result<(), Flaw> {
    let filter = kind.filters.iter().find(|filter| filter.field == condition.field);
    let (Some(Test::Date(_)), Value::Text(text)) = (filter.map(|filter| filter.test), &condition.value) else {
        return Ok(());
    };
    let date = parse_calendar_date(text);
    date.map(|_| ()).map_err(|flaw| Flaw::new("FILTER_INVALID", format!("{} {}", condition.field, flaw.description)))
}

/// What keys cannot tell is refused: a prefix that shows nothing would list everything.
fn check_prefix(condition: &Condition) -> Result<(), Flaw> {
    let Value::Prefix(prefix) = &condition.value else { return Ok(()) };
    check_name_prefix(prefix).map_err(|flaw| {
        let rule = match flaw.reason {
            Flaw::REQUIRED => Cow::Borrowed("needs a character that shows before the *"),
            _ => flaw.description,
        };
        Flaw::new("FILTER_INVALID", format!("{} {rule}", condition.field))
    })
}

pub(crate) fn parse_order(kind: &Kind, text: &str) -> Result<Order, Flaw> {
    let known: Vec<&'static str> = kind.orders.iter().map(|order| order.field).collect();
    let invalid = |description: String| Flaw::new("ORDER_BY_INVALID", description);
    let orders = order::parse(text, &known).map_err(|error| invalid(error.to_string()))?;
    match (orders.as_slice(), known.as_slice()) {
        ([], [usual, ..]) => Ok(Order { field: usual, descending: false }),
        ([order], _) => Ok(*order),
        _ => Err(invalid("must name one field: an index answers each".to_owned())),
    }
}

/// By what the filter means, not by how it is written: a UUID may come in either case, a text in either quotes.
fn scope(kind: &Kind, tenant: Uuid, selection: &Selection, order: Order) -> Scope {
    let direction = if order.descending { "desc" } else { "asc" };
    let deleted = if selection.show_deleted { "all" } else { "live" };
    let filter: Vec<String> = selection.conditions.iter().map(written).collect();
    let filter = filter.join(" AND ");
    let mut parts = vec![kind.plural, &filter, order.field, direction, deleted];
    parts.extend(kind.private.then_some(selection.reader.as_str()));
    Scope::new(tenant, &parts)
}

fn written(Condition { field, operator, value }: &Condition) -> String {
    let value = match value {
        Value::Text(text) => format!("{text:?}"),
        Value::Prefix(text) => format!("{text:?}*"),
        Value::Uuid(id) => id.to_string(),
        Value::Timestamp(time) => time.unix_timestamp_nanos().to_string(),
        Value::Integer(number) => number.to_string(),
        Value::Boolean(truth) => truth.to_string(),
        Value::Entry { key, text, .. } => format!("{text:?} under {key:?}"),
    };
    format!("{field} {} {value}", operator.symbol())
}

fn parse_token(kind: &Kind, scope: Scope, token: &str, order: Order) -> Result<Option<Position>, Flaw> {
    match pages::decode::<Position>(scope, token) {
        // A whole token that does not fit its order was forged.
        Ok(Some(position)) if !position.fits(kind, order) => Err(flaw(&PageError::DamagedToken)),
        Ok(position) => Ok(position),
        Err(error) => Err(flaw(&error)),
    }
}

pub(crate) fn flaw(error: &PageError) -> Flaw {
    Flaw::new(error.reason(), error.to_string())
}
