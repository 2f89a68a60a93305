//! The only place that names a backend of burn, and the way of matrices to it and back.

use burn::tensor::{Device, Tensor, TensorData};

/// Where all tensors live: burn-ndarray, or burn-flex with the cargo feature `flex`.
pub(super) fn device() -> Device {
    #[cfg(feature = "flex")]
    return Device::flex();
    #[cfg(not(feature = "flex"))]
    #[expect(deprecated, reason = "burn-ndarray goes in burn 0.23; until then flex stands ready as a feature")]
    return Device::ndarray();
}

/// `values` as a matrix `[values.len() / columns, columns]`. On burn-ndarray the memory is taken over, not copied.
pub(super) fn matrix(values: Vec<f32>, columns: usize) -> Tensor<2> {
    let rows = values.len() / columns;
    Tensor::from_data(TensorData::new(values, [rows, columns]), &device())
}

/// The numbers of `matrix`, row after row; not copied when nobody else holds it and it is not a transposed view.
pub(super) fn values(matrix: Tensor<2>) -> Vec<f32> {
    match matrix.into_data().try_into_vec::<f32>() {
        Ok(values) => values,
        Err(error) => unreachable!("every tensor here holds f32: {error:?}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_matrix_comes_back_as_it_went_and_multiplies() {
        let numbers: Vec<f32> = (0..6).map(|number| number as f32).collect();
        let matrix = matrix(numbers.clone(), 3);
        assert_eq!(values(matrix.clone()), numbers);
        assert_eq!(values(matrix.clone().matmul(matrix.transpose())), [5.0, 14.0, 14.0, 50.0]);
    }
}
