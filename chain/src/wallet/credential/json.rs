//! JSON objects that name no member twice. Readers differ in which of two equal names counts, so that one of them
//! could see another credential than the next.

use super::{CredentialError, Part};
use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};
use std::{cell::RefCell, fmt};

/// Reads an object. How deep values may nest is bounded by `serde_json`, and how long they may be by the token.
pub(super) fn object(part: Part, bytes: &[u8]) -> Result<Map<String, Value>, CredentialError> {
    let repeated = RefCell::new(None);
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    let read = Unrepeated(&repeated).deserialize(&mut reader).and_then(|value| reader.end().map(|()| value));
    match (read, repeated.into_inner()) {
        (_, Some(member)) => Err(CredentialError::Repeated { part, member }),
        (Ok(Value::Object(object)), None) => Ok(object),
        _ => Err(CredentialError::Json { part }),
    }
}

/// Reads any value, and stops at the first name that an object has already.
struct Unrepeated<'a>(&'a RefCell<Option<String>>);

impl<'de> DeserializeSeed<'de> for Unrepeated<'_> {
    type Value = Value;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Unrepeated<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }
    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }
    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(value.into())
    }
    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Value, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = seq.next_element_seed(Unrepeated(self.0))? {
            items.push(item);
        }
        Ok(items.into())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        let mut object = Map::new();
        while let Some(name) = map.next_key::<String>()? {
            if object.contains_key(&name) {
                self.0.replace(Some(name));
                return Err(A::Error::custom("a name stands twice"));
            }
            let value = map.next_value_seed(Unrepeated(self.0))?;
            object.insert(name, value);
        }
        Ok(object.into())
    }
}
