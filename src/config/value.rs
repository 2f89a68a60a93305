//! A value of a settings file for serde, with typed errors that quote the file.

use std::slice;

use serde::de::value::MapDeserializer;
use serde::de::{DeserializeSeed, Deserializer, IntoDeserializer, SeqAccess, Visitor};
use serde::forward_to_deserialize_any;
use toml::Spanned;
use toml::de::DeValue;

use super::cause::{Cause, ValueKind};

/// The name of the type that takes a date as TOML has it; it gets its text.
pub const DATE: &str = "DateBound";

/// A value, or a section put together of some.
#[derive(Debug, Clone)]
pub enum SettingValue<'a> {
    /// As it was parsed.
    Parsed {
        /// The value.
        value: &'a DeValue<'a>,
        /// As written in the file, up to the end of its line.
        source: &'a str,
    },
    /// Keys with values.
    Section(Vec<(&'a str, SettingValue<'a>)>),
}

impl<'a> SettingValue<'a> {
    /// A section with one key.
    pub fn with_one(key: &'a str, value: Self) -> Self {
        Self::Section(vec![(key, value)])
    }

    fn parsed(&self) -> Option<&'a DeValue<'a>> {
        match self {
            Self::Parsed { value, .. } => Some(value),
            Self::Section(_) => None,
        }
    }

    fn integer(&self) -> Option<i64> {
        let integer = self.parsed()?.as_integer()?;
        i64::from_str_radix(integer.as_str(), integer.radix()).ok()
    }

    fn float(&self) -> Option<f64> {
        let float = self.parsed()?.as_float().and_then(|float| float.as_str().parse().ok());
        float.or_else(|| self.integer().map(|integer| integer as f64))
    }

    /// That this is not what was `expected`.
    fn mismatch(&self, expected: ValueKind) -> Cause {
        match self {
            Self::Parsed { source, .. } if expected == ValueKind::Section && source.starts_with("[[") => {
                Cause::DoubleBrackets
            }
            Self::Parsed { source, .. } => Cause::WrongType { expected, found: (*source).to_string() },
            Self::Section(_) => Cause::WrongType { expected, found: "a section".into() },
        }
    }
}

impl<'de> Deserializer<'de> for SettingValue<'_> {
    type Error = Cause;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        match self.parsed() {
            None => self.deserialize_map(visitor),
            Some(DeValue::String(_)) => self.deserialize_str(visitor),
            Some(DeValue::Integer(_)) => self.deserialize_i64(visitor),
            Some(DeValue::Float(_)) => self.deserialize_f64(visitor),
            Some(DeValue::Boolean(_)) => self.deserialize_bool(visitor),
            Some(DeValue::Array(_)) => self.deserialize_seq(visitor),
            Some(DeValue::Table(_)) => self.deserialize_map(visitor),
            Some(_) => Err(Cause::Refused("no setting takes a value of this kind".into())),
        }
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        match self.parsed().and_then(DeValue::as_bool) {
            Some(is_on) => visitor.visit_bool(is_on),
            None => Err(self.mismatch(ValueKind::Switch)),
        }
    }

    fn deserialize_i64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        match self.integer() {
            Some(number) => visitor.visit_i64(number),
            None => Err(self.mismatch(ValueKind::WholeNumber)),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        match self.float() {
            Some(number) => visitor.visit_f64(number),
            None => Err(self.mismatch(ValueKind::Number)),
        }
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        match self.parsed().and_then(DeValue::as_str) {
            Some(text) => visitor.visit_str(text),
            None => Err(self.mismatch(ValueKind::Text)),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        self.deserialize_str(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Cause> {
        match self.parsed().and_then(DeValue::as_str) {
            Some(choice) => visitor.visit_enum(choice.into_deserializer()),
            None => Err(self.mismatch(ValueKind::Text)),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, name: &'static str, visitor: V) -> Result<V::Value, Cause> {
        match self.parsed().and_then(DeValue::as_datetime) {
            Some(date) if name == DATE => visitor.visit_str(&date.to_string()),
            _ => self.deserialize_any(visitor),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        match self {
            Self::Section(keys) => visitor.visit_map(MapDeserializer::new(keys.into_iter())),
            Self::Parsed { value: DeValue::Table(keys), source } => {
                let keys = keys.iter().map(|(key, value)| {
                    (key.get_ref().as_ref(), SettingValue::Parsed { value: value.get_ref(), source })
                });
                visitor.visit_map(MapDeserializer::new(keys))
            }
            Self::Parsed { .. } => Err(self.mismatch(ValueKind::Section)),
        }
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Cause> {
        let (Self::Parsed { source, .. }, Some(items)) = (&self, self.parsed().and_then(DeValue::as_array)) else {
            return Err(Cause::Refused("a list is expected here".into()));
        };
        visitor.visit_seq(ListItems { items: items.iter(), source })
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _name: &'static str,
        _known: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Cause> {
        self.deserialize_map(visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i128 u8 u16 u32 u64 u128 f32 char bytes byte_buf unit unit_struct tuple tuple_struct
        identifier ignored_any
    }
}

/// The items of a list, one after the other.
struct ListItems<'a> {
    items: slice::Iter<'a, Spanned<DeValue<'a>>>,
    source: &'a str,
}

impl<'de> SeqAccess<'de> for ListItems<'_> {
    type Error = Cause;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Cause> {
        let Some(item) = self.items.next() else { return Ok(None) };
        let value = SettingValue::Parsed { value: item.get_ref(), source: self.source };
        let located = |cause| Cause::InItem { span: item.span(), cause: Box::new(cause) };
        seed.deserialize(value).map(Some).map_err(located)
    }
}

impl IntoDeserializer<'_, Cause> for SettingValue<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}
