//! Pairs of pictures of which the user said that they are not the same, in a plain file beside the settings.
//!
//! Pictures are known by their contents, so that a pair stays known when files are moved or renamed. A line is two contents'
//! hashes (blake3, as in the records), the smaller first, then the names they had, which nobody reads. `--not-same` appends; a
//! line that is deleted is forgotten.

use std::collections::HashSet;
use std::fmt::Write as _;
use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use crate::error::{Fatal, Trouble};
use crate::files::write_whole;
use crate::picture::Hash;

/// The file's name in the folder of the settings.
pub const FILE_NAME: &str = "not-the-same.txt";

const HEAD: &str = "# Pictures that are not the same, by their contents: written by `artificio duplicates --not-same`.\n\
                    # Delete a line to have the pair reported again.\n";

/// The pairs that the user has ruled out.
#[derive(Default)]
pub struct NotTheSame {
    pairs: HashSet<[String; 2]>,
}

impl NotTheSame {
    /// Reads the file at `path`; none is no pairs.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(path: &Path) -> Result<Self, Trouble> {
        Ok(Self::of(&text(path)?))
    }

    /// Of the file's text. Lines that are no two hashes are comments.
    fn of(text: &str) -> Self {
        let is_hash = |word: &&str| word.len() == 64 && word.bytes().all(|byte| byte.is_ascii_hexdigit());
        let pair = |line: &str| {
            let mut words = line.split_whitespace().take(2).filter(is_hash).map(str::to_ascii_lowercase);
            Some(ordered(words.next()?, words.next()?))
        };
        Self { pairs: text.lines().filter_map(pair).collect() }
    }

    /// Whether two contents have been ruled out.
    pub fn contains(&self, one: Hash, other: Hash) -> bool {
        !self.pairs.is_empty() && self.pairs.contains(&ordered(one.to_hex(), other.to_hex()))
    }
}

/// Adds every pair of `pictures` to the file at `path`; how many are new.
///
/// # Errors
/// When two of them have one content, or the file cannot be read or written.
pub fn remember(path: &Path, pictures: &[(PathBuf, Hash)]) -> Result<usize, Fatal> {
    let mut text = text(path)?;
    let known = NotTheSame::of(&text);
    if text.is_empty() {
        text += HEAD;
    } else if !text.ends_with('\n') {
        text.push('\n');
    }
    let mut added = 0;
    for (at, (path, hash)) in pictures.iter().enumerate() {
        for (other_path, other) in &pictures[at + 1..] {
            if hash == other {
                let what = "these are the same, byte for byte";
                return Err(Fatal::Usage(format!("{}, {}: {what}", path.display(), other_path.display())));
            }
            if !known.contains(*hash, *other) {
                let [one, two] = ordered(hash.to_hex(), other.to_hex());
                let names = format!("{} {}", path.to_string_lossy(), other_path.to_string_lossy());
                // A string can take any text.
                let _ = writeln!(text, "{one} {two}  {}", names.escape_debug());
                added += 1;
            }
        }
    }
    if added > 0 {
        // Where there are no settings yet. If it cannot be made, the file cannot be written, which is reported.
        let _ = path.parent().map(fs::create_dir_all);
        write_whole(path, text.as_bytes(), "remember what is not the same")?;
    }
    Ok(added)
}

fn text(path: &Path) -> Result<String, Trouble> {
    let unreadable = |error: &io::Error| Trouble::system("read which pictures are not the same", path, error);
    match fs::read(path) {
        Ok(bytes) => Ok(String::from_utf8_lossy(&bytes).into_owned()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(String::new()),
        Err(error) => Err(unreadable(&error)),
    }
}

fn ordered(one: String, other: String) -> [String; 2] {
    if one <= other { [one, other] } else { [other, one] }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_are_remembered_by_their_contents_and_once() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE_NAME);
        let picture = |name: &str| (PathBuf::from(name), Hash::of(name.as_bytes()));
        let [one, other, third] = ["a.jpg", "b\n.jpg", "c.jpg"].map(picture);
        assert!(!NotTheSame::read(&path).unwrap().contains(one.1, other.1));
        assert_eq!(remember(&path, &[one.clone(), other.clone(), third.clone()]).unwrap(), 3);
        let renamed = (PathBuf::from("elsewhere/a.jpg"), one.1);
        assert_eq!(remember(&path, &[other.clone(), renamed]).unwrap(), 0, "known, the other way round");
        let known = NotTheSame::read(&path).unwrap();
        assert!(known.contains(other.1, one.1) && known.contains(third.1, one.1));
        let text = fs::read_to_string(&path).unwrap();
        assert_eq!(text.lines().count(), 5, "a line break in a name ends no line: {text}");
        let without_first: String =
            text.lines().filter(|line| !line.contains("b\\n")).map(|line| format!("{line}\n")).collect();
        fs::write(&path, without_first).unwrap();
        let known = NotTheSame::read(&path).unwrap();
        assert!(!known.contains(other.1, one.1) && known.contains(third.1, one.1));
        assert!(remember(&path, &[one.clone(), (PathBuf::from("copy"), one.1)]).is_err());
    }
}
