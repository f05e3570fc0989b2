//! JSON that a caller wrote.

use serde::{Deserialize, Deserializer, de::Visitor, forward_to_deserialize_any};

/// What is read from an object only: a struct would be read from a list of its fields' values as well.
#[derive(Debug, Clone, Copy, Default)]
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        T::deserialize(AsMap(from)).map(Self)
    }
}

/// Whatever is asked for, a map is read.
struct AsMap<D>(D);

impl<'de, D: Deserializer<'de>> Deserializer<'de> for AsMap<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        self.0.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use serde::de::IgnoredAny;
    use serde_json::from_str;

    use super::*;

    #[derive(Debug, PartialEq, Deserialize)]
    struct Point {
        x: i32,
        y: Option<i32>,
    }

    #[test]
    fn a_list_is_no_object() {
        assert_eq!(from_str::<Point>("[1,2]").unwrap(), Point { x: 1, y: Some(2) }, "what serde does by itself");
        assert_eq!(from_str::<Object<Point>>("{\"x\":1}").unwrap().0, Point { x: 1, y: None });
        for text in ["[1,2]", "1", "\"x\"", "null", "{\"x\":1} {}", ""] {
            assert!(from_str::<Object<Point>>(text).is_err(), "{text}");
            assert!(from_str::<Object<IgnoredAny>>(text).is_err(), "{text}");
        }
        assert!(from_str::<Object<IgnoredAny>>("{\"x\":[1]}").is_ok());
    }
}
