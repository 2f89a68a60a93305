//! Values of a closed set that the catalog stores by name, such as the encoder of a model.

use super::Root;
use crate::config::Encoder;

/// A closed set of values with a name each. The names are on users' disks and never change.
pub trait Choice: Copy + PartialEq + 'static {
    /// Every value.
    const ALL: &'static [Self];

    /// As stored in the catalog and shown.
    fn name(self) -> &'static str;
}

impl Choice for Encoder {
    const ALL: &'static [Self] = &[Self::Pretrained, Self::Convolutional];

    fn name(self) -> &'static str {
        Encoder::name(self)
    }
}

/// Where training pictures come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TrainingSource {
    /// The training folder, and the inventory as well where the settings allow it.
    Training,
    /// The inventory alone, while the training folder holds too few pictures or none that help.
    Inventory,
}

impl TrainingSource {
    /// Where its pictures lie.
    pub fn root(self) -> Root {
        match self {
            Self::Training => Root::Training,
            Self::Inventory => Root::Inventory,
        }
    }
}

impl Choice for TrainingSource {
    const ALL: &'static [Self] = &[Self::Training, Self::Inventory];

    fn name(self) -> &'static str {
        match self {
            Self::Training => "training",
            Self::Inventory => "inventory",
        }
    }
}

/// A value as a row of the catalog has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum StoredName<T> {
    /// One of the values.
    Known(T),
    /// A name that another version of this program wrote: it is shown as it is, and equals no value.
    Unknown(String),
}

impl<T: Choice> StoredName<T> {
    /// The value of that name.
    pub fn parse(name: String) -> Self {
        T::ALL.iter().copied().find(|value| value.name() == name).map_or(Self::Unknown(name), Self::Known)
    }

    /// As stored and shown.
    pub fn name(&self) -> &str {
        match self {
            Self::Known(value) => value.name(),
            Self::Unknown(name) => name,
        }
    }

    /// The value, if its name is known.
    pub fn known(&self) -> Option<T> {
        match self {
            Self::Known(value) => Some(*value),
            Self::Unknown(_) => None,
        }
    }

    /// Whether it is `value`.
    pub fn is(&self, value: T) -> bool {
        self.known() == Some(value)
    }
}

impl<T: Choice> From<T> for StoredName<T> {
    fn from(value: T) -> Self {
        Self::Known(value)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_read_back_and_an_unknown_one_is_kept() {
        for &encoder in Encoder::ALL {
            assert_eq!(StoredName::parse(Choice::name(encoder).into()), StoredName::Known(encoder));
        }
        for &source in TrainingSource::ALL {
            assert!(StoredName::parse(source.name().into()).is(source));
        }
        let unknown = StoredName::<Encoder>::parse("of next year".into());
        assert_eq!((unknown.name(), unknown.known()), ("of next year", None));
        assert!(!unknown.is(Encoder::Pretrained));
    }
}
