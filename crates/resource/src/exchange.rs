//! Fields between a message and what is stored: each named once, with how it is read and how it is shown.

mod items;

use std::mem::take;
use std::ops::RangeInclusive;

use crm_proto::google::r#type::Money as MoneyMessage;
use crm_proto::standard::Attributes;
use crm_values::{Currency, Flaw, Money, TextRule, parse_id};
use prost_types::Timestamp;
use time::OffsetDateTime;
use uuid::Uuid;

use crate::attributes::{self, Given};
use crate::resource::timestamp;
use crate::select::is_known;
use crate::{Error, Violations};

pub use items::Item;

/// Most items of a list of texts.
const MOST_ITEMS: usize = 10;
/// Most items of a list of ids.
const MOST_IDS: usize = 20;

/// Which way fields go. What is read is a message's fields that are to be changed, and no others; what is shown is all.
#[derive(Debug)]
pub struct Exchange<'a>(Way<'a>);

#[derive(Debug)]
enum Way<'a> {
    Read {
        resource: &'static str,
        fields: &'a [&'static str],
        given: Given<'a>,
        is_new: bool,
        found: &'a mut Violations,
    },
    Show {
        inconsistent: Option<Error>,
    },
}

impl<'a> Exchange<'a> {
    /// Reads `fields` of the message that requests call `resource`.
    pub(crate) fn read(
        resource: &'static str,
        fields: &'a [&'static str],
        given: Given<'a>,
        found: &'a mut Violations,
    ) -> Self {
        Self(Way::Read { resource, fields, given, is_new: true, found })
    }

    /// The same, but for those whose values are stored already.
    pub(crate) fn read_over(
        resource: &'static str,
        fields: &'a [&'static str],
        given: Given<'a>,
        found: &'a mut Violations,
    ) -> Self {
        Self(Way::Read { resource, fields, given, is_new: false, found })
    }

    /// Shows all fields.
    pub(crate) fn show() -> Self {
        Self(Way::Show { inconsistent: None })
    }

    /// Whether everything stored could be shown.
    ///
    /// # Errors
    /// It could not: the record holds what this release does not understand.
    pub(crate) fn finish(self) -> Result<(), Error> {
        match self.0 {
            Way::Show { inconsistent: Some(error) } => Err(error),
            _ => Ok(()),
        }
    }

    /// Any field: how what is stored follows from the message, and how the message from what is stored.
    pub fn field<S: Clone + Default, M: PartialEq>(
        &mut self,
        field: &'static str,
        stored: &mut S,
        message: &mut M,
        parse: impl FnOnce(&M) -> Result<S, Flaw>,
        show: impl FnOnce(S) -> Result<M, Error>,
    ) {
        match &mut self.0 {
            Way::Read { resource, fields, is_new, found, .. } if fields.contains(&field) => {
                if !*is_new && show(stored.clone()).is_ok_and(|shown| shown == *message) {
                    return;
                }
                match parse(message) {
                    Ok(value) => *stored = value,
                    Err(flaw) => found.add(&format!("{resource}.{field}"), flaw),
                }
            }
            Way::Read { .. } => {}
            Way::Show { inconsistent } => match show(take(stored)) {
                Ok(shown) => *message = shown,
                Err(error) => *inconsistent = Some(error),
            },
        }
    }

    /// A text; empty where it is not known.
    pub fn text(&mut self, field: &'static str, stored: &mut String, message: &mut String, rule: TextRule) {
        self.field(field, stored, message, |text| rule.parse(text), Ok);
    }

    /// A text that is null where it is not known, for a constraint's sake.
    pub fn nullable(
        &mut self,
        field: &'static str,
        stored: &mut Option<String>,
        message: &mut String,
        parse: impl FnOnce(&str) -> Result<String, Flaw>,
    ) {
        self.field(field, stored, message, |text| optional(text, parse), |text| Ok(text.unwrap_or_default()));
    }

    /// A number that may be missing, within the range that `rule` describes.
    pub fn number(
        &mut self,
        field: &'static str,
        stored: &mut Option<i32>,
        message: &mut Option<i32>,
        range: RangeInclusive<i32>,
        rule: &'static str,
    ) {
        let parse = |number: &Option<i32>| match number {
            Some(number) if !range.contains(number) => Err(Flaw::new(Flaw::OUT_OF_RANGE, rule)),
            number => Ok(*number),
        };
        self.field(field, stored, message, parse, Ok);
    }

    /// A truth that is always told, and is `usual` where the caller says nothing.
    pub fn truth(&mut self, field: &'static str, stored: &mut bool, message: &mut Option<bool>, usual: bool) {
        self.field(field, stored, message, |truth| Ok(truth.unwrap_or(usual)), |truth| Ok(Some(truth)));
    }

    /// A time that may be missing, kept to the microsecond.
    pub fn time(&mut self, field: &'static str, stored: &mut Option<OffsetDateTime>, message: &mut Option<Timestamp>) {
        let parse = |time: &Option<Timestamp>| time.as_ref().map(parse_time).transpose();
        self.field(field, stored, message, parse, |time| Ok(time.map(timestamp)));
    }

    /// An id of another resource.
    pub fn id(&mut self, field: &'static str, stored: &mut Uuid, message: &mut String) {
        self.field(field, stored, message, |id| parse_id(id), |id| Ok(id.to_string()));
    }

    /// An id of another resource, if there is one.
    pub fn optional_id(&mut self, field: &'static str, stored: &mut Option<Uuid>, message: &mut String) {
        let show = |id: Option<Uuid>| Ok(id.map(|id| id.to_string()).unwrap_or_default());
        self.field(field, stored, message, |id| optional(id, parse_id), show);
    }

    /// Up to 20 ids of other resources, in their order and none twice.
    pub fn ids(&mut self, field: &'static str, stored: &mut Vec<Uuid>, message: &mut Vec<String>) {
        match &mut self.0 {
            Way::Read { resource, fields, found, .. } if fields.contains(&field) => {
                *stored = each_id(&format!("{resource}.{field}"), message, found);
            }
            Way::Read { .. } => {}
            Way::Show { .. } => *message = take(stored).iter().map(Uuid::to_string).collect(),
        }
    }

    /// An amount, stored as whole minor units and the code of their currency.
    pub fn money(
        &mut self,
        field: &'static str,
        (minor, currency): (&mut Option<i64>, &mut Option<String>),
        message: &mut Option<MoneyMessage>,
    ) {
        let mut stored = (*minor, take(currency));
        let parse = |message: &Option<MoneyMessage>| {
            let Some(message) = message else { return Ok((None, None)) };
            let currency = Currency::parse(&message.currency_code)?;
            let amount = Money::from_parts(message.units, message.nanos, currency)?;
            Ok((Some(amount.minor()), Some(currency.code().to_owned())))
        };
        self.field(field, &mut stored, message, parse, |stored| {
            let (Some(minor), Some(code)) = stored else { return Ok(None) };
            let currency = Currency::stored(&code).ok_or(Error::Inconsistent("a stored currency is unknown"))?;
            let (units, nanos) = Money::from_minor(minor, currency).parts();
            Ok(Some(MoneyMessage { currency_code: code, units, nanos }))
        });
        (*minor, *currency) = stored;
    }

    /// Values of what the tenant has defined.
    pub fn attributes(&mut self, field: &'static str, stored: &mut attributes::Values, message: &mut Attributes) {
        match &mut self.0 {
            Way::Read { resource, fields, given, is_new, found } if fields.contains(&field) => {
                *stored = attributes::read(&format!("{resource}.{field}"), stored, message, *given, *is_new, found);
            }
            Way::Read { .. } => {}
            Way::Show { .. } => *message = take(stored).shown(),
        }
    }

    /// Any items, by what reads all of them beside those that are stored.
    pub fn items<S, M>(
        &mut self,
        field: &'static str,
        stored: &mut Vec<S>,
        message: &mut Vec<M>,
        read: fn(&str, &[S], &[M], &mut Violations) -> Vec<S>,
    ) where
        M: From<S>,
    {
        match &mut self.0 {
            Way::Read { resource, fields, found, .. } if fields.contains(&field) => {
                *stored = read(&format!("{resource}.{field}"), stored, message, found);
            }
            Way::Read { .. } => {}
            Way::Show { .. } => *message = take(stored).into_iter().map(M::from).collect(),
        }
    }

    /// Up to ten texts, none twice. One that is in its place already is not looked at: it may be older than a rule.
    pub fn texts(
        &mut self,
        field: &'static str,
        stored: &mut Vec<String>,
        message: &mut Vec<String>,
        parse: fn(&str) -> Result<String, Flaw>,
    ) {
        self.texts_up_to(MOST_ITEMS, field, stored, message, parse);
    }

    /// The same, up to as many as `most`.
    pub fn texts_up_to(
        &mut self,
        most: usize,
        field: &'static str,
        stored: &mut Vec<String>,
        message: &mut Vec<String>,
        parse: fn(&str) -> Result<String, Flaw>,
    ) {
        match &mut self.0 {
            Way::Read { is_new: false, .. } if stored == message => {}
            Way::Read { resource, fields, found, .. } if fields.contains(&field) => {
                *stored = each(&format!("{resource}.{field}"), most, (stored, message), parse, found);
            }
            Way::Read { .. } => {}
            Way::Show { .. } => *message = take(stored),
        }
    }
}

fn parse_time(time: &Timestamp) -> Result<OffsetDateTime, Flaw> {
    let nanos = i128::from(time.seconds) * 1_000_000_000 + i128::from(time.nanos / 1_000 * 1_000);
    let found = OffsetDateTime::from_unix_timestamp_nanos(nanos).ok();
    let found = found.filter(|found| is_known(*found) && (0..1_000_000_000).contains(&time.nanos));
    found.ok_or(Flaw::new(Flaw::OUT_OF_RANGE, "must be a time of the years 1 to 9999"))
}

fn optional<T>(text: &str, parse: impl FnOnce(&str) -> Result<T, Flaw>) -> Result<Option<T>, Flaw> {
    if text.is_empty() { Ok(None) } else { parse(text).map(Some) }
}

fn each_id(path: &str, ids: &[String], found: &mut Violations) -> Vec<Uuid> {
    if ids.len() > MOST_IDS {
        found.add(path, Flaw::new(Flaw::TOO_LONG, "must have at most 20 items"));
    }
    let parse = |(index, id): (usize, &String)| found.check(&format!("{path}[{index}]"), parse_id(id));
    let mut ids: Vec<Uuid> = ids.iter().take(MOST_IDS).enumerate().map(parse).collect();
    ids.sort_unstable();
    ids.dedup();
    ids
}

fn each(
    path: &str,
    most: usize,
    (stored, texts): (&[String], &[String]),
    parse: fn(&str) -> Result<String, Flaw>,
    found: &mut Violations,
) -> Vec<String> {
    if texts.len() > most {
        found.add(path, Flaw::new(Flaw::TOO_LONG, format!("must have at most {most} items")));
    }
    let mut kept = Vec::with_capacity(texts.len().min(most));
    for (index, text) in texts.iter().enumerate().take(most) {
        let value = if stored.contains(text) { Ok(text.clone()) } else { parse(text) };
        let value = found.check(&format!("{path}[{index}]"), value);
        if !kept.contains(&value) {
            kept.push(value);
        }
    }
    kept
}
