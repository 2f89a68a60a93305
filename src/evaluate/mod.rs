//! How good the answers are: labels, the retrieval figures, and the simple measures of similarity to beat.

pub mod baselines;
pub mod gate;
pub mod labels;
mod measure;
pub mod metrics;
mod questions;
mod views;

pub use measure::{Labelled, Learned, Report, Row, Wanted};
