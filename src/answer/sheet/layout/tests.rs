//! Tests of a sheet's geometry for every number of matches and queries.

use super::*;

fn arranged(matches: usize, queries: usize, width_px: u32, aspects: (f32, f32), notice: bool) -> Layout {
    arranged_with([0, 0], matches, queries, width_px, aspects, notice)
}

fn arranged_with(
    examples: [usize; 2],
    matches: usize,
    queries: usize,
    width_px: u32,
    aspects: (f32, f32),
    notice: bool,
) -> Layout {
    let notice_px = |width: u32| 20_000 / width.max(1) + 80;
    let (query_aspect, cell_aspect) = aspects;
    let notice_px: Option<&dyn Fn(u32) -> u32> = if notice || matches == 0 { Some(&notice_px) } else { None };
    Layout::arrange(&LayoutInput {
        width_px,
        columns: None,
        matches,
        queries,
        examples,
        query_aspect,
        cell_aspect,
        captions: CaptionLines { name: 1 + (matches % 2) as u32, folder: !matches.is_multiple_of(3) },
        notice_px,
    })
}

/// A layout for every number of matches, with various queries, shapes and widths.
fn every_layout() -> Vec<(String, Layout)> {
    let mut layouts = Vec::new();
    for matches in 0..=50 {
        for (queries, aspects) in
            [(1, (1.5, 1.5)), (1, (0.7, 0.7)), (0, (1.0, 1.0)), (3, (1.0, 1.33)), (30, (1.0, 1.0))]
        {
            for (width_px, notice, examples) in
                [(1600, false, [0, 0]), (480, true, [1, 1]), (1013, false, [7, 40]), (4096, true, [0, 9])]
            {
                let name = format!(
                    "{matches} matches, {queries} queries, {aspects:?}, {width_px} px, notice {notice}, {examples:?}"
                );
                layouts.push((name, arranged_with(examples, matches, queries, width_px, aspects, notice)));
            }
        }
    }
    layouts
}

/// Every area of a layout that must not touch another.
fn areas(layout: &Layout) -> Vec<Area> {
    let headings = [layout.query, layout.matches];
    let mut areas: Vec<Area> = headings.iter().flatten().flat_map(|heading| [heading.label, heading.title]).collect();
    areas.extend(layout.subtitle);
    areas.extend(&layout.tiles);
    for row in &layout.examples {
        areas.push(row.label);
        areas.extend(&row.panels);
        areas.extend(row.rest);
    }
    areas.extend(layout.cells.iter().flat_map(|cell| [cell.panel, cell.name, cell.score, cell.bar]));
    areas.extend(layout.cells.iter().filter_map(|cell| cell.folder));
    areas.extend(layout.notice);
    areas.push(layout.footer);
    areas
}

#[test]
fn nothing_overlaps_and_nothing_leaves_the_sheet() {
    for (name, layout) in every_layout() {
        let areas = areas(&layout);
        let margin = layout.footer.x;
        assert!(margin >= layout.scale.px(NARROW_MARGIN), "{name}");
        for (index, area) in areas.iter().enumerate() {
            assert!(area.width > 0 && area.height > 0, "{name}: {area:?}");
            assert!(area.x >= margin && area.right() <= layout.width - margin, "{name}: {area:?}");
            assert!(area.bottom() < layout.height, "{name}: {area:?}");
            for other in &areas[index + 1..] {
                assert!(!area.overlaps(other), "{name}: {area:?} and {other:?}");
            }
        }
    }
}

#[test]
fn there_is_a_cell_for_every_match_and_a_tile_for_every_query() {
    for matches in 0..=50 {
        for queries in 0..=30 {
            let layout = arranged(matches, queries, 1600, (1.2, 1.0), false);
            assert_eq!((layout.cells.len(), layout.tiles.len()), (matches, queries));
        }
    }
}

#[test]
fn examples_have_a_row_of_each_kind_and_those_without_a_panel_are_counted() {
    for matches in [0, 1, 3, 5, 10, 20, 50] {
        let rows = |examples| arranged_with(examples, matches, 1, 1600, (1.2, 1.0), false).examples;
        assert!(rows([0, 0]).is_empty());
        let one = rows([2, 0]);
        assert_eq!((one.len(), one[0].panels.len(), one[0].rest), (1, 2, None), "{matches}");
        let both = rows([3, 400]);
        assert_eq!((both.len(), both[0].panels.len(), both[0].rest), (2, 3, None), "{matches}");
        assert!((2..=16).contains(&both[1].panels.len()) && both[1].rest.is_some(), "{matches}: {both:?}");
    }
    assert!(arranged_with([2, 2], 3, 0, 1600, (1.2, 1.0), false).examples.is_empty(), "a query that cannot be shown");
}

#[test]
fn cells_are_equal_and_in_reading_order() {
    for (name, layout) in every_layout() {
        let first = usize::from(layout.cells.len() == 5);
        for pair in layout.cells[first.min(layout.cells.len())..].windows(2) {
            assert_eq!(
                (pair[0].panel.width, pair[0].panel.height),
                (pair[1].panel.width, pair[1].panel.height),
                "{name}"
            );
            let (one, other) = (pair[0].panel, pair[1].panel);
            assert!(other.y > one.y || (other.y == one.y && other.x > one.x), "{name}");
        }
    }
}

#[test]
fn the_last_column_ends_at_the_margin() {
    for (name, layout) in every_layout().into_iter().filter(|(_, layout)| !layout.cells.is_empty()) {
        let right = layout.cells.iter().map(|cell| cell.panel.right()).max();
        assert_eq!(right, Some(layout.footer.right()), "{name}");
    }
}

#[test]
fn the_first_of_five_ends_with_the_last_of_five() {
    for aspect in [0.7, 1.0, 1.33, 1.7] {
        let layout = arranged(5, 1, 1600, (aspect, aspect), false);
        assert_eq!(layout.cells[0].bottom(), layout.cells[4].bottom());
        assert_eq!(layout.cells[0].panel.width, layout.tiles[0].width);
        let shape = |panel: Area| panel.width as f32 / panel.height as f32;
        assert!((shape(layout.cells[0].panel) / shape(layout.cells[1].panel) - 1.0).abs() < 0.02);
    }
}

#[test]
fn the_pictures_of_a_set_are_about_as_tall_as_the_matches_next_to_them() {
    for queries in [5, 12, 30] {
        for aspect in [0.75, 1.0, 1.33] {
            for matches in [6, 8, 10, 12] {
                let layout = arranged(matches, queries, 1600, (aspect, aspect), false);
                let top = layout.cells[0].panel.y;
                let end = |areas: &mut dyn Iterator<Item = u32>| areas.max().unwrap_or(0) - top;
                let set = end(&mut layout.tiles.iter().map(Area::bottom));
                let grid = end(&mut layout.cells.iter().map(MatchCell::bottom));
                let share = set as f32 / grid as f32;
                let least = if matches == 12 { 0.6 } else { 0.5 };
                assert!((least..=1.25).contains(&share), "{queries} of {aspect} beside {matches}: {share}");
            }
        }
    }
}

#[test]
fn badges_are_inside_their_panels() {
    for (name, layout) in every_layout() {
        for cell in &layout.cells {
            let inside = cell.badge.x > cell.panel.x && cell.badge.right() < cell.panel.right();
            assert!(inside && cell.badge.y > cell.panel.y && cell.badge.bottom() < cell.panel.bottom(), "{name}");
        }
    }
}

#[test]
fn any_number_of_columns_gives_a_sheet_of_acceptable_size() {
    for columns in [0, 1, 2, 5, 12, 1000] {
        for matches in 0..=50 {
            let input = LayoutInput {
                width_px: 1600,
                columns: Some(columns),
                matches,
                queries: 1,
                examples: [0, 0],
                query_aspect: 1.0,
                cell_aspect: 0.7,
                captions: CaptionLines { name: 2, folder: true },
                notice_px: None,
            };
            let layout = Layout::arrange(&input);
            assert!(layout.height < 16_384, "{columns} columns, {matches} matches: {} px", layout.height);
        }
    }
}

#[test]
fn a_narrow_sheet_has_the_query_above_and_columns_wide_enough_to_read() {
    for (width_px, columns) in [(480, 2), (640, 3), (800, 4), (1_180, 6)] {
        let layout = arranged(10, 1, width_px, (1.0, 0.75), false);
        let in_row = layout.cells.iter().filter(|cell| cell.panel.y == layout.cells[0].panel.y).count();
        assert_eq!(in_row, columns, "{width_px} px");
        assert!(layout.tiles[0].bottom() < layout.cells[0].panel.y);
        assert!(layout.scale.fine(13.0) >= 12.0);
    }
    let wide = arranged(10, 1, 1_200, (1.0, 0.75), false);
    assert_eq!(wide.tiles[0].y, wide.cells[0].panel.y, "beside them");
}
