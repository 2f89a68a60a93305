//! In place of the runtime, in a program that was built without it.

use super::{NetworkProblem, Output};

/// Nothing can be read by it.
#[allow(dead_code, reason = "none is ever made")]
pub(super) struct NoRuntime;

impl NoRuntime {
    pub(super) fn load(_: Vec<u8>, _: Option<&str>) -> Result<Self, NetworkProblem> {
        Err(NetworkProblem::NotBuilt)
    }

    pub(super) fn output_name(&self) -> &'static str {
        ""
    }

    pub(super) fn run(&self, _: Vec<f32>, _: [usize; 4]) -> Result<Output, NetworkProblem> {
        Err(NetworkProblem::NotBuilt)
    }
}
