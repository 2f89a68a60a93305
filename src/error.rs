//! Errors split by consequence: [`Fatal`] stops the program with an exit code, [`Trouble`] is reported and work goes on.

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

/// The program cannot go on. Its text is printed as it stands, then the program ends with [`Fatal::exit_code`].
#[derive(Debug)]
pub enum Fatal {
    /// Something needed failed; exit code 1.
    Failed(String),
    /// Something needed failed with one path; exit code 1.
    Trouble(Trouble),
    /// The command line is wrong; exit code 2.
    Usage(String),
    /// The settings are wrong; exit code 2. What exactly is of a type that only `config` knows: it is the
    /// [`source`](std::error::Error::source).
    Config(Box<dyn std::error::Error + Send + Sync>),
    /// Another instance works on this root; exit code 3.
    AlreadyRunning(String),
}

impl Fatal {
    /// 1 failed, 2 wrong usage or configuration, 3 another instance holds the lock.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Failed(_) | Self::Trouble(_) => 1,
            Self::Usage(_) | Self::Config(_) => 2,
            Self::AlreadyRunning(_) => 3,
        }
    }
}

impl fmt::Display for Fatal {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Failed(text) | Self::Usage(text) | Self::AlreadyRunning(text) => out.write_str(text),
            Self::Trouble(trouble) => trouble.fmt(out),
            Self::Config(error) => error.fmt(out),
        }
    }
}

impl std::error::Error for Fatal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Trouble(trouble) => Some(trouble),
            Self::Config(error) => Some(error.as_ref()),
            Self::Failed(_) | Self::Usage(_) | Self::AlreadyRunning(_) => None,
        }
    }
}

impl From<Trouble> for Fatal {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Something went wrong with one thing; everything else goes on. Shown in the log, in `status.json` and by `check`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Trouble {
    /// What happened, as a sentence without the path: "the picture is cut off".
    pub what: String,
    /// What it happened to.
    #[serde(serialize_with = "path_as_text")]
    pub path: PathBuf,
    /// What a person can do about it.
    pub remedy: String,
}

impl Trouble {
    /// A trouble with `path`.
    pub fn new(what: impl Into<String>, path: impl AsRef<Path>, remedy: impl Into<String>) -> Self {
        Self { what: what.into(), path: path.as_ref().to_path_buf(), remedy: remedy.into() }
    }

    /// A failed system call while doing `doing` ("write the answer") to `path`, with its remedy.
    pub fn system(doing: &str, path: impl AsRef<Path>, error: &std::io::Error) -> Self {
        Self::new(format!("could not {doing}: {}", reason(error)), path, remedy(error))
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `what` may hold an excerpt of several lines; a name is one line, whatever it contains.
        write!(out, "{}: {}", one_line(&self.path.display().to_string()), self.what)?;
        if !self.remedy.is_empty() {
            // After an excerpt of several lines, the remedy has a line of its own.
            let gap = if self.what.contains('\n') { '\n' } else { ' ' };
            write!(out, "{gap}({})", self.remedy)?;
        }
        Ok(())
    }
}

impl std::error::Error for Trouble {}

/// Whether a terminal obeys `letter` instead of showing it: control characters, and those that change the direction of text.
pub fn is_obeyed(letter: char) -> bool {
    let turns =
        matches!(letter, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    letter.is_control() || turns || matches!(letter, '\u{2028}' | '\u{2029}')
}

/// A text from outside (a file may be called anything) without what a terminal would obey; line breaks stay.
pub fn harmless(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            letter if is_obeyed(letter) && letter != '\n' => shown.extend(letter.escape_default()),
            letter => shown.push(letter),
        }
    }
    shown
}

/// The same on one line, as for a name.
pub fn one_line(text: &str) -> String {
    harmless(text).replace('\n', "\\n")
}

fn path_as_text<S: serde::Serializer>(path: &Path, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&path.to_string_lossy())
}

/// The operating system's reason without its error number.
pub fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    match text.find(" (os error") {
        Some(end) => text[..end].to_lowercase(),
        None => text,
    }
}

fn remedy(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "make sure the folder exists and is mounted",
        ErrorKind::PermissionDenied => {
            "give the user who runs artificio access: see `ls -ld` on the path and its folders"
        }
        ErrorKind::StorageFull => "free some space on that disk; the work is kept and goes on by itself",
        ErrorKind::QuotaExceeded => "raise the quota or free some space; the work is kept and goes on by itself",
        ErrorKind::FileTooLarge => "raise the limit of file sizes (`ulimit -f`, or LimitFSIZE= in the unit)",
        ErrorKind::ReadOnlyFilesystem => "mount the disk writable, or choose another folder in the configuration",
        // EMFILE and ENFILE have no kind of their own.
        _ if matches!(error.raw_os_error(), Some(23 | 24)) => {
            "raise the limit of open files (`ulimit -n`, or LimitNOFILE= in the unit)"
        }
        _ => "see whether the disk is healthy; it is tried again by itself",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_trouble_names_the_path_and_the_remedy() {
        let full = std::io::Error::from_raw_os_error(28);
        let trouble = Trouble::system("write the answer", "/a/answer", &full);
        assert_eq!(
            trouble.to_string(),
            "/a/answer: could not write the answer: no space left on device (free some space on that disk; the work is kept and goes on by itself)"
        );
    }

    #[test]
    fn a_name_is_one_line_and_moves_no_cursor() {
        let trouble = Trouble::new("it is empty", "/a/new\nline\u{1b}[2J\u{202e}gpj.exe", "");
        assert_eq!(trouble.to_string(), "/a/new\\nline\\u{1b}[2J\\u{202e}gpj.exe: it is empty");
        assert_eq!(harmless("größe 料理 🍔\n\tx"), "größe 料理 🍔\n\\tx");
    }

    #[test]
    fn exit_codes_are_those_that_scripts_rely_on() {
        assert_eq!(Fatal::Failed(String::new()).exit_code(), 1);
        assert_eq!(Fatal::Usage(String::new()).exit_code(), 2);
        assert_eq!(Fatal::AlreadyRunning(String::new()).exit_code(), 3);
        assert_eq!(Fatal::Config("wrong".into()).exit_code(), 2);
        assert_eq!(Fatal::from(Trouble::new("it is empty", "/a", "")).exit_code(), 1);
    }
}
