//! Matrices by name out of a safetensors file, in float32 whatever the file holds.

use std::fmt;

use half::f16;
use safetensors::{Dtype, SafeTensorError, SafeTensors};

/// Why a model file cannot be used.
#[derive(Debug)]
pub enum LoadError {
    /// It is no safetensors file, or damaged.
    Damaged(SafeTensorError),
    /// Its metadata does not say what it should.
    Version {
        /// The key in the metadata.
        key: &'static str,
        /// What it says, if anything.
        found: Option<String>,
        /// What this program reads.
        expected: &'static str,
    },
    /// An array in it is not what it should be.
    Array {
        /// The array.
        name: String,
        /// What is wrong with it, as the rest of a sentence.
        problem: ArrayProblem,
    },
}

/// What is wrong with an array of a model file.
#[derive(Debug, PartialEq, Eq)]
pub enum ArrayProblem {
    /// It is not there.
    Missing,
    /// It holds nothing.
    Empty,
    /// It holds other things than numbers of 16 or 32 bits.
    Type(Dtype),
    /// It holds infinities, or what is no number.
    NotFinite,
    /// It holds numbers that are not positive, where it must not.
    NotPositive,
    /// It has not so many rows and columns.
    Shape(usize, usize),
}

impl fmt::Display for LoadError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged(error) => write!(out, "damaged model file: {error}"),
            Self::Version { key, found: Some(found), expected } => {
                write!(out, "this is a model file with {key} \"{found}\", but this program reads \"{expected}\"")
            }
            Self::Version { key, found: None, expected } => {
                write!(out, "this is a model file that names no {key}, but this program reads \"{expected}\"")
            }
            Self::Array { name, problem } => {
                write!(out, "damaged model file: {name} ")?;
                match problem {
                    ArrayProblem::Missing => write!(out, "is missing"),
                    ArrayProblem::Empty => write!(out, "is empty"),
                    ArrayProblem::Type(found) => write!(out, "holds {found:?}, not numbers of 16 or 32 bits"),
                    ArrayProblem::NotFinite => write!(out, "holds numbers that are not finite"),
                    ArrayProblem::NotPositive => write!(out, "holds numbers that are not positive"),
                    ArrayProblem::Shape(rows, columns) => write!(out, "is not [{rows}, {columns}]"),
                }
            }
        }
    }
}

impl std::error::Error for LoadError {}

impl LoadError {
    /// Of the array `name`.
    pub(super) fn array(name: &str, problem: ArrayProblem) -> Self {
        Self::Array { name: name.into(), problem }
    }
}

/// A matrix `[rows, columns]` or, with `rows` = 1, a vector.
pub(super) struct Matrix {
    pub(super) columns: usize,
    pub(super) values: Vec<f32>,
}

/// A safetensors file whose metadata says what it is.
pub(super) struct Archive<'bytes> {
    tensors: SafeTensors<'bytes>,
}

impl<'bytes> Archive<'bytes> {
    /// Opens `bytes` and refuses them when their metadata does not hold `key` = `expected`.
    pub(super) fn open(bytes: &'bytes [u8], key: &'static str, expected: &'static str) -> Result<Self, LoadError> {
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(LoadError::Damaged)?;
        let found = header.metadata().as_ref().and_then(|pairs| pairs.get(key)).cloned();
        if found.as_deref() != Some(expected) {
            return Err(LoadError::Version { key, found, expected });
        }
        Ok(Self { tensors: SafeTensors::deserialize(bytes).map_err(LoadError::Damaged)? })
    }

    /// The array called `name` in float32, finite throughout.
    pub(super) fn matrix(&self, name: &str) -> Result<Matrix, LoadError> {
        let wrong = |problem| LoadError::array(name, problem);
        let view = self.tensors.tensor(name).map_err(|_| wrong(ArrayProblem::Missing))?;
        let values: Vec<f32> = match view.dtype() {
            Dtype::F16 => view.data().as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::F32 => view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            other => return Err(wrong(ArrayProblem::Type(other))),
        };
        if !values.iter().all(|value| value.is_finite()) {
            return Err(wrong(ArrayProblem::NotFinite));
        }
        match view.shape().last() {
            Some(&columns) if columns > 0 && !values.is_empty() => Ok(Matrix { columns, values }),
            _ => Err(wrong(ArrayProblem::Empty)),
        }
    }

    /// The text called `name`, if there is one.
    pub(super) fn text(&self, name: &str) -> Option<&'bytes str> {
        let view = self.tensors.tensor(name).ok().filter(|view| view.dtype() == Dtype::U8)?;
        std::str::from_utf8(view.data()).ok()
    }

    /// As [`Archive::matrix`], and refused unless it is `[rows, columns]`.
    pub(super) fn sized(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, LoadError> {
        let found = self.matrix(name)?;
        if found.columns != columns || found.values.len() != rows * columns {
            return Err(LoadError::array(name, ArrayProblem::Shape(rows, columns)));
        }
        Ok(found.values)
    }
}
