//! The inverted residual block that EfficientNet-Lite0 is made of, and the memory its layers work in.

use super::buffer::Buffer;
use super::depthwise::Depthwise;
use super::pointwise::{Activation, Pointwise};
use crate::model::weights::{Archive, LoadError};

/// How many times wider a block is inside than at its entrance; the first block is not.
const EXPANSION: usize = 6;

/// An inverted residual block: widen, filter each channel, narrow, add what came in.
pub(super) struct Block {
    expand: Option<Pointwise>,
    depthwise: Depthwise,
    stride: usize,
    project: Pointwise,
    residual: bool,
}

/// Where a picture's pixels stand between layers.
#[derive(Default)]
pub(super) struct Scratch {
    /// What a block begins with and leaves behind.
    pub(super) current: Buffer,
    /// After the expansion.
    pub(super) wide: Buffer,
    /// After the depthwise convolution.
    filtered: Buffer,
    /// What becomes `current`.
    next: Buffer,
}

impl Block {
    pub(super) fn read(
        archive: &Archive,
        name: &str,
        side: usize,
        stride: usize,
        [inputs, outputs]: [usize; 2],
    ) -> Result<Self, LoadError> {
        let (expand, inner) = if name == "blocks.0" {
            (None, inputs)
        } else {
            let inner = inputs * EXPANSION;
            (Some(Pointwise::read(archive, &format!("{name}.expand"), inputs, inner, Activation::Relu6)?), inner)
        };
        Ok(Self {
            expand,
            depthwise: Depthwise::read(archive, &format!("{name}.depthwise"), side, stride, inner)?,
            stride,
            project: Pointwise::read(archive, &format!("{name}.project"), inner, outputs, Activation::Linear)?,
            residual: stride == 1 && inputs == outputs,
        })
    }

    /// Side of the output for one of the input.
    pub(super) fn shrunk(&self, side: usize) -> usize {
        side.div_ceil(self.stride)
    }

    /// Turns `scratch.current` from `[side, side, in]` to `[⌈side/stride⌉, ⌈side/stride⌉, out]`.
    pub(super) fn apply(&self, side: usize, scratch: &mut Scratch) {
        let Scratch { current, wide, filtered, next } = scratch;
        match &self.expand {
            Some(expand) => {
                expand.apply(current, wide);
                self.depthwise.apply(wide, side, side, filtered);
            }
            None => self.depthwise.apply(current, side, side, filtered),
        }
        if self.residual {
            self.project.apply_and_add(filtered, current, next);
        } else {
            self.project.apply(filtered, next);
        }
        std::mem::swap(current, next);
    }
}
