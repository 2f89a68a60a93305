//! Matrices by name out of a safetensors file, in float32 whatever the file holds.

use half::f16;
use safetensors::{Dtype, SafeTensors};

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
    pub(super) fn open(bytes: &'bytes [u8], key: &str, expected: &str) -> Result<Self, String> {
        let damaged = |error| format!("damaged model file: {error}");
        let (_, header) = SafeTensors::read_metadata(bytes).map_err(damaged)?;
        match header.metadata().as_ref().and_then(|pairs| pairs.get(key)) {
            Some(found) if found == expected => {}
            Some(found) => {
                return Err(format!(
                    "this is a model file with {key} \"{found}\", but this program reads \"{expected}\""
                ));
            }
            None => {
                return Err(format!("this is a model file that names no {key}, but this program reads \"{expected}\""));
            }
        }
        Ok(Self { tensors: SafeTensors::deserialize(bytes).map_err(damaged)? })
    }

    /// The array called `name` in float32, finite throughout.
    pub(super) fn matrix(&self, name: &str) -> Result<Matrix, String> {
        let view = self.tensors.tensor(name).map_err(|_| format!("damaged model file: {name} is missing"))?;
        let values: Vec<f32> = match view.dtype() {
            Dtype::F16 => view.data().as_chunks().0.iter().map(|bytes| f16::from_le_bytes(*bytes).to_f32()).collect(),
            Dtype::F32 => view.data().as_chunks().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect(),
            other => return Err(format!("damaged model file: {name} holds {other:?}, not numbers of 16 or 32 bits")),
        };
        if !values.iter().all(|value| value.is_finite()) {
            return Err(format!("damaged model file: {name} holds numbers that are not finite"));
        }
        match view.shape().last() {
            Some(&columns) if columns > 0 && !values.is_empty() => Ok(Matrix { columns, values }),
            _ => Err(format!("damaged model file: {name} is empty")),
        }
    }

    /// As [`Archive::matrix`], and refused unless it is `[rows, columns]`.
    pub(super) fn sized(&self, name: &str, rows: usize, columns: usize) -> Result<Vec<f32>, String> {
        let found = self.matrix(name)?;
        if found.columns != columns || found.values.len() != rows * columns {
            return Err(format!("damaged model file: {name} is not [{rows}, {columns}]"));
        }
        Ok(found.values)
    }
}
