//! What every other module may use: plain data, arithmetic and pages that know nothing of pictures or settings.

pub mod bootstrap;
pub mod csv;
pub mod dot;
pub mod eight_bits;
pub mod html;
pub mod nearest;
pub mod parallel;
pub mod rows;
