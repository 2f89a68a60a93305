//! How good answers are: retrieval figures on labelled pictures and simple baselines; and the gate that decides whether a new
//! model may serve.

pub mod baselines;
pub mod gate;
pub mod labels;
mod measure;
mod measured;
pub mod metrics;
mod queries;

pub use measure::{Evaluation, EvaluationOptions, LabelledPictures, MethodFigures, ModelFigures};
