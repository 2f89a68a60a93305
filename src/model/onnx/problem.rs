//! What is wrong with a network of the user's own, as a sentence about its file, with what to do.

use std::fmt;
use std::ops::RangeInclusive;

use crate::config::OutputPooling;

/// Why a network of the user's own makes no features.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NetworkProblem {
    /// This program was built without the runtime.
    NotBuilt,
    /// The runtime cannot read the file: not ONNX, damaged, or an operator that it does not know.
    Unreadable(String),
    /// It does not take one picture.
    Inputs(Vec<String>),
    /// There is no output of this name; those that there are.
    NoOutput(String, Vec<String>),
    /// It did not run; the runtime says why.
    Failed(String),
    /// The runtime panicked.
    Panicked,
    /// Its output is not one row of numbers.
    Shape {
        /// The output.
        output: String,
        /// What it is.
        shape: Vec<usize>,
        /// What was to be done with it.
        pooling: OutputPooling,
    },
    /// Its output holds other things than numbers of 32 bits.
    Type(String),
    /// A row has too few or too many numbers.
    Width {
        /// So many.
        found: usize,
        /// So many are allowed.
        allowed: RangeInclusive<usize>,
    },
    /// A row has another width than that of the trial.
    OtherWidth {
        /// So wide.
        found: usize,
        /// That of the trial.
        before: usize,
    },
    /// There are infinities, or what is no number, in its output.
    NotFinite {
        /// The output.
        output: String,
    },
    /// It makes the same of any picture.
    Constant,
}

impl NetworkProblem {
    /// What a person can do.
    pub fn remedy(&self) -> &'static str {
        match self {
            Self::NotBuilt => {
                "build it with `cargo build --release --features onnx`, or leave `network` in [model] empty"
            }
            Self::Unreadable(_) | Self::Failed(_) | Self::Panicked => {
                "export it again, with a fixed input of one picture and simple operators; docs/networks.md shows how"
            }
            Self::Inputs(_) | Self::NoOutput(..) | Self::Type(_) => {
                "name another output in the TOML file beside it, or export it again; docs/networks.md shows how"
            }
            Self::Shape { .. } => {
                "set pooling = \"first\" or \"mean\", or another output, in the TOML file beside it; docs/networks.md explains them"
            }
            Self::Width { .. } | Self::OtherWidth { .. } | Self::Constant => {
                "name another output in the TOML file beside it, or choose another network"
            }
            Self::NotFinite { .. } => {
                "see that mean and deviation in the TOML file beside it are those it was trained with"
            }
        }
    }
}

impl fmt::Display for NetworkProblem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotBuilt => write!(out, "this program was built without networks of one's own"),
            Self::Unreadable(reason) => write!(out, "the network cannot be used: {reason}"),
            Self::Inputs(found) => {
                write!(
                    out,
                    "the network must take one input, a picture; it takes {}: {}",
                    found.len(),
                    found.join(", ")
                )
            }
            Self::NoOutput(name, found) => {
                write!(out, "the network has no output \"{name}\"; it has {}", found.join(", "))
            }
            Self::Failed(reason) => write!(out, "the network does not run on a picture: {reason}"),
            Self::Panicked => write!(out, "the network crashes the runtime"),
            Self::Shape { output, shape, pooling } => {
                let how = match pooling {
                    OutputPooling::None => "one row of numbers",
                    OutputPooling::Mean => "tokens or a map to take the mean of",
                    OutputPooling::First => "tokens to take the first of",
                };
                write!(out, "the output \"{output}\" is {shape:?}, which is not {how}")
            }
            Self::Type(output) => write!(out, "the output \"{output}\" holds other things than numbers of 32 bits"),
            Self::Width { found, allowed } => write!(
                out,
                "the network makes {found} numbers of a picture; it must be {} to {}",
                allowed.start(),
                allowed.end()
            ),
            Self::OtherWidth { found, before } => {
                write!(out, "the network makes {found} numbers of this picture, and {before} of others")
            }
            Self::NotFinite { output } => {
                write!(out, "the output \"{output}\" holds infinities, or what is no number")
            }
            Self::Constant => write!(out, "the network makes the same numbers of any picture"),
        }
    }
}

impl std::error::Error for NetworkProblem {}
