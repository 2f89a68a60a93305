//! Which file names are ignored: hidden files, unfinished downloads and copies, leftovers of other programs.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

/// Endings of the names of unfinished downloads and copies.
const UNFINISHED_ENDS: [&str; 7] = [".tmp", ".part", ".partial", ".crdownload", ".filepart", ".download", "~"];
/// Files and folders that operating systems and file managers create next to pictures.
const LEFTOVERS: [&str; 5] = ["thumbs.db", "@eadir", "desktop.ini", "#recycle", "$recycle.bin"];

/// Whether a file or folder of this name is ignored: nothing is logged, and no watch is set on it.
pub fn is_ignored(name: &OsStr) -> bool {
    let name = name.as_bytes();
    let ends_with = |end: &str| {
        let from = name.len().checked_sub(end.len());
        from.is_some_and(|from| name[from..].eq_ignore_ascii_case(end.as_bytes()))
    };
    name.starts_with(b".")
        || UNFINISHED_ENDS.iter().any(|end| ends_with(end))
        || LEFTOVERS.iter().any(|leftover| name.eq_ignore_ascii_case(leftover.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn unfinished_and_foreign_names_are_ignored() {
        for ignored in [
            ".hidden.jpg",
            "._a.jpg",
            "a.jpg.part",
            "a.JPG.crdownload",
            "a.tmp",
            "a.jpg~",
            "Thumbs.db",
            "@eaDir",
            ".syncthing.a",
        ] {
            assert!(is_ignored(OsStr::new(ignored)), "{ignored}");
        }
        for kept in ["a.jpg", "part.jpg", "tmp", "~a.jpg", "thumbs.db.jpg", "größe.png"] {
            assert!(!is_ignored(OsStr::new(kept)), "{kept}");
        }
        assert!(!is_ignored(OsStr::from_bytes(b"caf\xE9.jpg")));
    }
}
