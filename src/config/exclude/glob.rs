//! A name with wildcards, compared letter by letter.

use std::iter::Peekable;
use std::str::Chars;

/// Classes of letters, with the letters they stand for: those of ASCII, as git has them.
const CLASSES: [(&str, &str); 11] = [
    ("alnum", "09AZaz"),
    ("alpha", "AZaz"),
    ("blank", "  \t\t"),
    ("cntrl", "\u{0}\u{1f}\u{7f}\u{7f}"),
    ("digit", "09"),
    ("graph", "!~"),
    ("lower", "az"),
    ("print", " ~"),
    ("punct", "!/:@[`{~"),
    ("space", "\t\r  "),
    ("upper", "AZ"),
];

/// `*.jpg`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameGlob(Vec<GlobItem>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum GlobItem {
    /// `*`
    Any,
    /// `?`
    One,
    /// Itself.
    Letter(char),
    /// `[a-z]`, `[!a-z]`
    Set { is_negated: bool, ranges: Vec<(char, char)> },
}

/// What is wrong with one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GlobMistake {
    /// `[a`
    Unclosed,
    /// `[z-a]`
    Backwards,
    /// `[[:letter:]]`
    UnknownClass,
    /// `a\`
    LoneBackslash,
}

impl GlobMistake {
    /// The rest of a sentence that begins with the pattern.
    pub fn what(self) -> &'static str {
        match self {
            Self::Unclosed => "has a `[` without its `]`; a bracket itself is written `\\[`, in single quotes",
            Self::Backwards => "has a range that runs backwards",
            Self::UnknownClass => "names a class of letters that does not exist; known are [:alpha:], [:digit:], ...",
            Self::LoneBackslash => "ends with a backslash, which stands before nothing",
        }
    }
}

impl GlobItem {
    fn takes(&self, letter: char) -> bool {
        match self {
            Self::Any => false,
            Self::One => true,
            Self::Letter(own) => *own == letter,
            Self::Set { is_negated, ranges } => {
                *is_negated != ranges.iter().any(|(first, last)| (*first..=*last).contains(&letter))
            }
        }
    }
}

impl NameGlob {
    /// `text`, in which no slash is left.
    pub fn parse(text: &str) -> Result<Self, GlobMistake> {
        let (mut items, mut letters) = (Vec::new(), text.chars().peekable());
        while let Some(letter) = letters.next() {
            items.push(match letter {
                '*' => GlobItem::Any,
                '?' => GlobItem::One,
                '[' => set(&mut letters)?,
                '\\' => GlobItem::Letter(letters.next().ok_or(GlobMistake::LoneBackslash)?),
                letter => GlobItem::Letter(letter),
            });
        }
        Ok(Self(items))
    }

    /// Whether the whole of `name` is of this form.
    pub fn matches(&self, name: &str) -> bool {
        let (mut rest, mut item) = (name.chars(), 0);
        // The last `*`: what follows it, and what of the name it has not taken.
        let mut retry: Option<(usize, Chars<'_>)> = None;
        loop {
            if self.0.get(item) == Some(&GlobItem::Any) {
                item += 1;
                retry = Some((item, rest.clone()));
                continue;
            }
            let before = rest.clone();
            match (rest.next(), self.0.get(item)) {
                (None, None) => return true,
                (Some(letter), Some(wanted)) if wanted.takes(letter) => item += 1,
                _ => {
                    let Some((after, mut left)) = retry else { return false };
                    if before.as_str().is_empty() || left.next().is_none() {
                        return false;
                    }
                    (item, rest, retry) = (after, left.clone(), Some((after, left)));
                }
            }
        }
    }
}

/// What stands in brackets, after the first. A `]` that comes first is a letter, and so is a `-` at either end.
fn set(letters: &mut Peekable<Chars<'_>>) -> Result<GlobItem, GlobMistake> {
    let is_negated = letters.next_if(|letter| ['!', '^'].contains(letter)).is_some();
    let mut ranges = Vec::new();
    loop {
        let first = match letters.next().ok_or(GlobMistake::Unclosed)? {
            ']' if !ranges.is_empty() => return Ok(GlobItem::Set { is_negated, ranges }),
            '[' if letters.peek() == Some(&':') => {
                ranges.extend(class(letters)?);
                continue;
            }
            letter => escaped(letter, letters)?,
        };
        let mut ahead = letters.clone();
        let last = match (ahead.next(), ahead.next()) {
            (Some('-'), Some(last)) if last != ']' => {
                let last = escaped(last, &mut ahead)?;
                *letters = ahead;
                last
            }
            _ => first,
        };
        if first > last {
            return Err(GlobMistake::Backwards);
        }
        ranges.push((first, last));
    }
}

/// A letter of a set, or the one behind its backslash.
fn escaped(letter: char, letters: &mut Peekable<Chars<'_>>) -> Result<char, GlobMistake> {
    if letter == '\\' { letters.next().ok_or(GlobMistake::Unclosed) } else { Ok(letter) }
}

/// `[:digit:]`, after its first bracket.
fn class(letters: &mut Peekable<Chars<'_>>) -> Result<Vec<(char, char)>, GlobMistake> {
    let name: String = letters.by_ref().skip(1).take_while(|letter| *letter != ':').collect();
    if letters.next() != Some(']') {
        return Err(GlobMistake::Unclosed);
    }
    if name == "xdigit" {
        return Ok(vec![('0', '9'), ('A', 'F'), ('a', 'f')]);
    }
    let known = CLASSES.iter().find(|(known, _)| *known == name).ok_or(GlobMistake::UnknownClass)?;
    let ends: Vec<char> = known.1.chars().collect();
    Ok(ends.chunks_exact(2).map(|ends| (ends[0], ends[1])).collect())
}
