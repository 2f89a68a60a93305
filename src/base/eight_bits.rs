//! Rows of numbers with eight bits a number, as they are kept: blocks of 128, each with a scale of its own.
//!
//! Symmetric linear quantisation by blocks (as in Dettmers et al., "8-bit optimizers via block-wise quantization", ICLR 2022): what is
//! lost of a number is at most a 254th of the greatest in its block, so a row keeps its direction to about half a per cent.

/// Numbers that share a scale.
const BLOCK: usize = 128;
const GREATEST: f32 = 127.0;
const SCALE_BYTES: usize = size_of::<f32>();

/// `[n]` numbers as bytes: for each block its scale, a little-endian float32, and a byte a number. What is not a number is zero.
pub fn pack(values: &[f32]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(values.len() + values.len().div_ceil(BLOCK) * SCALE_BYTES);
    for block in values.chunks(BLOCK) {
        let finite = |value: &f32| if value.is_finite() { *value } else { 0.0 };
        let scale = short(block.iter().map(|value| finite(value).abs()).fold(0.0, f32::max) / GREATEST);
        bytes.extend(scale.to_le_bytes());
        let steps = |value: &f32| if scale > 0.0 { (finite(value) / scale).round() as i8 } else { 0 };
        bytes.extend(block.iter().map(|value| steps(value).to_le_bytes()[0]));
    }
    bytes
}

/// The next greater number with eight bits less: its products with up to 127 are exact, so that what came back once is packed to the
/// same bytes again.
fn short(scale: f32) -> f32 {
    f32::from_bits((scale.to_bits() + 0xff) & !0xff)
}

/// The numbers that [`pack`] made these bytes of, about.
pub fn unpack(bytes: &[u8]) -> Vec<f32> {
    let block = |block: &[u8]| {
        let (scale, steps) = block.split_first_chunk().unwrap_or((&[0; SCALE_BYTES], &[]));
        let scale = f32::from_le_bytes(*scale);
        steps.iter().map(move |step| f32::from(i8::from_le_bytes([*step])) * scale).collect::<Vec<f32>>()
    };
    bytes.chunks(SCALE_BYTES + BLOCK).flat_map(block).collect()
}

/// The numbers as they will come back.
pub fn rounded(values: &[f32]) -> Vec<f32> {
    unpack(&pack(values))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_within_a_254th_of_the_greatest_of_their_block() {
        for count in [1, 3, 127, 128, 129, 300] {
            let values: Vec<f32> =
                (0..count).map(|at| (at as f32 * 0.7).sin() * if at < 128 { 5.0 } else { 0.001 }).collect();
            let back = unpack(&pack(&values));
            assert_eq!(back.len(), values.len());
            for (block, back) in values.chunks(BLOCK).zip(back.chunks(BLOCK)) {
                let greatest = block.iter().fold(0.0_f32, |greatest, value| greatest.max(value.abs()));
                assert!(block.iter().zip(back).all(|(value, back)| (value - back).abs() <= greatest / 253.0));
            }
        }
        assert!(pack(&[]).is_empty() && unpack(&[]).is_empty());
    }

    #[test]
    fn what_came_back_once_stays_as_it_is() {
        let values: Vec<f32> = (0..700).map(|at| (at as f32 * 1.3).cos() / (1 + at) as f32).collect();
        assert_eq!(rounded(&rounded(&values)), rounded(&values));
        assert_eq!(pack(&rounded(&values)), pack(&values));
    }

    #[test]
    fn zeros_and_what_is_no_number_are_zeros_and_any_bytes_can_be_read() {
        assert_eq!(rounded(&[0.0; 5]), [0.0; 5]);
        let back = rounded(&[f32::NAN, 2.0, f32::INFINITY]);
        assert!(back[0] == 0.0 && (back[1] - 2.0).abs() < 1e-4 && back[2] == 0.0, "{back:?}");
        for length in 0..300 {
            unpack(&vec![0xff; length]);
        }
    }
}
