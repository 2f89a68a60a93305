//! Pictures for the inventory and for queries, as BMP: no decoder or encoder is needed to make one.

const SIDE: usize = 96;

/// A picture of coloured squares; another one for each seed.
pub fn bmp(seed: u32) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9E37_79B9) | 1;
    let mut random = move || {
        state ^= state << 13;
        state ^= state >> 17;
        state ^= state << 5;
        state
    };
    let mut pixels = vec![[(random() % 256) as u8, (random() % 256) as u8, (random() % 256) as u8]; SIDE * SIDE];
    for _ in 0..12 {
        let colour = random().to_le_bytes();
        let [left, top, side] = [random() as usize % SIDE, random() as usize % SIDE, 8 + random() as usize % 40];
        for y in top..(top + side).min(SIDE) {
            for x in left..(left + side).min(SIDE) {
                pixels[y * SIDE + x] = [colour[0], colour[1], colour[2]];
            }
        }
    }
    let length = (54 + pixels.len() * 3) as u32;
    let mut bytes = b"BM".to_vec();
    for number in [length, 0, 54, 40, SIDE as u32, SIDE as u32, 1 | 24 << 16, 0, length - 54, 2_835, 2_835, 0, 0] {
        bytes.extend(number.to_le_bytes());
    }
    bytes.extend(pixels.into_iter().flatten());
    bytes
}

/// Whether a PNG ends where its last chunk does.
pub fn is_whole_png(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") else { return false };
    loop {
        let Some((length, after)) = rest.split_at_checked(4) else { return false };
        let length = u32::from_be_bytes([length[0], length[1], length[2], length[3]]) as usize;
        let Some((kind, after)) = after.split_at_checked(4) else { return false };
        let Some((_, after)) = after.split_at_checked(length + 4) else { return false };
        if kind == b"IEND" {
            return after.is_empty();
        }
        rest = after;
    }
}
