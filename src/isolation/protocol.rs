//! The protocol between the service and its child process: one JSON argument in, a binary answer out.

use std::io::{self, Read, Write};

use image::{DynamicImage, RgbaImage};
use serde::{Deserialize, Serialize};

use super::extract::{Extracted, Outputs};
use crate::config::Encoder;
use crate::picture::{Bounds, Resolution, Square, Unusable};

/// The child's first line begins with this; then comes the memory that it may take, in bytes. Whatever happens to it afterwards
/// is caused by the picture.
const READY: &str = "ready ";

/// The child's side: it is ready, and may take so much memory.
pub fn write_ready(to: &mut impl Write, memory_bytes: u64) -> io::Result<()> {
    writeln!(to, "{READY}{memory_bytes}")?;
    to.flush()
}

/// The service's side: the memory that the child may take, and what it wrote after that; `None` if it was not ready.
pub fn read_ready(written: &[u8]) -> Option<(u64, &[u8])> {
    let end = written.iter().position(|byte| *byte == b'\n')?;
    let memory = std::str::from_utf8(&written[..end]).ok()?.strip_prefix(READY)?.parse().ok()?;
    Some((memory, &written[end + 1..]))
}

/// The child's one argument, as JSON. The file's bytes come on standard input.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ChildRequest {
    /// Process that waits for the answer.
    pub parent: u32,
    /// Extension of the file's name, by which alone a TGA file is recognised.
    pub extension: String,
    /// What it is to do.
    pub task: ChildTask,
    /// Memory that the child may allocate after its start at most, in bytes.
    pub memory_bytes: u64,
}

/// What a child does with the picture.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum ChildTask {
    /// The trial of a suspect: all of what the service would do with it.
    Trial(DecodeOrder),
    /// It decodes it to this resolution, or a higher one.
    Decode(Bounds, Resolution),
    /// It decodes it and sends a smaller copy, with so many pixels along the longer side at most.
    Shrink(Bounds, u32),
}

impl ChildTask {
    /// The limits of memory and time.
    pub fn bounds(&self) -> &Bounds {
        match self {
            Self::Trial(order) => &order.bounds,
            Self::Decode(bounds, _) | Self::Shrink(bounds, _) => bounds,
        }
    }
}

/// The outputs to compute from a picture, and the limits.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct DecodeOrder {
    /// The limits of memory and time.
    pub bounds: Bounds,
    /// The outputs to compute.
    pub outputs: Outputs,
    /// What makes features of squares.
    pub features_by: FeatureMaker,
}

/// What makes features in a trial.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub enum FeatureMaker {
    /// The child, for this encoder, with the network that comes with the program.
    Child(Encoder),
    /// The service, with a network of the user's own, of squares of so many pixels: what it does is the same for every picture.
    Service {
        /// Side of the squares.
        side: usize,
    },
}

/// What the child writes after that it is ready: this as a line of JSON, then the bytes of square, features and picture.
#[derive(Debug, Serialize, Deserialize)]
pub enum Head {
    /// It is a usable picture.
    Extracted {
        /// Side of the square in pixels, 0 without one; `[side, side, 3]` bytes follow.
        square_side: usize,
        /// Number of features; 4 bytes each, the lowest first, follow.
        features: usize,
        /// Width and height, 0 without a picture; `[height, width, 4]` bytes follow.
        size: [u32; 2],
        /// Width and height of the picture when it was decoded.
        whole: [u32; 2],
        /// Processor time of the decoding, in milliseconds.
        decode_ms: u64,
    },
    /// It is not usable, which is a normal result.
    Unusable(Unusable),
}

/// The child's side: writes the answer.
pub fn write_answer(to: &mut impl Write, result: Result<Extracted, Unusable>, decode_ms: u64) -> io::Result<()> {
    let extracted = match result {
        Ok(extracted) => extracted,
        Err(problem) => return write_head(to, &Head::Unusable(problem)),
    };
    let picture = extracted.picture.map(DynamicImage::into_rgba8).unwrap_or_default();
    let features = extracted.features.unwrap_or_default();
    let head = Head::Extracted {
        square_side: extracted.square.as_ref().map_or(0, Square::side),
        features: features.len(),
        size: [picture.width(), picture.height()],
        whole: extracted.size,
        decode_ms,
    };
    write_head(to, &head)?;
    to.write_all(extracted.square.as_ref().map_or(&[], Square::rgb))?;
    to.write_all(&features.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
    to.write_all(picture.as_raw())
}

fn write_head(to: &mut impl Write, head: &Head) -> io::Result<()> {
    let mut line = serde_json::to_vec(head)?;
    line.push(b'\n');
    to.write_all(&line)
}

/// The service's side: the answer in what the child wrote after that, and the processor time of the decoding in
/// milliseconds; `None` where it is not whole.
pub fn read_answer(mut written: &[u8]) -> Option<(Result<Extracted, Unusable>, u64)> {
    let end = written.iter().position(|byte| *byte == b'\n')?;
    let head: Head = serde_json::from_slice(&written[..end]).ok()?;
    written = &written[end + 1..];
    let (square_side, features, [width, height], whole, decode_ms) = match head {
        Head::Unusable(problem) => return Some((Err(problem), 0)),
        Head::Extracted { square_side, features, size, whole, decode_ms } => {
            (square_side, features, size, whole, decode_ms)
        }
    };
    let square = take(&mut written, square_side.checked_mul(square_side)?.checked_mul(3)?)?;
    let features = take(&mut written, features.checked_mul(4)?)?;
    let features: Vec<f32> =
        features.chunks_exact(4).map(|bytes| f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]])).collect();
    let picture = take(&mut written, (width as usize).checked_mul(height as usize)?.checked_mul(4)?)?;
    let extracted = Extracted {
        square: (square_side > 0).then(|| Square::from_rgb(square_side, square)).flatten(),
        features: (!features.is_empty()).then_some(features),
        picture: (width > 0 && height > 0)
            .then(|| RgbaImage::from_raw(width, height, picture))
            .flatten()
            .map(DynamicImage::ImageRgba8),
        size: whole,
    };
    Some((Ok(extracted), decode_ms))
}

fn take(from: &mut &[u8], count: usize) -> Option<Vec<u8>> {
    if from.len() < count {
        return None;
    }
    let mut bytes = vec![0; count];
    from.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extracted() -> Extracted {
        Extracted {
            square: Square::from_rgb(2, (0..12).collect()),
            features: Some(vec![1.5, -0.25, f32::MIN_POSITIVE]),
            picture: Some(DynamicImage::ImageRgba8(RgbaImage::from_fn(3, 2, |x, y| {
                image::Rgba([x as u8, y as u8, 7, 9])
            }))),
            size: [30, 20],
        }
    }

    #[test]
    fn what_is_written_is_read_to_the_bit_and_a_part_of_it_is_no_answer() {
        let mut written = Vec::new();
        write_answer(&mut written, Ok(extracted()), 17).unwrap();
        let (result, decode_ms) = read_answer(&written).unwrap();
        let (read, expected) = (result.unwrap(), extracted());
        assert!(read.square == expected.square && read.features == expected.features && decode_ms == 17);
        assert_eq!((read.picture, read.size), (expected.picture, expected.size));
        for end in 0..written.len() {
            assert!(read_answer(&written[..end]).is_none(), "cut off after {end} bytes");
        }
    }

    #[test]
    fn a_picture_without_height_is_none() {
        let written =
            b"{\"Extracted\":{\"square_side\":0,\"features\":0,\"size\":[3,0],\"whole\":[3,0],\"decode_ms\":0}}\n";
        assert!(read_answer(written).unwrap().0.unwrap().picture.is_none());
    }

    #[test]
    fn what_is_not_asked_for_is_not_sent_and_a_problem_keeps_its_words() {
        let mut written = Vec::new();
        write_answer(&mut written, Ok(Extracted { square: None, features: None, picture: None, size: [1, 1] }), 0)
            .unwrap();
        let read = read_answer(&written).unwrap().0.unwrap();
        assert!(read.square.is_none() && read.features.is_none() && read.picture.is_none());
        for problem in [Unusable::CutOff, Unusable::Damaged("its PNG data makes no sense".into())] {
            let mut written = Vec::new();
            write_answer(&mut written, Err(problem.clone()), 0).unwrap();
            assert_eq!(read_answer(&written).unwrap().0.err(), Some(problem));
        }
    }
}
