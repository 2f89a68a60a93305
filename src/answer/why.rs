//! Why a match stands where it does, for the record and in words.

use serde::Serialize;

use super::sheet::thousands;

/// Why a match stands where it does: "explain" of other search engines.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WhyPart {
    /// In words.
    pub message: String,
    /// Its place among all that were found, copies included, from 1.
    pub place: usize,
    /// The place it would have if only its own picture counted.
    pub place_alone: usize,
    /// The pictures most similar to it among those found, with which it was averaged (database-side augmentation), relative to the
    /// inventory folder. Absent where nothing was averaged.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub neighbours: Vec<String>,
    /// The picture of the query that it is most similar to, where each of a set's pictures counts for itself (`set_mode` "nearest").
    #[serde(skip_serializing_if = "Option::is_none")]
    pub query: Option<String>,
    /// The folder that it lies in, where folders taught the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
}

impl WhyPart {
    /// With the message made from the other parts.
    #[must_use]
    pub fn in_words(mut self) -> Self {
        self.message =
            [self.of_query(), Some(self.of_place()), self.of_folder()].map(Option::unwrap_or_default).join(" ");
        self.message = self.message.trim().to_string();
        self
    }

    fn of_query(&self) -> Option<String> {
        self.query.as_ref().map(|query| format!("Of the query's pictures it is most like {query}."))
    }

    fn of_place(&self) -> String {
        let alone = ordinal(self.place_alone);
        match self.place_alone {
            _ if self.neighbours.is_empty() => "Only the picture itself counted.".into(),
            place if place > self.place => {
                format!("Alone it would be {alone}; moved up by pictures like it: {}.", self.neighbours.join(", "))
            }
            place if place < self.place => {
                format!("Alone it would be {alone}; others have more in common with pictures that the query is like.")
            }
            _ => format!("Alone it would be {alone} as well; pictures like it: {}.", self.neighbours.join(", ")),
        }
    }

    fn of_folder(&self) -> Option<String> {
        self.folder.as_ref().map(|folder| format!("The folder {folder} taught what belongs together."))
    }
}

/// "1st", "1,002nd".
fn ordinal(number: usize) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{}{end}", thousands(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn why(place_alone: usize, neighbours: &[&str]) -> WhyPart {
        let neighbours = neighbours.iter().map(ToString::to_string).collect();
        WhyPart { message: String::new(), place: 2, place_alone, neighbours, query: None, folder: None }
    }

    #[test]
    fn a_reason_reads_like_this() {
        let message = |why: WhyPart| why.in_words().message;
        assert_eq!(message(why(7, &["a", "b"])), "Alone it would be 7th; moved up by pictures like it: a, b.");
        assert_eq!(message(why(2, &["a"])), "Alone it would be 2nd as well; pictures like it: a.");
        assert!(message(why(1, &["a"])).starts_with("Alone it would be 1st; others have more"));
        let whole = WhyPart { query: Some("set/1.jpg".into()), folder: Some("shirts".into()), ..why(2, &[]) };
        assert_eq!(
            message(whole),
            "Of the query's pictures it is most like set/1.jpg. Only the picture itself counted. The folder shirts taught what \
             belongs together."
        );
    }

    #[test]
    fn ordinals_are_those_of_english() {
        let all = [1, 2, 3, 4, 11, 12, 13, 21, 101, 112, 1_002].map(ordinal);
        assert_eq!(all, ["1st", "2nd", "3rd", "4th", "11th", "12th", "13th", "21st", "101st", "112th", "1,002nd"]);
    }
}
