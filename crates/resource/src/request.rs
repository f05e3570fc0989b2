//! What requests ask for, once they are understood.

use std::sync::Arc;

use crm_proto::standard::{self, Create, Resource as _};
use crm_values::{Flaw, parse_id, unify_id};
use prost::Message;
use ring::digest;
use tonic::Request;
use uuid::Uuid;

use crate::attributes::{Given, Known, Values};
use crate::resource::{read, read_over};
use crate::{Call, Error, Record, Resource, Violations, mask};

/// The caller's name for one creation, and what it is to create.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestId {
    /// The method.
    pub scope: &'static str,
    /// Chosen by the caller.
    pub id: Uuid,
    /// SHA-256 of the request without its id.
    pub body_hash: [u8; 32],
}

impl RequestId {
    fn take<Q: Create>(request: &mut Q, found: &mut Violations) -> Self {
        let text = std::mem::take(request.request_id());
        // Requests that differ in the case of an id alone are one.
        request.resource().iter_mut().flat_map(standard::Resource::references).for_each(unify_id);
        Self::of(Q::METHOD, &text, request, found)
    }

    /// The same of one caller alone: another one who sends the same is somebody else's request.
    pub(crate) fn of_caller(self, subject: &str) -> Self {
        let mut body_hash = [0; 32];
        let both = [self.body_hash.as_slice(), subject.as_bytes()].concat();
        body_hash.copy_from_slice(digest::digest(&digest::SHA256, &both).as_ref());
        Self { body_hash, ..self }
    }

    /// The id that is written so, of what is left of its request without it.
    pub(crate) fn of(scope: &'static str, id: &str, rest: &impl Message, found: &mut Violations) -> Self {
        let mut body_hash = [0; 32];
        body_hash.copy_from_slice(digest::digest(&digest::SHA256, &rest.encode_to_vec()).as_ref());
        Self { scope, id: found.check("request_id", parse_id(id)), body_hash }
    }
}

/// A creation.
#[derive(Debug)]
pub struct New<R: Resource> {
    /// Whose.
    pub call: Call,
    /// Its id-to-be.
    pub id: Uuid,
    /// Makes a repeated call answer as the first one did.
    pub request_id: RequestId,
    /// What is to be created.
    pub fields: R::Fields,
    /// The attributes by which they were checked.
    pub(crate) known: Option<Arc<Known>>,
}

impl<R: Resource> New<R> {
    /// What a request wants created.
    ///
    /// # Errors
    /// All violations, or that nobody knows who calls.
    pub fn of<Q: Create<Resource = R::Message>>(request: Request<Q>) -> Result<Self, Error> {
        Self::read(Call::of(&request)?, request.into_inner())
    }

    /// The same for a call that is known.
    ///
    /// # Errors
    /// All violations.
    pub fn read<Q: Create<Resource = R::Message>>(call: Call, request: Q) -> Result<Self, Error> {
        Self::read_by(call, request, None)
    }

    /// The same, by the attributes that the tenant has defined, if they are known. Otherwise these are checked at the end.
    pub(crate) fn read_by<Q: Create<Resource = R::Message>>(
        call: Call,
        mut request: Q,
        known: Option<Arc<Known>>,
    ) -> Result<Self, Error> {
        let mut found = Violations::default();
        let request_id = RequestId::take(&mut request, &mut found);
        let Some(mut message) = request.resource().take() else {
            return Err(found.and_missing(R::Message::NAME));
        };
        let mut fields = R::Fields::default();
        let given = Given { known: known.as_deref(), keys: None };
        read::<R>(&mut message, &mut fields, R::Message::FIELDS, given, &mut found);
        R::check(None, &fields, &mut found);
        found.finish(Self { call, id: Uuid::now_v7(), request_id, fields, known })
    }
}

/// A change: of which record, in which state, and what.
#[derive(Debug)]
pub struct Change<R: Resource> {
    /// Whose.
    pub call: Call,
    /// Which record.
    pub id: Uuid,
    /// The state that is to be changed, or none in particular.
    pub etag: String,
    mask: Vec<&'static str>,
    /// Of the attributes, if not all are meant.
    keys: Option<Vec<String>>,
    message: R::Message,
}

impl<R: Resource> Change<R> {
    /// What a request wants changed. Its values are looked at beside those that are stored, by [`apply`](Self::apply).
    ///
    /// # Errors
    /// All violations, if it cannot be told which record or which fields are meant; or that nobody knows who calls.
    pub fn of<Q: standard::Update<Resource = R::Message>>(request: Request<Q>) -> Result<Self, Error> {
        Self::read(Call::of(&request)?, request.into_inner())
    }

    /// The same for a call that is known.
    ///
    /// # Errors
    /// All violations, if it cannot be told which record or which fields are meant.
    pub fn read<Q: standard::Update<Resource = R::Message>>(call: Call, request: Q) -> Result<Self, Error> {
        let mut found = Violations::default();
        let (Some(mut message), mask) = request.parts() else {
            return Err(found.and_missing(R::Message::NAME));
        };
        let id = found.check(&format!("{}.id", R::Message::NAME), parse_id(message.id()));
        let keys = mask::attribute_keys(mask.as_ref(), &message);
        let mask = mask::resolve(mask, &message, &mut found);
        // What is fixed has no rule that could be younger than it.
        let mut early: Vec<_> = mask.iter().copied().filter(|field| R::Message::IMMUTABLE.contains(field)).collect();
        if !found.is_clear("") {
            early.clone_from(&mask);
        }
        read::<R>(&mut message, &mut R::Fields::default(), &early, Given::default(), &mut found);
        found.finish(Self { call, id, etag: message.etag().to_owned(), mask, keys, message })
    }

    /// Whether the field may change.
    pub fn names(&self, field: &str) -> bool {
        self.mask.contains(&field)
    }

    /// Whether attributes may change: where none are named, or there are none before and after, nothing is to be known of
    /// them.
    pub(crate) fn means_attributes(&self, current: &Record<R::Fields>) -> bool {
        let has_none = |values: Option<&Values>| values.is_none_or(Values::is_empty);
        let is_given = self.message.attributes().is_some_and(|given| !given.is_empty());
        let is_named = self.keys.as_ref().is_some_and(|keys| !keys.is_empty());
        self.names("attributes") && (is_given || is_named || !has_none(R::attributes(&current.fields)))
    }

    /// The fields as they are after the change, of a resource without attributes; others are changed by
    /// [`Records::apply`](crate::Records::apply).
    ///
    /// # Errors
    /// All violations.
    pub fn apply(&mut self, current: &Record<R::Fields>) -> Result<R::Fields, Error> {
        self.apply_by(current, &Known::none())
    }

    /// The same, by the attributes that the tenant has defined.
    pub(crate) fn apply_by(&mut self, current: &Record<R::Fields>, known: &Known) -> Result<R::Fields, Error> {
        self.apply_fields(current, &self.mask.clone(), known)
    }

    /// The fields as they would be after the change, without its attributes: what can be told before anything is locked.
    ///
    /// # Errors
    /// All violations.
    pub fn foresee(&mut self, current: &Record<R::Fields>) -> Result<R::Fields, Error> {
        let mask: Vec<_> = self.mask.iter().copied().filter(|field| *field != "attributes").collect();
        self.apply_fields(current, &mask, &Known::none())
    }

    fn apply_fields(
        &mut self,
        current: &Record<R::Fields>,
        mask: &[&'static str],
        known: &Known,
    ) -> Result<R::Fields, Error> {
        let (mut fields, mut found) = (current.fields.clone(), Violations::default());
        let given = Given { known: Some(known), keys: self.keys.as_deref() };
        read_over::<R>(&mut self.message, &mut fields, mask, given, &mut found);
        found.finish(())?;
        let mut found = Violations::default();
        R::check(Some(&current.fields), &fields, &mut found);
        found.finish(fields)
    }
}

/// The id of a request that has nothing else.
///
/// # Errors
/// It is none.
pub fn single(id: &str) -> Result<Uuid, Error> {
    let mut found = Violations::default();
    let id = found.check("id", parse_id(id));
    found.finish(id)
}

/// The ids of a batch: 1 to 100.
pub(crate) fn batch(ids: &[String]) -> Result<Vec<Uuid>, Error> {
    const MOST: usize = 100;
    let mut found = Violations::default();
    if ids.is_empty() {
        found.add("ids", Flaw::missing());
    }
    if ids.len() > MOST {
        found.add("ids", Flaw::new(Flaw::TOO_LONG, "must have at most 100 items"));
    }
    let numbered = ids.iter().take(MOST).enumerate();
    let ids = numbered.map(|(index, id)| found.check(&format!("ids[{index}]"), parse_id(id))).collect();
    found.finish(ids)
}
