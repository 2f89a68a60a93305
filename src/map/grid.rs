//! Assigns positions on a plane to the cells of a grid, one picture a cell, so that no picture covers another.

/// More cells than pictures, so that groups stay apart.
const ROOM: f32 = 1.35;
/// Columns by rows.
const ASPECT: f32 = 1.5;
/// Rounds at most in which cells exchange their pictures with their neighbours.
const ROUNDS: usize = 60;

/// A cell of the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GridCell {
    /// From the left, from 0.
    pub column: usize,
    /// From the top, from 0.
    pub row: usize,
}

/// A grid with at most one picture a cell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grid {
    /// Cells from left to right.
    pub columns: usize,
    /// Cells from top to bottom.
    pub rows: usize,
    /// Where each picture is, in the pictures' order.
    pub cells: Vec<GridCell>,
}

/// Assigns each position to a cell near it.
pub fn snapped(places: &[[f32; 2]]) -> Grid {
    let wanted_cells = (places.len() as f32 * ROOM).max(1.0);
    let columns = (wanted_cells * ASPECT).sqrt().round().max(1.0) as usize;
    let rows = (wanted_cells / columns as f32).ceil().max(1.0) as usize;
    let targets = spread(places, columns, rows);
    let mut assignment = CellAssignment { columns, rows, holder: vec![None; columns * rows] };
    // From the middle outwards: later pictures are moved outwards, where there is room.
    let (middle_x, middle_y) = ((columns - 1) as f32 / 2.0, (rows - 1) as f32 / 2.0);
    let mut order: Vec<usize> = (0..places.len()).collect();
    let distance_from_middle = |at: usize| (targets[at][0] - middle_x).hypot(targets[at][1] - middle_y);
    order
        .sort_by(|one, other| distance_from_middle(*one).total_cmp(&distance_from_middle(*other)).then(one.cmp(other)));
    for at in order {
        let cell = assignment.free_near(targets[at]);
        assignment.holder[cell] = Some(at);
    }
    assignment.settle(&targets);
    assignment.cropped(places.len())
}

/// The positions scaled to the grid, in cells. Outliers do not squeeze all others together.
fn spread(places: &[[f32; 2]], columns: usize, rows: usize) -> Vec<[f32; 2]> {
    let axis = |axis: usize, cells: usize| {
        let mut values: Vec<f32> = places.iter().map(|place| place[axis]).collect();
        values.sort_by(f32::total_cmp);
        let at = |share: f32| values.get((values.len().saturating_sub(1) as f32 * share) as usize).copied();
        let (low, high) = (at(0.01).unwrap_or(0.0), at(0.99).unwrap_or(0.0));
        let last = (cells - 1) as f32;
        places
            .iter()
            .map(|place| ((place[axis] - low) / (high - low).max(1e-9) * last).clamp(0.0, last))
            .collect::<Vec<f32>>()
    };
    axis(0, columns).into_iter().zip(axis(1, rows)).map(|(x, y)| [x, y]).collect()
}

struct CellAssignment {
    columns: usize,
    rows: usize,
    /// The picture in each cell, row after row.
    holder: Vec<Option<usize>>,
}

impl CellAssignment {
    /// The free cell nearest to a position; there always is one.
    fn free_near(&self, place: [f32; 2]) -> usize {
        let (column, row) = (place[0].round() as isize, place[1].round() as isize);
        let mut best: Option<(f32, usize)> = None;
        for ring in 0..(self.columns.max(self.rows) as isize) {
            // A ring further out may hold a nearer cell only while its inner radius is below the best distance.
            if best.is_some_and(|(distance, _)| (ring as f32 - 0.5).max(0.0) > distance) {
                break;
            }
            for down in -ring..=ring {
                let step = if down.abs() == ring { 1 } else { (2 * ring).max(1) };
                let mut along = -ring;
                while along <= ring {
                    if let Some(cell) =
                        self.cell(column + along, row + down).filter(|&cell| self.holder[cell].is_none())
                    {
                        let distance = self.distance(cell, place).sqrt();
                        if best.is_none_or(|(nearest, _)| distance < nearest) {
                            best = Some((distance, cell));
                        }
                    }
                    along += step;
                }
            }
        }
        best.map_or(0, |(_, cell)| cell)
    }

    fn cell(&self, column: isize, row: isize) -> Option<usize> {
        let (column, row) = (usize::try_from(column).ok()?, usize::try_from(row).ok()?);
        (column < self.columns && row < self.rows).then_some(row * self.columns + column)
    }

    /// Squared, in cells.
    fn distance(&self, cell: usize, place: [f32; 2]) -> f32 {
        let (x, y) = ((cell % self.columns) as f32 - place[0], (cell / self.columns) as f32 - place[1]);
        x * x + y * y
    }

    /// Exchanges neighbouring cells, empty ones included, while that brings pictures nearer to their positions.
    fn settle(&mut self, targets: &[[f32; 2]]) {
        let cost = |assignment: &Self, cell: usize, held: Option<usize>| {
            held.map_or(0.0, |at| assignment.distance(cell, targets[at]))
        };
        for _ in 0..ROUNDS {
            let mut has_moved = false;
            for cell in 0..self.holder.len() {
                let (column, row) = ((cell % self.columns) as isize, (cell / self.columns) as isize);
                for (right, down) in [(1, 0), (0, 1), (1, 1), (-1, 1)] {
                    let Some(other) = self.cell(column + right, row + down) else { continue };
                    let (here, there) = (self.holder[cell], self.holder[other]);
                    let now = cost(self, cell, here) + cost(self, other, there);
                    let exchanged = cost(self, cell, there) + cost(self, other, here);
                    if exchanged + 1e-4 < now {
                        self.holder.swap(cell, other);
                        has_moved = true;
                    }
                }
            }
            if !has_moved {
                return;
            }
        }
    }

    /// Without the empty columns and rows around.
    fn cropped(self, count: usize) -> Grid {
        let mut cells = vec![GridCell { column: 0, row: 0 }; count];
        for (cell, held) in self.holder.iter().enumerate() {
            if let Some(at) = *held {
                cells[at] = GridCell { column: cell % self.columns, row: cell / self.columns };
            }
        }
        let least = |part: fn(&GridCell) -> usize| cells.iter().map(part).min().unwrap_or(0);
        let (left, top) = (least(|cell| cell.column), least(|cell| cell.row));
        cells.iter_mut().for_each(|cell| *cell = GridCell { column: cell.column - left, row: cell.row - top });
        let extent = |part: fn(&GridCell) -> usize| cells.iter().map(part).max().map_or(1, |last| last + 1);
        let (columns, rows) = (extent(|cell| cell.column), extent(|cell| cell.row));
        Grid { columns, rows, cells }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn every_picture_has_a_cell_of_its_own() {
        for count in [0, 1, 2, 3, 17, 400] {
            // Half of them on one spot.
            let places: Vec<[f32; 2]> =
                (0..count).map(|at| if at % 2 == 0 { [0.0, 0.0] } else { [at as f32, (at * 7 % 13) as f32] }).collect();
            let grid = snapped(&places);
            let taken: HashSet<_> = grid.cells.iter().map(|cell| (cell.column, cell.row)).collect();
            assert_eq!((grid.cells.len(), taken.len()), (count, count));
            assert!(grid.cells.iter().all(|cell| cell.column < grid.columns && cell.row < grid.rows));
        }
    }

    #[test]
    fn what_lay_to_the_left_still_does() {
        let places: Vec<[f32; 2]> = (0..100).map(|at| [(at % 10) as f32, (at / 10) as f32]).collect();
        let grid = snapped(&places);
        for row in 0..10 {
            let columns: Vec<usize> = (0..10).map(|at| grid.cells[row * 10 + at].column).collect();
            assert!(columns.is_sorted(), "{columns:?}");
        }
    }
}
