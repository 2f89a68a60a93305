//! What every other module may use: plain data and arithmetic that know nothing of pictures.

pub mod dot;
pub mod nearest;
pub mod parallel;
pub mod rows;
