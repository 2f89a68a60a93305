//! The label of a picture, what it shows: by its file name.

/// The label in `file_name`: all up to the first `__`, as in `accordion__image-0006.jpg`, else the leading ASCII letters
/// in lower case, as in `Burger3_resized.jpg`.
///
/// A name that starts with neither has the empty label, and so counts as the same kind as the others like it.
pub fn label(file_name: &str) -> String {
    match file_name.split_once("__") {
        Some((label, _)) => label.to_owned(),
        None => file_name.chars().take_while(char::is_ascii_alphabetic).collect::<String>().to_ascii_lowercase(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_label_ends_at_two_underscores() {
        assert_eq!(label("accordion__image-0006.jpg"), "accordion");
        assert_eq!(label("Alpro-Fresh-Soy-Milk__Alpro-Fresh-Soy-Milk-014.jpg"), "Alpro-Fresh-Soy-Milk");
        assert_eq!(label("a__b__c.jpg"), "a");
    }

    #[test]
    fn without_them_the_leading_letters_are_the_label_whatever_their_case() {
        assert_eq!(label("burger1_resized.jpeg"), "burger");
        assert_eq!(label("Salad_test.jpg"), "salad");
        assert_eq!(label("crème.png"), "cr");
    }

    #[test]
    fn a_name_that_says_nothing_has_the_empty_label() {
        assert_eq!(label("0001.jpg"), "");
        assert_eq!(label("__.jpg"), "");
        assert_eq!(label(""), "");
    }
}
