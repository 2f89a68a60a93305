//! What every other module may use: plain data and arithmetic that know nothing of pictures.

pub mod rows;
