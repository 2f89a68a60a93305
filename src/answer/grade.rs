//! How similar a match is, in words that a person can trust at a glance.

use serde::Serialize;

/// How similar a match is to the query, from the most to the least.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The same picture, or a near-duplicate of it.
    Same,
    /// As similar as a picture of this inventory usually is to its nearest other, or more.
    Strong,
    /// As similar as nine in ten of them are.
    Good,
    /// Less.
    Weak,
}

/// What the words mean, for the foot of a sheet, a page or a table.
pub const MEANING: &str =
    "strong: as similar as a picture here usually is to its nearest other; good: as nine in ten are; weak: less";

/// Why a word may be a stronger one further down.
pub const ORDER: &str =
    "The order also counts what is similar to each picture; the words compare it with the query alone.";

/// Whether a match is graded higher than one before it.
pub fn rises(grades: impl Iterator<Item = Grade>) -> bool {
    let places: Vec<_> = grades.map(|grade| Grade::ALL.iter().position(|one| *one == grade)).collect();
    !places.is_sorted()
}

impl Grade {
    /// All, from the most similar to the least.
    pub const ALL: [Self; 4] = [Self::Same, Self::Strong, Self::Good, Self::Weak];

    /// Its name in the record.
    pub fn name(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Strong => "strong",
            Self::Good => "good",
            Self::Weak => "weak",
        }
    }

    /// That of a name in a record.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|grade| grade.name() == name)
    }

    /// Below a picture.
    pub fn words(self) -> &'static str {
        match self {
            Self::Same => "same picture",
            Self::Strong => "strong match",
            Self::Good => "good match",
            Self::Weak => "weak match",
        }
    }

    /// Of four steps, so many.
    pub fn steps(self) -> u32 {
        match self {
            Self::Same => 4,
            Self::Strong => 3,
            Self::Good => 2,
            Self::Weak => 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_rises_only_where_a_stronger_one_follows() {
        use Grade::{Good, Same, Strong, Weak};
        for (grades, expected) in [
            (&[][..], false),
            (&[Strong], false),
            (&[Same, Strong, Strong, Good, Weak, Weak], false),
            (&[Strong, Good, Strong], true),
            (&[Strong, Same], true),
        ] {
            assert_eq!(rises(grades.iter().copied()), expected, "{grades:?}");
        }
    }
}
