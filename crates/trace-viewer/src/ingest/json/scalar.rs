//! Values as the JSON of protobuf has them: numbers of 64 bits are texts, and null is what is not given.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{Error, Visitor},
};

/// A value, or its type's own for null.
#[derive(Default)]
pub(super) struct Given<T>(pub(super) T);

impl<'de, T: Deserialize<'de> + Default> Deserialize<'de> for Given<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        Ok(Self(Option::deserialize(value)?.unwrap_or_default()))
    }
}

/// A whole number, as such or as a text.
#[derive(Default)]
pub(super) struct Whole<T>(pub(super) T);

impl<'de, T: TryFrom<i128>> Deserialize<'de> for Whole<T> {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        let number = value.deserialize_any(WholeVisitor(PhantomData))?;
        T::try_from(number).map(Self).map_err(|_| D::Error::custom("a number out of its range"))
    }
}

struct WholeVisitor(PhantomData<i128>);

impl Visitor<'_> for WholeVisitor {
    type Value = i128;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a whole number, or one as a text")
    }

    fn visit_u64<E: Error>(self, number: u64) -> Result<i128, E> {
        Ok(number.into())
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<i128, E> {
        Ok(number.into())
    }

    /// JavaScript has no others, and writes large ones with an exponent.
    fn visit_f64<E: Error>(self, number: f64) -> Result<i128, E> {
        const MOST: f64 = 1e30;
        #[allow(clippy::cast_possible_truncation, reason = "whole and within bounds")]
        if number.fract() == 0.0 && number.abs() < MOST {
            return Ok(number as i128);
        }
        Err(E::custom("not a whole number"))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<i128, E> {
        text.parse().map_err(E::custom)
    }
}

/// A number that need not be whole, nor a number.
pub(super) struct Double(pub(super) f64);

impl<'de> Deserialize<'de> for Double {
    fn deserialize<D: Deserializer<'de>>(value: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(f64),
            Text(String),
        }
        match Either::deserialize(value)? {
            Either::Number(number) => Ok(Self(number)),
            Either::Text(text) => text.parse().map(Self).map_err(D::Error::custom),
        }
    }
}
