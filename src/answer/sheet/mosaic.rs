//! Arranges the pictures of a query set as a mosaic without gaps, in lanes (rows or columns) of equal length.

use super::area::{Area, Scale};

/// Limits of a tile's aspect ratio (width / height). Without them one unusual picture would determine the size of all
/// others.
const ASPECTS: (f32, f32) = (0.8, 1.6);
/// Cost of lanes that differ by one tile, as a share of the mosaic's length. It is weighed against a wrong depth ...
const UNEVEN: f32 = 0.1;
/// ... and grows with more tiles than this: one large and two small tiles look fine, but thirty tiles in lanes of four
/// and five look like a mistake.
const FEW: f32 = 6.0;

/// A mosaic that is too deep makes the whole sheet longer, and is so many times worse than one that is not deep enough.
const TOO_DEEP: f32 = 2.0;

/// Rows as wide as `area`; their number makes the mosaic about as tall as `area`, or as it is wide if that is more. `aspect` is the aspect
/// ratio of a typical picture.
pub(super) fn of_width(area: Area, queries: usize, aspect: f32, scale: Scale) -> Vec<Area> {
    let aspect = aspect.clamp(ASPECTS.0, ASPECTS.1);
    let mosaic = Mosaic { length: area.width, gap: gap(queries, scale), deep_by_long: 1.0 / aspect };
    mosaic
        .tiles(queries, (area.height as f32 / area.width as f32).max(1.0))
        .map(|tile| Area::new(area.x + tile.along, area.y + tile.depth, tile.long, tile.deep))
        .collect()
}

/// Columns as tall as `area`; their number makes the mosaic less than twice as wide as it is tall.
pub(super) fn of_height(area: Area, queries: usize, aspect: f32, scale: Scale) -> Vec<Area> {
    let aspect = aspect.clamp(ASPECTS.0, ASPECTS.1);
    let mosaic = Mosaic { length: area.height, gap: gap(queries, scale), deep_by_long: aspect };
    mosaic
        .tiles(queries, 1.8)
        .map(|tile| Area::new(area.x + tile.depth, area.y + tile.along, tile.deep, tile.long))
        .collect()
}

fn gap(queries: usize, scale: Scale) -> u32 {
    scale.px(if queries <= 4 { 14.0 } else { 10.0 })
}

/// Lanes of equal length, in pixels. The fewer tiles a lane has, the larger they are.
struct Mosaic {
    length: u32,
    gap: u32,
    deep_by_long: f32,
}

/// A tile's position along its lane, its lane's position, and its size in both directions.
struct MosaicTile {
    along: u32,
    depth: u32,
    long: u32,
    deep: u32,
}

impl Mosaic {
    /// `count` tiles in lanes that are together about `wanted` times as deep as they are long.
    fn tiles(&self, count: usize, wanted: f32) -> impl Iterator<Item = MosaicTile> {
        let cost = |lanes: &usize| {
            let sizes = lane_sizes(count, *lanes);
            let deep = sizes.iter().map(|&size| self.deep(size) + self.gap).sum::<u32>() - self.gap;
            let uneven = if count.is_multiple_of(*lanes) { 0.0 } else { UNEVEN * (count as f32 / FEW).max(1.0) };
            let missing = wanted - deep as f32 / self.length as f32;
            missing.max(-TOO_DEEP * missing) + uneven
        };
        let lanes = (1..=count.max(1)).min_by(|one, other| cost(one).total_cmp(&cost(other))).unwrap_or(1);
        let mut tiles = Vec::with_capacity(count);
        let mut depth = 0;
        for size in lane_sizes(count, lanes) {
            let deep = self.deep(size);
            let (step, last) = (self.length + self.gap, size as u32);
            // Rounding remainders go into the tiles, so that the lane ends exactly at the edge.
            let edge = |at: u32| at * step / last.max(1);
            tiles.extend((0..last).map(|at| MosaicTile {
                along: edge(at),
                depth,
                long: edge(at + 1) - edge(at) - self.gap,
                deep,
            }));
            depth += deep + self.gap;
        }
        tiles.into_iter()
    }

    /// How deep a lane of `size` tiles is.
    fn deep(&self, size: usize) -> u32 {
        let size = size.max(1) as u32;
        let long = (self.length.saturating_sub((size - 1) * self.gap)) / size;
        ((long as f32 * self.deep_by_long) as u32).max(1)
    }
}

/// How many tiles each lane has: as equal as possible, lanes with fewer and so larger tiles first.
fn lane_sizes(count: usize, lanes: usize) -> Vec<usize> {
    let (fewer, left_over) = (count / lanes, count % lanes);
    (0..lanes).map(|lane| fewer + usize::from(lane >= lanes - left_over)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_fills_its_mosaic() {
        let scale = Scale::of(1600);
        for queries in 2..=30 {
            for aspect in [0.5, 0.75, 1.0, 1.33, 3.0] {
                let (room, band) = (Area::new(64, 100, 512, 0), Area::new(64, 100, 0, 300));
                let (rows, columns) = (of_width(room, queries, aspect, scale), of_height(band, queries, aspect, scale));
                assert_eq!((rows.len(), columns.len()), (queries, queries));
                let in_row = |tile: &Area| rows.iter().filter(|other| other.y == tile.y).map(Area::right).max();
                assert!(rows.iter().all(|tile| in_row(tile) == Some(room.right())), "{queries}, {aspect}");
                let in_column = |tile: &Area| columns.iter().filter(|other| other.x == tile.x).map(Area::bottom).max();
                assert!(columns.iter().all(|tile| in_column(tile) == Some(band.bottom())), "{queries}, {aspect}");
                let wide = columns.iter().map(Area::right).max().unwrap_or(0) - band.x;
                assert!(wide <= 900, "{queries}, {aspect}: {wide} px next to the title");
            }
        }
    }

    #[test]
    fn three_are_one_above_two() {
        let tiles = of_width(Area::new(0, 0, 400, 0), 3, 4.0 / 3.0, Scale::of(1600));
        let sizes: Vec<(u32, u32)> = tiles.iter().map(|tile| (tile.width, tile.height)).collect();
        assert_eq!(sizes, [(400, 300), (193, 144), (193, 144)]);
    }
}
