//! How good answers are: retrieval figures on labelled pictures and simple baselines; and the gate that decides whether a new
//! model may serve.

pub mod baselines;
mod fits;
pub mod gate;
mod intervals;
mod label_file;
pub mod labels;
mod look;
mod measure;
mod measured;
pub mod metrics;
mod per_label;
mod queries;
mod report;
mod through_engine;

pub use look::{EvaluationOptions, LabelledFiles, MeasuredNetwork};
pub use per_label::LabelFigures;
pub use report::{AnsweredQuery, Evaluation, MethodFigures, ModelFigures};
pub use through_engine::EngineFigures;
