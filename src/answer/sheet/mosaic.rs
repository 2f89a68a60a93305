//! The pictures of a query set as an even mosaic of squares.

use super::area::{Area, Scale};

/// A mosaic as wide as `area`, of as few columns as keep it about square.
pub(super) fn of_width(area: Area, queries: usize, scale: Scale) -> Vec<Area> {
    let count = queries as u32;
    let gap = gap(queries, scale);
    let columns = (1..=count).find(|columns| count.div_ceil(*columns) <= *columns).unwrap_or(1).max(2);
    let side = (area.width - (columns - 1) * gap) / columns;
    tiles(area, count, columns, side, gap)
}

/// A mosaic as tall as `area`, of so many rows that it stays less than about two thirds as wide as a sheet.
pub(super) fn of_height(area: Area, queries: usize, scale: Scale) -> Vec<Area> {
    let count = queries as u32;
    let gap = gap(queries, scale);
    let rows = match count {
        0..=2 => 1,
        3..=8 => 2,
        9..=15 => 3,
        _ => 4,
    };
    let side = (area.height - (rows - 1) * gap) / rows;
    tiles(area, count, count.div_ceil(rows), side, gap)
}

fn gap(queries: usize, scale: Scale) -> u32 {
    scale.px(if queries <= 4 { 14.0 } else { 10.0 })
}

fn tiles(area: Area, count: u32, columns: u32, side: u32, gap: u32) -> Vec<Area> {
    let place = |index: u32| (index % columns * (side + gap), index / columns * (side + gap));
    (0..count).map(place).map(|(x, y)| Area::new(area.x + x, area.y + y, side, side)).collect()
}
