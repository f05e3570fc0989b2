//! The statements of a service, to be read.

use crm_database::filter::Kind as ValueKind;
use crm_proto::standard::Page;
use crm_sandbox::testing::check_golden;
use uuid::Uuid;

use crate::attributes::{self, Known};
use crate::kind::Test;
use crate::select::{self, Position};
use crate::{AnyResource, Filter, Service, export, facets, matching, page, search};

/// `file` has all statements of the service as they are: those of each resource, and `own`, by their names.
pub fn check_statements(service: &Service, own: &[(&str, &str)], file: &str) {
    let own = own.iter().map(|(name, sql)| format!("-- {name}\n{sql};\n"));
    let beside =
        searches(service).into_iter().chain(counts(service)).chain(of_tags(service)).chain(definitions(service));
    let all: String = service.resources().iter().map(texts).chain(beside).chain(own).collect();
    check_golden(file, &(include_str!("statements.sql").to_owned() + &all));
}

/// Those about terms, if any of the service's resources is searched.
fn searches(service: &Service) -> Option<String> {
    let is_searched = service.resources().iter().any(|resource| !resource.kind.terms.is_empty());
    let sql = is_searched.then(|| search::Statements::new(super::storage(service).schema))?;
    Some(sql.all().iter().map(|(name, sql)| format!("-- {name}\n{};\n", sql.as_str())).collect())
}

/// Those about definitions of attributes, and those that fill the facets of one, if any of the service's resources has some.
fn definitions(service: &Service) -> Option<String> {
    let has_some =
        |resource: &&AnyResource| resource.kind.filters.iter().any(|filter| matches!(filter.test, Test::Attribute));
    let of = service.resources().iter().find(has_some)?;
    let sql = attributes::set_statements(super::storage(service).schema).into_iter();
    let all = sql.chain(attributes::filling_statements(of.kind));
    Some(all.map(|(name, sql)| format!("-- {name}\n{sql};\n")).collect())
}

/// That about facets, if any of the service's resources has some.
fn counts(service: &Service) -> Option<String> {
    let sql = service
        .resources()
        .iter()
        .any(|resource| resource.kind.facets)
        .then(|| facets::count(super::storage(service).schema))?;
    Some(format!("-- count_facets\n{};\n", sql.as_str()))
}

/// Those about tags, if the service keeps some.
fn of_tags(service: &Service) -> Option<String> {
    let tags = service.resources().iter().find(|resource| resource.kind.plural == "tags")?;
    let retire = crate::statements::retire(tags.kind, &(tags.columns)(), "merged_into");
    let sql = crate::tags::Statements::new(super::storage(service).schema);
    let all: String = sql.all().iter().map(|(name, sql)| format!("-- {name}\n{};\n", sql.as_str())).collect();
    Some(format!("{all}-- retire_tag\n{retire};\n"))
}

fn texts(resource: &AnyResource) -> String {
    let (all, kind, tenant) = (resource.statements(), resource.kind, Uuid::nil());
    let filter = kind.filters.iter().map(example).collect::<Vec<_>>().join(" AND ");
    let (mut listing, _) =
        page::page(kind, tenant, "ada", &Page { filter, ..Page::default() }, &Known::example()).unwrap();
    listing.after = Some(Position::middle(kind, listing.order));
    let list = select::page(kind, &all.select, tenant, &listing).into_string();
    let few = kind.facets.then(|| {
        let mut listing = listing.clone();
        listing.selection.by_facet = Some(0);
        select::page(kind, &all.select, tenant, &listing).into_string()
    });
    let few = few.iter().map(|few| (format!("{}, the same where few have the facet", all.list_name), few.as_str()));
    let export = export::open(kind, &all.select, tenant, &listing.selection).into_string();
    let changed = matching::ids(kind, tenant, &listing.selection, 1).into_string();
    let ends = (Uuid::nil(), Uuid::max());
    let locked = matching::batch(kind, &all.select, tenant, &listing.selection, ends, 1).into_string();
    let many = &all.many;
    let written = [&many.insert, &many.delete].into_iter().filter(|_| kind.deleted_with.is_empty());
    [&all.find, &all.lock, &all.hold, &all.insert, &all.update, &all.set_deleted, &all.erase]
        .map(|statement| (statement.name.to_owned(), statement.sql.as_str()))
        .into_iter()
        .chain([&many.lock, &many.hold].into_iter().chain(written).map(|it| (it.name.to_owned(), it.sql.as_str())))
        .chain([(format!("{}, by all filters at once, a later page", all.list_name), list.as_str())])
        .chain(few)
        .chain([(format!("{}, by all filters at once", all.find_matching_name), changed.as_str())])
        .chain([(format!("{}, by all filters at once", all.lock_matching_name), locked.as_str())])
        .chain([(format!("open_export, of {}, by all filters at once", kind.plural), export.as_str())])
        .map(|(name, sql)| format!("-- {name}\n{sql};\n"))
        .collect()
}

/// A condition with any value: the text has only its place.
fn example(filter: &Filter) -> String {
    if let Test::Choice(_, [(name, _), ..]) = filter.test {
        return format!("{} = {name}", filter.field);
    }
    if let Test::Date(_) = filter.test {
        return format!("{} {} \"2026-01-31\"", filter.field, filter.operators[0].symbol());
    }
    let value = match filter.kind {
        ValueKind::Entries => {
            return "attributes.text = x AND attributes.day < 2026-01-31 AND attributes.number >= 1".to_owned();
        }
        ValueKind::TextPrefix => "\"a*\"",
        ValueKind::Timestamp => "\"2026-01-31T00:00:00Z\"",
        ValueKind::Boolean => "true",
        ValueKind::Integer => "1",
        ValueKind::Text | ValueKind::Uuid => "\"0198c7a2-6d3e-7c51-9c0e-3a4f5b6c7d8e\"",
    };
    format!("{} {} {value}", filter.field, filter.operators[0].symbol())
}
