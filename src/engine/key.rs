//! The keys of pictures in an engine: even, so that those with one beginning are a random sample of all.

use std::fmt;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Longest prefix, in hexadecimal digits.
const LONGEST_PREFIX: u32 = 7;

/// What a picture of a node is found by: 128 bits of a hash of the node's name and the path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PictureKey(u128);

impl PictureKey {
    /// Of the picture at `path` in the inventory of `node`.
    pub fn of(node: &str, path: &Path) -> Self {
        let mut hasher = blake3::Hasher::new();
        // No name has a NUL in it.
        hasher.update(node.as_bytes()).update(&[0]).update(path.as_os_str().as_bytes());
        let mut first = [0; 16];
        first.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Self(u128::from_be_bytes(first))
    }

    /// Reads what its `Display` writes.
    pub fn parse(text: &str) -> Option<Self> {
        let is_hex = text.len() == 32 && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
        is_hex.then(|| u128::from_str_radix(text, 16).ok().map(Self)).flatten()
    }
}

/// 32 hexadecimal digits, in the order of the keys.
impl fmt::Display for PictureKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{:032x}", self.0)
    }
}

/// A beginning that keys have in common: a slice of all keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyPrefix {
    digits: u32,
    value: u32,
}

impl KeyPrefix {
    /// Of all keys.
    pub const ALL: Self = Self { digits: 0, value: 0 };

    /// The slices of `rows` even keys that have at most about `most` each, in order.
    pub fn slices(rows: usize, most: usize) -> impl Iterator<Item = Self> {
        let mut digits = 0;
        while digits < LONGEST_PREFIX && rows >> (4 * digits) > most {
            digits += 1;
        }
        (0..1_u32 << (4 * digits)).map(move |value| Self { digits, value })
    }

    /// Whether a key begins so.
    pub fn has(self, key: PictureKey) -> bool {
        self.digits == 0 || (key.0 >> (128 - 4 * self.digits)) as u32 == self.value
    }

    /// The text that the keys begin with.
    pub fn text(self) -> String {
        match self.digits {
            0 => String::new(),
            digits => format!("{:0width$x}", self.value, width = digits as usize),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_that_of_one_picture_of_one_node() {
        let key = PictureKey::of("a", Path::new("b/c.jpg"));
        assert_eq!(key, PictureKey::of("a", Path::new("b/c.jpg")));
        assert_ne!(key, PictureKey::of("b", Path::new("b/c.jpg")));
        assert_ne!(key, PictureKey::of("ab", Path::new("/c.jpg")));
        assert_eq!(PictureKey::parse(&key.to_string()), Some(key));
        assert_eq!(PictureKey::parse("+1"), None);
    }

    #[test]
    fn slices_hold_each_key_once_and_are_even() {
        let keys: Vec<PictureKey> = (0..4_000).map(|at| PictureKey::of("a", Path::new(&format!("{at}")))).collect();
        for (most, count) in [(9_000, 1), (300, 16), (20, 256)] {
            let slices: Vec<KeyPrefix> = KeyPrefix::slices(keys.len(), most).collect();
            assert_eq!(slices.len(), count);
            let sizes: Vec<usize> =
                slices.iter().map(|slice| keys.iter().filter(|key| slice.has(**key)).count()).collect();
            assert_eq!(sizes.iter().sum::<usize>(), keys.len());
            assert!(sizes.iter().all(|size| *size < 2 * keys.len() / count + 20), "{sizes:?}");
            assert!(slices.windows(2).all(|pair| pair[0].text() < pair[1].text()));
        }
        let one = KeyPrefix::slices(1_000, 4).nth(9).unwrap();
        assert!(keys.iter().all(|key| one.has(*key) == key.to_string().starts_with(&one.text())));
    }
}
