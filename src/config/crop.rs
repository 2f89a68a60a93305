//! The part of a picture that a query is about.

use std::fmt;
use std::str::FromStr;

use serde::Serialize;
use serde::de::{Deserialize, Deserializer, Error};

/// A rectangle in an upright picture: `[x, y, width, height]`, from its upper left corner. If none of the numbers is larger than 1
/// they are shares of the picture's sides, otherwise pixels.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(transparent)]
pub struct Crop([f64; 4]);

/// All of its numbers are finite.
impl Eq for Crop {}

impl Crop {
    /// The rectangle of these numbers.
    ///
    /// # Errors
    /// What is wrong with them.
    fn new(numbers: [f64; 4]) -> Result<Self, String> {
        let [x, y, width, height] = numbers;
        if !numbers.iter().all(|number| number.is_finite()) || x < 0.0 || y < 0.0 || width <= 0.0 || height <= 0.0 {
            return Err(format!("{}: x and y are at least 0, width and height larger", Self(numbers)));
        }
        if Self(numbers).is_relative() && (x >= 1.0 || y >= 1.0) {
            return Err(format!("{}: this lies outside the picture", Self(numbers)));
        }
        Ok(Self(numbers))
    }

    /// Whether its numbers are shares of the picture's sides.
    fn is_relative(&self) -> bool {
        self.0.iter().all(|number| *number <= 1.0)
    }

    /// What of it lies in a picture of `width` × `height` pixels: x, y, width and height in pixels; `None` if nothing does.
    pub fn within(&self, width: u32, height: u32) -> Option<[u32; 4]> {
        let [x, y, wide, high] = self.0;
        let (across, down) = if self.is_relative() { (f64::from(width), f64::from(height)) } else { (1.0, 1.0) };
        let span = |start: f64, length: f64, scale: f64, side: u32| {
            let from = (start * scale).round().min(f64::from(side)) as u32;
            let to = ((start + length) * scale).round().min(f64::from(side)) as u32;
            // A pixel at least, where one of it lies inside.
            let to = to.max((from + 1).min(side));
            (to > from).then_some((from, to - from))
        };
        let ((x, wide), (y, high)) = (span(x, wide, across, width)?, span(y, high, down, height)?);
        Some([x, y, wide, high])
    }

    /// Its numbers as bytes, by which two are told apart.
    pub fn to_bytes(self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_le_bytes()).collect()
    }
}

/// "0.5,0,0.5,1", as it is written on the command line.
impl fmt::Display for Crop {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [x, y, width, height] = self.0;
        write!(out, "{x},{y},{width},{height}")
    }
}

impl FromStr for Crop {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let numbers: Option<Vec<f64>> = text.split(',').map(|number| number.trim().parse().ok()).collect();
        let numbers = numbers.and_then(|numbers| <[f64; 4]>::try_from(numbers).ok());
        Self::new(numbers.ok_or_else(|| {
            format!(
                "\"{text}\" is no part of a picture; write X,Y,WIDTH,HEIGHT in pixels, or in shares such as 0.5,0,0.5,1"
            )
        })?)
    }
}

/// Four numbers.
impl<'de> Deserialize<'de> for Crop {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let numbers = <[f64; 4]>::try_from(Vec::<f64>::deserialize(deserializer)?);
        let numbers = numbers.map_err(|numbers| D::Error::invalid_length(numbers.len(), &"[x, y, width, height]"))?;
        Self::new(numbers).map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn crop(text: &str) -> Crop {
        text.parse().unwrap()
    }

    #[test]
    fn shares_and_pixels_are_told_apart_by_their_size() {
        assert_eq!(crop("0.5,0,0.5,1").within(400, 300), Some([200, 0, 200, 300]));
        assert_eq!(crop("10, 20, 30, 40").within(400, 300), Some([10, 20, 30, 40]));
        assert_eq!(crop("0,0,1,1").within(400, 300), Some([0, 0, 400, 300]));
    }

    #[test]
    fn only_what_lies_inside_is_taken() {
        assert_eq!(crop("390,290,100,100").within(400, 300), Some([390, 290, 10, 10]));
        assert_eq!(crop("400,0,10,10").within(400, 300), None);
        assert_eq!(crop("0.999,0.999,0.0001,0.0001").within(40, 30), None, "the last pixel ends before");
        assert_eq!(crop("0.9,0.9,0.0001,0.0001").within(40, 30), Some([36, 27, 1, 1]));
    }

    #[test]
    fn what_is_no_rectangle_is_refused() {
        for text in ["1,2,3", "a,b,c,d", "0,0,0,5", "-1,0,5,5", "nan,0,5,5", "1,0,1,1", "inf,0,1,1", ""] {
            assert!(text.parse::<Crop>().is_err(), "{text}");
        }
    }
}
