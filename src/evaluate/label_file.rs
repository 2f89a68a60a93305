//! Labels in a CSV file (RFC 4180): a path and a label a line, as in `hats/1.jpg,summer hat`.
//!
//! A path is relative to the measured folder (`query/1.jpg`) or, where only one of them has it, to its `inventory/` or `query/`. A
//! first line `path,label` is a heading. Text in double quotes may hold commas, and two quotes for one. Every mistake is named with
//! its line: a label that went to the wrong picture would only show as a wrong figure.

use std::collections::HashMap;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Fatal, reason};

/// What labels stand in a file.
pub(super) struct LabelFile<'a> {
    file: &'a Path,
    /// By their paths relative to the measured folder.
    labels: HashMap<PathBuf, String>,
}

/// What is wrong with a line, or with the file.
#[derive(Debug, Clone, PartialEq, Eq)]
enum LabelMistake {
    Columns(usize),
    OpenQuote,
    EmptyLabel,
    NoPicture(PathBuf),
    TwoPictures(PathBuf),
    TwoLabels(PathBuf),
}

impl fmt::Display for LabelMistake {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Columns(count) => write!(
                out,
                "{count} columns instead of two; write PATH,LABEL, and put text that holds a comma into double quotes"
            ),
            Self::OpenQuote => out.write_str("a double quote is not closed; write \"\" for a quote in quoted text"),
            Self::EmptyLabel => out.write_str("there is no label after the comma; write what the picture shows"),
            Self::NoPicture(path) => write!(
                out,
                "there is no picture {}; write its path below the measured folder, or below its inventory/ or query/",
                path.display()
            ),
            Self::TwoPictures(path) => {
                let path = path.display();
                write!(out, "{path} is both in inventory/ and in query/; write inventory/{path} or query/{path}")
            }
            Self::TwoLabels(path) => {
                write!(out, "{} had another label in a line before; keep one of them", path.display())
            }
        }
    }
}

impl<'a> LabelFile<'a> {
    /// Reads `file` for pictures below `folder`.
    ///
    /// # Errors
    /// When it cannot be read, or for the first mistake in it.
    pub(super) fn read(file: &'a Path, folder: &Path) -> Result<Self, Fatal> {
        let wrong = |what: String| Fatal::Usage(format!("{}: {what}", file.display()));
        let bytes = std::fs::read(file).map_err(|error| wrong(format!("cannot be read: {}", reason(&error))))?;
        let text = String::from_utf8(bytes).map_err(|_| wrong("is not UTF-8 text; save it as UTF-8".into()))?;
        let exists = |path: &Path| folder.join(path).is_file();
        let labels = parse(&text, &exists).map_err(|(line, mistake)| wrong(format!("line {line}: {mistake}")))?;
        Ok(Self { file, labels })
    }

    /// The labels of `pictures`, by their paths relative to the measured folder.
    ///
    /// # Errors
    /// When there is none for one of them.
    pub(super) fn labels_of(&self, pictures: &[PathBuf]) -> Result<Vec<String>, Fatal> {
        let missing: Vec<&PathBuf> = pictures.iter().filter(|path| !self.labels.contains_key(*path)).collect();
        if let Some(first) = missing.first() {
            return Err(Fatal::Usage(format!(
                "{}: {} of {} pictures have no label in it, such as {}; add a line for each",
                self.file.display(),
                missing.len(),
                pictures.len(),
                first.display()
            )));
        }
        Ok(pictures.iter().filter_map(|path| self.labels.get(path).cloned()).collect())
    }
}

/// Labels by path, or the first mistake with its line. `exists` knows the paths of pictures.
fn parse(text: &str, exists: &dyn Fn(&Path) -> bool) -> Result<HashMap<PathBuf, String>, (usize, LabelMistake)> {
    let mut labels: HashMap<PathBuf, String> = HashMap::new();
    for (line, number) in text.trim_start_matches('\u{feff}').lines().zip(1..) {
        let at = |mistake| (number, mistake);
        if line.trim().is_empty() {
            continue;
        }
        let columns = columns(line).map_err(at)?;
        let [path, label] = &columns[..] else { return Err(at(LabelMistake::Columns(columns.len()))) };
        let (path, label) = (path.trim(), label.trim());
        if number == 1 && path.eq_ignore_ascii_case("path") && label.eq_ignore_ascii_case("label") {
            continue;
        }
        if label.is_empty() {
            return Err(at(LabelMistake::EmptyLabel));
        }
        let path = picture(Path::new(path), exists).map_err(at)?;
        match labels.get(&path) {
            Some(other) if other != label => return Err(at(LabelMistake::TwoLabels(path))),
            _ => labels.insert(path, label.into()),
        };
    }
    Ok(labels)
}

/// The path of the picture that is meant, relative to the measured folder.
fn picture(path: &Path, exists: &dyn Fn(&Path) -> bool) -> Result<PathBuf, LabelMistake> {
    let path: PathBuf = path.components().filter(|part| *part != Component::CurDir).collect();
    let is_below = path.components().all(|part| matches!(part, Component::Normal(_)));
    let mut below: Vec<PathBuf> = ["inventory", "query"].iter().map(|part| Path::new(part).join(&path)).collect();
    below.retain(|path| is_below && exists(path));
    match (is_below && exists(&path), below.pop(), below.is_empty()) {
        (true, ..) => Ok(path),
        (false, Some(found), true) => Ok(found),
        (false, Some(_), false) => Err(LabelMistake::TwoPictures(path)),
        (false, None, _) => Err(LabelMistake::NoPicture(path)),
    }
}

/// The columns of a line.
fn columns(line: &str) -> Result<Vec<String>, LabelMistake> {
    let (mut columns, mut letters) = (vec![String::new()], line.chars().peekable());
    let mut is_quoted = false;
    while let Some(letter) = letters.next() {
        let column = columns.len() - 1;
        match letter {
            '"' if is_quoted && letters.peek() == Some(&'"') => columns[column].extend(letters.next()),
            '"' if is_quoted => is_quoted = false,
            '"' if columns[column].trim().is_empty() => is_quoted = true,
            ',' if !is_quoted => columns.push(String::new()),
            _ => columns[column].push(letter),
        }
    }
    if is_quoted { Err(LabelMistake::OpenQuote) } else { Ok(columns) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PICTURES: [&str; 5] =
        ["inventory/1.jpg", "inventory/a, b.jpg", "inventory/hats/2.jpg", "query/1.jpg", "query/say \"x\".jpg"];

    fn parsed(text: &str) -> Result<Vec<(String, String)>, (usize, LabelMistake)> {
        let labels = parse(text, &|path| PICTURES.iter().any(|picture| Path::new(picture) == path))?;
        let mut labels: Vec<_> =
            labels.into_iter().map(|(path, label)| (path.to_str().unwrap().to_string(), label)).collect();
        labels.sort();
        Ok(labels)
    }

    #[test]
    fn paths_are_relative_to_the_measured_folder_or_to_the_one_part_that_has_them() {
        let text = "\u{feff}Path,Label\r\ninventory/1.jpg,cap\r\n\r\n./query/1.jpg, hat\r\nhats/2.jpg,hat\n";
        let pairs = [("inventory/1.jpg", "cap"), ("inventory/hats/2.jpg", "hat"), ("query/1.jpg", "hat")];
        assert_eq!(parsed(text), Ok(pairs.map(|(path, label)| (path.into(), label.into())).to_vec()));
    }

    #[test]
    fn quoted_text_holds_commas_and_quotes() {
        let text = "\"a, b.jpg\",\"one, two\"\n\"say \"\"x\"\".jpg\",a 12\" disc\n";
        let pairs = [("inventory/a, b.jpg", "one, two"), ("query/say \"x\".jpg", "a 12\" disc")];
        assert_eq!(parsed(text), Ok(pairs.map(|(path, label)| (path.into(), label.into())).to_vec()));
    }

    #[test]
    fn every_mistake_is_named_with_its_line_and_says_what_to_do() {
        for (text, line, words) in [
            ("path,label\nhats/2.jpg\n", 2, "1 columns instead of two; write PATH,LABEL"),
            ("hats/2.jpg,a,b\n", 1, "3 columns instead of two"),
            ("\n\"hats/2.jpg,a\n", 2, "a double quote is not closed"),
            ("hats/2.jpg, \n", 1, "there is no label after the comma"),
            ("hats/3.jpg,a\n", 1, "there is no picture hats/3.jpg; write its path below"),
            ("/hats/2.jpg,a\n", 1, "there is no picture /hats/2.jpg"),
            ("../x/inventory/1.jpg,a\n", 1, "there is no picture ../x/inventory/1.jpg"),
            ("1.jpg,a\n", 1, "1.jpg is both in inventory/ and in query/; write inventory/1.jpg or query/1.jpg"),
            ("hats/2.jpg,a\nhats/2.jpg,a\ninventory/hats/2.jpg,b\n", 3, "had another label in a line before"),
        ] {
            let (number, mistake) = parsed(text).unwrap_err();
            assert_eq!(number, line, "{text:?}");
            assert!(
                mistake.to_string().starts_with(words) || mistake.to_string().contains(words),
                "{text:?}: {mistake}"
            );
        }
    }

    #[test]
    fn every_picture_needs_a_label() {
        let file =
            LabelFile { file: Path::new("l.csv"), labels: HashMap::from([("query/1.jpg".into(), "hat".into())]) };
        let pictures = |paths: &[&str]| paths.iter().map(PathBuf::from).collect::<Vec<_>>();
        assert_eq!(file.labels_of(&pictures(&["query/1.jpg"])).unwrap(), ["hat"]);
        let problem = file.labels_of(&pictures(&["query/1.jpg", "query/2.jpg"])).unwrap_err().to_string();
        assert_eq!(problem, "l.csv: 1 of 2 pictures have no label in it, such as query/2.jpg; add a line for each");
    }
}
