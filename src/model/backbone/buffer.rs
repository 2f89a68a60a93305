//! Memory for numbers that begins on a cache line and is used again from layer to layer.

use std::ops::Deref;

/// A load of the longest vectors that begins elsewhere touches two cache lines, and costs two loads.
const LINE_BYTES: usize = 64;

/// `length` numbers on a cache line's boundary.
#[derive(Default)]
pub(super) struct Buffer {
    /// Longer than needed: where the boundary lies depends on the address.
    values: Vec<f32>,
    length: usize,
}

impl Buffer {
    /// A copy of `values`.
    pub(super) fn holding(values: &[f32]) -> Self {
        let mut buffer = Self::default();
        buffer.room(values.len()).copy_from_slice(values);
        buffer
    }

    /// Room for `length` numbers, to be written by the caller: what stands there is left over from before.
    pub(super) fn room(&mut self, length: usize) -> &mut [f32] {
        let needed = length + LINE_BYTES / size_of::<f32>();
        if self.values.len() < needed {
            self.values = vec![0.0; needed];
        }
        self.length = length;
        let start = self.start();
        &mut self.values[start..start + length]
    }

    fn start(&self) -> usize {
        self.values.as_ptr().align_offset(LINE_BYTES).min(LINE_BYTES / size_of::<f32>())
    }
}

impl Deref for Buffer {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        if self.length == 0 { &[] } else { &self.values[self.start()..][..self.length] }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_begins_on_a_cache_line_and_keeps_its_numbers() {
        for length in [0, 1, 15, 16, 17, 1000, 100_000] {
            let numbers: Vec<f32> = (0..length).map(|number| number as f32).collect();
            let buffer = Buffer::holding(&numbers);
            assert_eq!(*buffer, numbers);
            assert!(length == 0 || buffer.as_ptr().addr().is_multiple_of(LINE_BYTES));
        }
    }

    #[test]
    fn it_is_used_again() {
        let mut buffer = Buffer::holding(&[1.0; 100]);
        let before = buffer.as_ptr().addr();
        assert_eq!(buffer.room(50).len(), 50);
        assert_eq!((buffer.len(), buffer.as_ptr().addr()), (50, before));
    }
}
