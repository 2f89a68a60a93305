//! The first layer: 3×3 convolution of stride 2 over RGB, as a gather of 27 numbers a pixel and one matrix product.

use super::buffer::Buffer;
use super::depthwise::padding_before;

/// Gathers what a 3×3 kernel of stride 2 sees: `[side, side, 3]` to `[(side/2)², 27]` (row, column, colour), TensorFlow
/// SAME padding with zeros. `side` must be even.
pub(super) fn gather(picture: &[f32], side: usize, out: &mut Buffer) {
    let half = side / 2;
    let before = padding_before(side, 3, 2);
    let out = out.room(half * half * 27);
    out.fill(0.0);
    for (pixel, seen) in out.chunks_exact_mut(27).enumerate() {
        let (top, left) = (pixel / half * 2, pixel % half * 2);
        for (tap, row) in seen.chunks_exact_mut(9).enumerate() {
            let Some(y) = (top + tap).checked_sub(before).filter(|&y| y < side) else { continue };
            let start = left.saturating_sub(before);
            let skipped = before.saturating_sub(left);
            let width = (3 - skipped).min(side - start);
            row[skipped * 3..][..width * 3].copy_from_slice(&picture[(y * side + start) * 3..][..width * 3]);
        }
    }
}
