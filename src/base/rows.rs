//! Rows of numbers of one length: features `[n, 2432]` and embeddings `[n, 192]`.

/// `n` rows of `width` values, row after row in one piece of memory.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Rows {
    width: usize,
    values: Vec<f32>,
}

impl Rows {
    /// No rows yet, each to be `width` long.
    pub fn empty(width: usize) -> Self {
        Self { width, values: Vec::new() }
    }

    /// Takes `values` as rows of `width`; `None` when they do not divide evenly or `width` is zero.
    pub fn from_values(width: usize, values: Vec<f32>) -> Option<Self> {
        (width > 0 && values.len().is_multiple_of(width)).then_some(Self { width, values })
    }

    /// Adds one row; `false`, and nothing added, when its length differs from [`Rows::width`].
    pub fn push(&mut self, row: &[f32]) -> bool {
        if row.len() != self.width {
            return false;
        }
        self.values.extend_from_slice(row);
        true
    }

    /// Values in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The row at `position`, which must be below [`Rows::len`].
    pub fn row(&self, position: usize) -> &[f32] {
        &self.values[position * self.width..][..self.width]
    }

    /// The row at `position` for writing.
    pub fn row_mut(&mut self, position: usize) -> &mut [f32] {
        &mut self.values[position * self.width..][..self.width]
    }

    /// All rows in order.
    pub fn iter(&self) -> impl Iterator<Item = &[f32]> {
        self.values.chunks_exact(self.width.max(1))
    }

    /// All values, row after row.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    /// Gives the values away, row after row.
    pub fn into_values(self) -> Vec<f32> {
        self.values
    }

    /// The same rows, each scaled to Euclidean length one; rows of zeros stay as they are.
    #[must_use]
    pub fn at_unit_length(&self) -> Self {
        let mut unit = self.clone();
        unit.values.chunks_exact_mut(self.width.max(1)).for_each(to_unit_length);
        unit
    }

    /// Moves the last row into `position` and forgets the one that stood there.
    pub fn swap_remove(&mut self, position: usize) {
        let last = self.len() - 1;
        if position != last {
            self.values.copy_within(last * self.width.., position * self.width);
        }
        self.values.truncate(last * self.width);
    }
}

/// Scales `row` to Euclidean length one; a row of zeros stays as it is.
pub fn to_unit_length(row: &mut [f32]) {
    let length = row.iter().map(|value| value * value).sum::<f32>().sqrt();
    if length > 1e-12 {
        row.iter_mut().for_each(|value| *value /= length);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn swap_remove_keeps_the_other_rows() {
        let mut rows = Rows::from_values(2, vec![1.0, 1.0, 2.0, 2.0, 3.0, 3.0]).unwrap();
        rows.swap_remove(0);
        assert_eq!(rows.values(), [3.0, 3.0, 2.0, 2.0]);
        rows.swap_remove(1);
        assert_eq!(rows.values(), [3.0, 3.0]);
        rows.swap_remove(0);
        assert!(rows.is_empty());
    }

    #[test]
    fn rows_are_scaled_each_by_itself() {
        let rows = Rows::from_values(2, vec![3.0, 4.0, 0.0, 0.0]).unwrap();
        assert_eq!(rows.at_unit_length().values(), [0.6, 0.8, 0.0, 0.0]);
        assert_eq!(Rows::default().at_unit_length(), Rows::default());
    }

    #[test]
    fn a_row_of_another_length_is_refused() {
        let mut rows = Rows::empty(3);
        assert!(!rows.push(&[1.0, 2.0]));
        assert!(rows.push(&[1.0, 2.0, 3.0]));
        assert_eq!(rows.len(), 1);
        assert!(Rows::from_values(2, vec![1.0; 3]).is_none());
    }
}
