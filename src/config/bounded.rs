//! Numbers that carry their allowed range in their type: a value outside it is an error with a line and a column, and the
//! settings' schema states the range.

use std::borrow::Cow;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Deserialize, Deserializer, Error, IntoDeserializer, Unexpected, Visitor};
use serde::{Serialize, Serializer};

/// A whole number from `MIN` to `MAX`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounded<const MIN: u64, const MAX: u64>(u64);

impl<const MIN: u64, const MAX: u64> Bounded<MIN, MAX> {
    /// `value`, moved into the range where it lies outside: for defaults and tests.
    pub const fn new(value: u64) -> Self {
        Self(if value < MIN {
            MIN
        } else if value > MAX {
            MAX
        } else {
            value
        })
    }

    /// The number.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The number as a count.
    pub const fn count(self) -> usize {
        self.0 as usize
    }
}

impl<'de, const MIN: u64, const MAX: u64> Deserialize<'de> for Bounded<MIN, MAX> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = i64::deserialize(deserializer)?;
        match u64::try_from(value) {
            Ok(value) if (MIN..=MAX).contains(&value) => Ok(Self(value)),
            _ => Err(D::Error::invalid_value(Unexpected::Signed(value), &format!("from {MIN} to {MAX}").as_str())),
        }
    }
}

impl<const MIN: u64, const MAX: u64> Serialize for Bounded<MIN, MAX> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u64(self.0)
    }
}

impl<const MIN: u64, const MAX: u64> JsonSchema for Bounded<MIN, MAX> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        format!("WholeNumberFrom{MIN}To{MAX}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": MIN, "maximum": MAX })
    }
}

/// A share from 0 to 1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f32);

impl Share {
    /// `value`, moved into 0 to 1 where it lies outside.
    pub const fn new(value: f32) -> Self {
        Self(value.clamp(0.0, 1.0))
    }

    /// The share, 0 to 1.
    pub const fn get(self) -> f32 {
        self.0
    }
}

impl<'de> Deserialize<'de> for Share {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        if (0.0..=1.0).contains(&value) {
            return Ok(Self(value as f32));
        }
        Err(D::Error::invalid_value(Unexpected::Float(value), &"from 0 to 1"))
    }
}

impl Serialize for Share {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        // Through the shortest text of the f32: 0.1 stays 0.1 and does not become 0.10000000149.
        serializer.serialize_f64(self.0.to_string().parse().unwrap_or(f64::from(self.0)))
    }
}

impl JsonSchema for Share {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Share".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "number", "minimum": 0.0, "maximum": 1.0 })
    }
}
/// A share from 0 to 1, or "auto": what the program finds suitable.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum ShareOrAuto {
    /// Found by the program.
    Auto,
    /// As set.
    Set(Share),
}

/// What is written for [`ShareOrAuto::Auto`].
const AUTO: &str = "auto";

impl<'de> Deserialize<'de> for ShareOrAuto {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ShareOrAutoVisitor)
    }
}

struct ShareOrAutoVisitor;

impl Visitor<'_> for ShareOrAutoVisitor {
    type Value = ShareOrAuto;

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("\"auto\" or a number from 0 to 1")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<ShareOrAuto, E> {
        if word == AUTO { Ok(ShareOrAuto::Auto) } else { Err(E::unknown_variant(word, &[AUTO])) }
    }

    fn visit_f64<E: Error>(self, number: f64) -> Result<ShareOrAuto, E> {
        Share::deserialize(number.into_deserializer()).map(ShareOrAuto::Set)
    }

    fn visit_i64<E: Error>(self, number: i64) -> Result<ShareOrAuto, E> {
        self.visit_f64(number as f64)
    }
}

impl Serialize for ShareOrAuto {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str(AUTO),
            Self::Set(share) => share.serialize(serializer),
        }
    }
}

impl JsonSchema for ShareOrAuto {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "ShareOrAuto".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        // The range holds for numbers alone.
        json_schema!({ "oneOf": [{ "const": AUTO }, { "type": "number" }], "minimum": 0.0, "maximum": 1.0 })
    }
}
