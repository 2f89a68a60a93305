//! Some thousand embeddings in one piece: small enough to be copied when a search still uses them.

use std::ffi::OsStr;
use std::path::Path;
use std::sync::Arc;

use super::quantised::{quantise, restore};
use super::sample::SampleKey;
use crate::clock::WallTime;
use crate::config::SearchScope;

/// Embeddings in a full segment. A copy of one of 192 values takes half a millisecond.
pub const CAPACITY: usize = 4_096;

/// A path as it is kept: as one string, which is hashed and compared faster than a `Path`, whose parts are.
pub type Name = Arc<OsStr>;

/// Where a position is: the segment, and the row in it.
pub fn place(position: u32) -> (usize, usize) {
    (position as usize / CAPACITY, position as usize % CAPACITY)
}

/// Embeddings `[n, width]` of `n` pictures, quantised, with their paths and dates.
#[derive(Debug, Clone)]
pub struct Segment {
    width: usize,
    coarse: Vec<i8>,
    fine: Vec<i8>,
    rows: Vec<RowHead>,
    names: Vec<Name>,
    dates: Vec<WallTime>,
}

/// What belongs to a row besides its values.
#[derive(Debug, Clone, Copy)]
pub struct RowHead {
    /// Of the coarse values.
    pub scale: f32,
    /// Euclidean length of the embedding.
    pub length: f32,
    /// Decides whether the picture is in the sample.
    pub key: SampleKey,
}

/// A row taken out, to be put elsewhere.
pub struct Row {
    name: Name,
    date: WallTime,
    head: RowHead,
    coarse: Vec<i8>,
    fine: Vec<i8>,
}

impl Row {
    /// Whose row it is.
    pub fn name(&self) -> &Name {
        &self.name
    }
}

impl Segment {
    /// No rows yet.
    pub fn empty(width: usize) -> Self {
        Self { width, coarse: Vec::new(), fine: Vec::new(), rows: Vec::new(), names: Vec::new(), dates: Vec::new() }
    }

    /// How many rows there are.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Adds a row of `width` values, without a date.
    pub fn push(&mut self, name: Name, key: SampleKey, embedding: &[f32]) {
        let row = self.len();
        self.coarse.resize((row + 1) * self.width, 0);
        self.fine.resize((row + 1) * self.width, 0);
        self.rows.push(RowHead { scale: 0.0, length: 0.0, key });
        self.names.push(name);
        self.dates.push(WallTime::UNKNOWN);
        self.replace(row, embedding);
    }

    /// Gives a row other values.
    pub fn replace(&mut self, row: usize, embedding: &[f32]) {
        let values = row * self.width..(row + 1) * self.width;
        let (coarse, fine) = (&mut self.coarse[values.clone()], &mut self.fine[values]);
        let scale = quantise(embedding, coarse, fine);
        let squares: f32 = restore(coarse, fine, scale).iter().map(|value| value * value).sum();
        let head = &mut self.rows[row];
        (head.scale, head.length) = (scale, squares.sqrt());
    }

    /// Takes the last row out.
    pub fn pop(&mut self) -> Option<Row> {
        let (name, date, head) = (self.names.pop()?, self.dates.pop()?, self.rows.pop()?);
        let start = self.rows.len() * self.width;
        Some(Row { name, date, head, coarse: self.coarse.split_off(start), fine: self.fine.split_off(start) })
    }

    /// Puts `moved` in the place of a row.
    pub fn put_row(&mut self, row: usize, moved: Row) {
        let start = row * self.width;
        self.coarse[start..][..self.width].copy_from_slice(&moved.coarse);
        self.fine[start..][..self.width].copy_from_slice(&moved.fine);
        self.rows[row] = moved.head;
        self.names[row] = moved.name;
        self.dates[row] = moved.date;
    }

    /// The date of a row.
    pub fn date(&self, row: usize) -> WallTime {
        self.dates[row]
    }

    /// Gives a row another date.
    pub fn set_date(&mut self, row: usize, date: WallTime) {
        self.dates[row] = date;
    }

    /// Whether a row is in `scope`.
    pub fn is_in(&self, scope: &SearchScope, row: usize) -> bool {
        scope.has(self.path(row), self.dates[row])
    }

    /// The path of a row.
    pub fn path(&self, row: usize) -> &Path {
        Path::new(&*self.names[row])
    }

    /// The same, to be shared.
    pub fn name(&self, row: usize) -> &Name {
        &self.names[row]
    }

    /// The values of a row.
    pub fn embedding(&self, row: usize) -> Vec<f32> {
        let values = row * self.width..(row + 1) * self.width;
        restore(&self.coarse[values.clone()], &self.fine[values], self.rows[row].scale)
    }

    /// Of every row the coarse values, `[width]`, and the head.
    pub fn coarse(&self) -> impl Iterator<Item = (&[i8], &RowHead)> {
        self.coarse.chunks_exact(self.width.max(1)).zip(&self.rows)
    }

    /// Values in a row.
    pub fn width(&self) -> usize {
        self.width
    }

    /// Of every row the head.
    pub fn heads(&self) -> &[RowHead] {
        &self.rows
    }
}
