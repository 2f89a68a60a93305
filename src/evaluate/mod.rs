//! How good the answers are: labels, the retrieval figures, and the simple measures of similarity to beat.

pub mod baselines;
pub mod gate;
pub mod labels;
mod measure;
mod measured;
pub mod metrics;
mod queries;

pub use measure::{Evaluation, EvaluationOptions, LabelledPictures, MethodFigures, ModelFigures};
