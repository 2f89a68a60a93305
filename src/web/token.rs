//! The page's token: who knows it may come in. A browser keeps a cookie that follows from it, not the token itself.

use std::fmt;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::error::{Fatal, Trouble};

/// A shorter one could be guessed.
pub const SHORTEST: usize = 16;
/// A longer file holds something else.
const LONGEST_BYTES: u64 = 4 << 10;
/// Makes the cookie from the token.
const CONTEXT: &str = "artificio 2026-11-27 cookie of the page";

/// The token, known by its hashes only, so that comparing takes the same time for all wrong ones.
#[derive(Clone)]
pub struct PageToken {
    token: blake3::Hash,
    cookie: String,
}

impl fmt::Debug for PageToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("PageToken")
    }
}

impl PageToken {
    /// The first line of the file at `path`.
    ///
    /// # Errors
    /// The file cannot be read, or the token is too short.
    pub fn read(path: &Path) -> Result<Self, Fatal> {
        let mut text = String::new();
        let read = File::open(path).and_then(|file| file.take(LONGEST_BYTES).read_to_string(&mut text));
        read.map_err(|error| Trouble::system("read the token", path, &error))?;
        let token = text.lines().next().unwrap_or_default().trim();
        Self::of(token).ok_or_else(|| {
            Fatal::Usage(format!("{}: the token in the first line has fewer than {SHORTEST} letters", path.display()))
        })
    }

    /// `None` where it is too short.
    pub fn of(token: &str) -> Option<Self> {
        let long_enough = token.chars().count() >= SHORTEST;
        let cookie = blake3::Hash::from_bytes(blake3::derive_key(CONTEXT, token.as_bytes())).to_hex().to_string();
        long_enough.then(|| Self { token: blake3::hash(token.as_bytes()), cookie })
    }

    /// Whether it is this one.
    pub fn is(&self, token: &str) -> bool {
        // Hashes are compared in constant time.
        self.token == blake3::hash(token.trim().as_bytes())
    }

    /// The value of the cookie.
    pub fn cookie(&self) -> &str {
        &self.cookie
    }

    /// Whether it is that of the cookie.
    pub fn is_cookie(&self, value: &str) -> bool {
        blake3::hash(self.cookie.as_bytes()) == blake3::hash(value.as_bytes())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_and_a_short_one_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        std::fs::write(&path, "correct horse battery\nmore").unwrap();
        let token = PageToken::read(&path).unwrap();
        assert!(token.is("correct horse battery") && !token.is("correct horse") && !token.is(""));
        assert!(token.is_cookie(token.cookie()) && !token.is_cookie("correct horse battery") && !token.is_cookie(""));
        std::fs::write(&path, "short\n").unwrap();
        assert_eq!(PageToken::read(&path).unwrap_err().exit_code(), 2);
        assert_eq!(PageToken::read(&folder.path().join("none")).unwrap_err().exit_code(), 1);
    }
}
