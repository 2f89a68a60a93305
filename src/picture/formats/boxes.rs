//! Files of boxes (ISO/IEC 14496-12): HEIC, AVIF and CR3 are such, as videos are.

/// The boxes that `bytes` consist of, the kind of each and what is in it, up to the first that is not whole.
pub fn boxes(mut bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    std::iter::from_fn(move || {
        let (kind, body, rest) = split(bytes)?;
        bytes = rest;
        Some((kind, body))
    })
}

fn split(bytes: &[u8]) -> Option<([u8; 4], &[u8], &[u8])> {
    let kind = *bytes.get(4..)?.first_chunk()?;
    let (head, length) = match number(bytes, 4)? {
        // Up to the end.
        0 => (8, bytes.len()),
        1 => (16, usize::try_from(number(bytes.get(8..)?, 8)?).ok()?),
        length => (8, usize::try_from(length).ok()?),
    };
    Some((kind, bytes.get(head..length)?, bytes.get(length..)?))
}

/// What is in the first box of `kind` among `bytes`.
pub fn find<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(found, _)| found == kind).map(|(_, body)| body)
}

/// The number that the first `length` bytes are, at most eight, the largest part first.
pub fn number(bytes: &[u8], length: usize) -> Option<u64> {
    Some(bytes.get(..length)?.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
}

/// Reads numbers one after the other.
pub struct Numbers<'a>(pub &'a [u8]);

impl Numbers<'_> {
    /// The next number, of `length` bytes.
    pub fn next(&mut self, length: usize) -> Option<u64> {
        let number = number(self.0, length)?;
        self.0 = &self.0[length..];
        Some(number)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boxes_follow_each_other_and_a_cut_one_ends_them() {
        let bytes = [&b"\0\0\0\x0bfirst\0\0"[..], b"\0\0\0\x01long\0\0\0\0\0\0\0\x11x", b"\0\0\0\0restof it"].concat();
        let found: Vec<_> = boxes(&bytes).collect();
        assert_eq!(found, [(*b"firs", &b"t\0\0"[..]), (*b"long", b"x"), (*b"rest", b"of it")]);
        assert_eq!(find(&bytes, b"long"), Some(&b"x"[..]));
        assert_eq!(boxes(&bytes[..20]).count(), 1);
        assert_eq!(boxes(b"\0\0\0\x04tiny").count(), 0, "shorter than its own head");
    }
}
