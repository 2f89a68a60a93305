//! Seeded random numbers that never change: the same seed gives the same numbers in every version of the program.
//!
//! The demo's pictures are drawn with them and models are trained with them, and both have to come out the same to the bit.
//! Why this is not a crate from elsewhere: `docs/decisions/random-numbers.md`.
//!
//! ```
//! use artificio_random::Random;
//!
//! let mut random = Random::new(7);
//! let die = random.count(1, 6);
//! assert!((1..=6).contains(&die));
//! assert_eq!(die, Random::new(7).count(1, 6), "the same seed, the same number");
//! ```

/// A generator: SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
#[derive(Debug, Clone)]
pub struct Random {
    state: u64,
}

impl Random {
    /// The generator of one sequence; every seed has another.
    pub fn new(seed: u64) -> Self {
        Self { state: seed }
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.state = self.state.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number in 0..1, uniform, with 24 random bits.
    pub fn unit(&mut self) -> f32 {
        (self.bits() >> 40) as f32 / (1u32 << 24) as f32
    }

    /// A number in `low..high`, uniform.
    pub fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * self.unit()
    }

    /// A number at most `spread` away from `middle`, uniform.
    pub fn around(&mut self, middle: f32, spread: f32) -> f32 {
        self.between(middle - spread, middle + spread)
    }

    /// A whole number from `low` to `high`, both included; uniform but for a bias below (high − low) / 2⁶⁴.
    pub fn count(&mut self, low: usize, high: usize) -> usize {
        low + (self.bits() % (high - low + 1) as u64) as usize
    }

    /// True with this probability.
    pub fn chance(&mut self, share: f32) -> bool {
        self.unit() < share
    }

    /// An angle in radians, uniform over all directions.
    pub fn angle(&mut self) -> f32 {
        self.between(0.0, std::f32::consts::TAU)
    }

    /// One of the choices, each as probable as the others.
    pub fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[self.count(0, N - 1)]
    }

    /// A point of the disc of radius 1, uniform over its area. Its last bit is up to the system's sine and cosine.
    pub fn in_disc(&mut self) -> (f32, f32) {
        let (angle, radius) = (self.angle(), self.unit().sqrt());
        (angle.cos() * radius, angle.sin() * radius)
    }

    /// A number of the standard normal distribution (Box and Muller, Annals of Mathematical Statistics 29, 1958). Its last
    /// bit is up to the system's logarithm and cosine.
    pub fn normal(&mut self) -> f32 {
        let radius = (-2.0 * (1.0 - self.unit()).ln()).sqrt();
        radius * self.angle().cos()
    }

    /// Puts the items into a random order (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.count(0, last));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_that_of_the_published_generator() {
        let mut random = Random::new(1_234_567);
        assert_eq!(random.bits(), 6_457_827_717_110_365_317);
        assert_eq!(random.bits(), 3_203_168_211_198_807_973);
    }

    /// Pictures and models depend on these very numbers: a change of any of them is no refactoring.
    #[test]
    fn what_is_made_of_the_bits_stays_the_same() {
        let mut random = Random::new(7);
        let floats = [random.unit(), random.between(2.0, 3.0), random.around(0.0, 2.0), random.angle()];
        assert_eq!(floats, [0.389_829_7, 2.016_788_2, 1.603_042_6, 3.662_659]);
        assert_eq!([random.count(1, 6), random.count(1, 6), random.pick([10, 20, 30])], [5, 4, 20]);
        assert_eq!([random.chance(0.5), random.chance(0.9)], [true, true]);
        let mut order = [0, 1, 2, 3, 4, 5];
        random.shuffle(&mut order);
        assert_eq!(order, [1, 2, 4, 0, 3, 5]);
    }
}
