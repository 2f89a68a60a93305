//! Eigenvalues and eigenvectors of a small symmetric matrix by Jacobi rotations.

/// More than enough: a sweep squares what is left off the diagonal.
const MAX_SWEEPS: usize = 30;

/// Eigenpairs of a symmetric matrix, largest eigenvalue first.
pub(super) struct Eigen {
    pub(super) values: Vec<f64>,
    /// `[size, size]`; row `i` is the unit-length eigenvector of `values[i]`.
    pub(super) vectors: Vec<f64>,
}

/// Cyclic Jacobi (Golub and Van Loan, Matrix Computations, section 8.5) on the symmetric `matrix` `[size, size]`.
pub(super) fn symmetric(mut matrix: Vec<f64>, size: usize) -> Eigen {
    let mut vectors = vec![0.0; size * size];
    (0..size).for_each(|at| vectors[at * size + at] = 1.0);
    let scale: f64 = matrix.iter().map(|value| value * value).sum();
    for _ in 0..MAX_SWEEPS {
        if off_diagonal(&matrix, size) <= 1e-22 * scale {
            break;
        }
        for p in 0..size {
            for q in p + 1..size {
                rotate(&mut matrix, &mut vectors, size, p, q);
            }
        }
    }
    sorted(&matrix, &vectors, size)
}

/// Sum of the squares above the diagonal.
fn off_diagonal(matrix: &[f64], size: usize) -> f64 {
    (0..size).flat_map(|row| &matrix[row * size + row + 1..(row + 1) * size]).map(|value| value * value).sum()
}

/// Turns the plane of `p` < `q` so that the entry between them becomes zero.
fn rotate(matrix: &mut [f64], vectors: &mut [f64], size: usize, p: usize, q: usize) {
    let between = matrix[p * size + q];
    if between == 0.0 {
        return;
    }
    let slope = (matrix[q * size + q] - matrix[p * size + p]) / (2.0 * between);
    let tangent = slope.signum() / (slope.abs() + slope.hypot(1.0));
    let cosine = 1.0 / tangent.hypot(1.0);
    let sine = tangent * cosine;
    turn(matrix, size, p, q, cosine, sine);
    // The columns turn as the rows did. The matrix was symmetric, so but for the two by two block where rows and
    // columns meet, they are the rows mirrored.
    let (pp, qq) = (matrix[p * size + p], matrix[q * size + q]);
    let (pq, qp) = (matrix[p * size + q], matrix[q * size + p]);
    matrix[p * size + p] = cosine * pp - sine * pq;
    matrix[q * size + q] = sine * qp + cosine * qq;
    matrix[p * size + q] = 0.0;
    matrix[q * size + p] = 0.0;
    for other in (0..size).filter(|&other| other != p && other != q) {
        matrix[other * size + p] = matrix[p * size + other];
        matrix[other * size + q] = matrix[q * size + other];
    }
    turn(vectors, size, p, q, cosine, sine);
}

/// Rows `p` and `q` become cosine·p − sine·q and sine·p + cosine·q.
fn turn(matrix: &mut [f64], size: usize, p: usize, q: usize, cosine: f64, sine: f64) {
    let (upper, lower) = matrix.split_at_mut(q * size);
    for (a, b) in upper[p * size..][..size].iter_mut().zip(&mut lower[..size]) {
        (*a, *b) = (cosine * *a - sine * *b, sine * *a + cosine * *b);
    }
}

fn sorted(matrix: &[f64], vectors: &[f64], size: usize) -> Eigen {
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|&a, &b| matrix[b * size + b].total_cmp(&matrix[a * size + a]));
    Eigen {
        values: order.iter().map(|&at| matrix[at * size + at]).collect(),
        vectors: order.iter().flat_map(|&at| &vectors[at * size..(at + 1) * size]).copied().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_matrix() {
        let eigen = symmetric(vec![2.0, 1.0, 0.0, 1.0, 2.0, 0.0, 0.0, 0.0, 5.0], 3);
        for (value, expected) in eigen.values.iter().zip([5.0, 3.0, 1.0]) {
            assert!((value - expected).abs() < 1e-12);
        }
    }

    #[test]
    fn every_pair_satisfies_the_definition() {
        let size = 40;
        let entry = |i: usize, j: usize| ((i * j + 3 * (i + j)) as f64 * 0.7).sin();
        let matrix: Vec<f64> = (0..size * size).map(|at| entry(at / size, at % size)).collect();
        let eigen = symmetric(matrix.clone(), size);
        assert!(eigen.values.is_sorted_by(|a, b| a >= b));
        for (vector, value) in eigen.vectors.chunks_exact(size).zip(&eigen.values) {
            assert!((vector.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-12);
            for (row, x) in matrix.chunks_exact(size).zip(vector) {
                let product: f64 = row.iter().zip(vector).map(|(a, b)| a * b).sum();
                assert!((product - value * x).abs() < 1e-9);
            }
        }
    }

    #[test]
    fn zeros_and_a_single_number_are_no_special_case() {
        assert_eq!(symmetric(vec![0.0; 9], 3).values, [0.0; 3]);
        assert_eq!(symmetric(vec![7.0], 1).vectors, [1.0]);
    }
}
