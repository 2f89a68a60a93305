//! The first layer: 3×3 convolution of stride 2 over RGB, as a gather of 27 numbers a pixel and one matrix product.

use std::ops::Range;

use super::GROUP;
use super::buffer::Buffer;

/// Numbers that a 3×3 kernel sees of three colours.
pub(super) const SEEN: usize = 27;

/// Gathers what a 3×3 kernel of stride 2 sees (row, column, colour) of `picture` `[side, side, 3]`, of whose values `scaled`
/// makes numbers, for `rows` of its output: [`SEEN`] channels of `rows.len() * side / 2` pixels. `side` must be even:
/// TensorFlow SAME padding then puts one row of zeros below and one column to the right.
pub(super) fn gather<T: Copy>(
    picture: &[T],
    side: usize,
    scaled: impl Fn(T) -> f32,
    rows: Range<usize>,
    out: &mut Buffer,
) {
    let half = side / 2;
    let length = rows.len() * half * GROUP;
    let (low, high) = out.room(2 * length).split_at_mut(length);
    let (low, high) = (low.as_chunks_mut::<GROUP>().0, high.as_chunks_mut::<GROUP>().0);
    let mut lines: [Vec<f32>; 3] = std::array::from_fn(|_| vec![0.0; (side + 1) * 3]);
    for (y, (low, high)) in rows.clone().zip(low.chunks_exact_mut(half).zip(high.chunks_exact_mut(half))) {
        lines.swap(0, 2);
        for (tap, line) in lines.iter_mut().enumerate().skip(usize::from(y > rows.start)) {
            match picture.chunks_exact(side * 3).nth(y * 2 + tap) {
                Some(row) => line.iter_mut().zip(row).for_each(|(to, &from)| *to = scaled(from)),
                None => line.fill(0.0),
            }
        }
        for (x, (low, high)) in low.iter_mut().zip(high).enumerate() {
            let [top, middle, bottom] = &lines;
            let (top, middle, bottom) = (&top[x * 6..][..9], &middle[x * 6..][..9], &bottom[x * 6..][..9]);
            low[..9].copy_from_slice(top);
            low[9..].copy_from_slice(&middle[..7]);
            high[..2].copy_from_slice(&middle[7..]);
            high[2..11].copy_from_slice(bottom);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_pixel_gets_what_the_kernel_sees_and_zeros_outside() {
        for (side, rows) in [(2, 0..1), (4, 0..2), (10, 0..5), (10, 2..4), (10, 4..5)] {
            let picture: Vec<f32> = (1..=side * side * 3).map(|at| at as f32).collect();
            let mut out = Buffer::default();
            gather(&picture, side, |value| -value, rows.clone(), &mut out);
            let (half, pixels) = (side / 2, rows.len() * side / 2);
            assert_eq!(out.len(), SEEN.next_multiple_of(GROUP) * pixels);
            for (pixel, channel) in (0..pixels).flat_map(|pixel| (0..SEEN).map(move |channel| (pixel, channel))) {
                let (y, x) = ((rows.start + pixel / half) * 2 + channel / 9, pixel % half * 2 + channel % 9 / 3);
                let inside = y < side && x < side;
                let expected = if inside { -picture[(y * side + x) * 3 + channel % 3] } else { 0.0 };
                let found = out[(channel / GROUP * pixels + pixel) * GROUP + channel % GROUP];
                assert!(found == expected, "side {side}, pixel {pixel}, channel {channel}: {found}, not {expected}");
            }
        }
    }
}
