//! Parameters of calls: in order or by name, each checked before a method runs.

use super::error::Failure;
use primitives::ids;
use serde_json::{Value, json};
use std::str::FromStr;

/// Most items of one page.
pub(super) const MAX_PAGE: u64 = 256;

/// As many items as a page takes, and the name of the last one if there are more.
pub(super) fn page<T, K>(
    items: impl Iterator<Item = T>,
    count: usize,
    name: impl FnOnce(&T) -> K,
) -> (Vec<T>, Option<K>) {
    let mut page: Vec<T> = items.take(count + 1).collect();
    let more = page.len() > count;
    page.truncate(count);
    let next = page.last().filter(|_| more).map(name);
    (page, next)
}

/// What a parameter is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A whole number.
    Number,
    /// How many of something: one or more.
    Count,
    /// What a subscription is known by.
    Subscription,
    /// 256 bits.
    Id,
    /// Bytes of any length.
    Bytes,
    /// A text.
    Text,
    /// The parts of a key of a table.
    Key,
}

impl Kind {
    /// Its JSON schema.
    pub(super) fn schema(self) -> Value {
        match self {
            Self::Number => json!({ "type": "integer", "minimum": 0 }),
            Self::Count => json!({ "type": "integer", "minimum": 1 }),
            Self::Subscription => json!({ "type": ["string", "integer"] }),
            Self::Id => json!({ "type": "string", "pattern": "^[0-9a-f]{64}$" }),
            Self::Bytes => json!({ "type": "string", "pattern": "^([0-9a-f]{2})*$" }),
            Self::Text => json!({ "type": "string" }),
            Self::Key => json!({
                "type": "array",
                "maxItems": MAX_KEY_PARTS,
                "items": {
                    "oneOf": [
                        Self::Number.schema(),
                        Self::Id.schema(),
                        { "type": "string", "pattern": "^0x[0-9a-fA-F]{40}$" },
                    ],
                },
            }),
        }
    }
}

/// Most parts of a key: no table has one of more than three.
pub(super) const MAX_KEY_PARTS: usize = 8;
/// Characters of the name of an unknown parameter that are repeated: more than any known one has.
const MAX_NAME: usize = 32;

/// A parameter of a method.
#[derive(Debug)]
pub(super) struct Param {
    pub(super) name: &'static str,
    pub(super) about: &'static str,
    pub(super) kind: Kind,
    pub(super) required: bool,
}

/// The parameters of a call, in the order of the method's.
pub(super) struct Args {
    params: &'static [Param],
    values: Vec<Value>,
}

impl Args {
    /// Reads the parameters of a call, in an array by their order or in an object by their names.
    pub(super) fn parse(params: &'static [Param], text: Option<&str>) -> Result<Self, Failure> {
        let given = text.map_or(Ok(Value::Null), serde_json::from_str);
        let given = given.map_err(|_| Failure::parameter("params", "JSON"))?;
        let mut values = vec![Value::Null; params.len()];
        match given {
            Value::Null => {}
            Value::Array(list) => {
                if list.len() > params.len() {
                    return Err(Failure::parameter("params", &format!("at most {} of them", params.len())));
                }
                for (place, value) in values.iter_mut().zip(list) {
                    *place = value;
                }
            }
            Value::Object(named) => {
                for (name, value) in named {
                    let place = params.iter().position(|param| param.name == name);
                    let place = place.ok_or_else(|| {
                        // A request is long; its error is not.
                        let name: String = name.chars().take(MAX_NAME).collect();
                        Failure::parameter(&name, "no such parameter")
                    })?;
                    values[place] = value;
                }
            }
            _ => return Err(Failure::parameter("params", "an array or an object")),
        }
        if let Some((param, _)) = params.iter().zip(&values).find(|(p, value)| p.required && value.is_null())
        {
            return Err(Failure::parameter(param.name, param.about));
        }
        Ok(Self { params, values })
    }

    /// A number.
    pub(super) fn number(&self, i: usize) -> Result<u64, Failure> {
        self.values[i].as_u64().ok_or_else(|| self.expected(i, "a whole number"))
    }

    /// A number that may be left out.
    pub(super) fn number_or(&self, i: usize, otherwise: u64) -> Result<u64, Failure> {
        if self.values[i].is_null() { Ok(otherwise) } else { self.number(i) }
    }

    /// How many items of a list are wanted at once: as many as a page takes where nothing is said. None is no answer.
    pub(super) fn count(&self, i: usize) -> Result<usize, Failure> {
        match self.values[i].as_u64() {
            _ if self.values[i].is_null() => Ok(MAX_PAGE as usize),
            Some(count @ 1..) => Ok(count.min(MAX_PAGE) as usize),
            _ => Err(self.expected(i, "a whole number from 1 on")),
        }
    }

    /// What a subscription is known by.
    pub(super) fn subscription(&self, i: usize) -> Result<&Value, Failure> {
        let id = Some(&self.values[i]).filter(|id| id.is_string() || id.is_u64());
        id.ok_or_else(|| self.expected(i, "what the subscription is known by: a text or a whole number"))
    }

    /// A number, if there is one.
    pub(super) fn number_or_none(&self, i: usize) -> Result<Option<u64>, Failure> {
        if self.values[i].is_null() { Ok(None) } else { self.number(i).map(Some) }
    }

    /// 256 bits.
    pub(super) fn id<T: FromStr>(&self, i: usize) -> Result<T, Failure> {
        let id = self.values[i].as_str().and_then(|text| text.parse().ok());
        id.ok_or_else(|| self.expected(i, "64 lower-case hexadecimal digits"))
    }

    /// 256 bits that may be left out.
    pub(super) fn id_or_none<T: FromStr>(&self, i: usize) -> Result<Option<T>, Failure> {
        if self.values[i].is_null() { Ok(None) } else { self.id(i).map(Some) }
    }

    /// Bytes.
    pub(super) fn bytes(&self, i: usize) -> Result<Vec<u8>, Failure> {
        let bytes = self.values[i].as_str().and_then(|text| ids::from_hex(text).ok());
        bytes.ok_or_else(|| self.expected(i, "bytes in lower-case hexadecimal digits"))
    }

    /// A text.
    pub(super) fn text(&self, i: usize) -> Result<&str, Failure> {
        self.values[i].as_str().ok_or_else(|| self.expected(i, "a text"))
    }

    /// A text that may be left out.
    pub(super) fn text_or_none(&self, i: usize) -> Result<Option<&str>, Failure> {
        if self.values[i].is_null() { Ok(None) } else { self.text(i).map(Some) }
    }

    /// Parts of a key.
    pub(super) fn list(&self, i: usize) -> Result<&[Value], Failure> {
        let list = self.values[i].as_array().filter(|list| list.len() <= MAX_KEY_PARTS);
        list.map(Vec::as_slice).ok_or_else(|| self.expected(i, "an array of a few parts"))
    }

    /// The error of a parameter that is something else.
    pub(super) fn expected(&self, i: usize, what: &str) -> Failure {
        Failure::parameter(self.params[i].name, what)
    }
}
