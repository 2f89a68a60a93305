//! Chooses how many columns a sheet has, and whether the query is to the left of its matches or above them.

/// Where the query and the matches are on a sheet.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Arrangement {
    /// Only a notice, next to the query.
    Notice,
    /// The query on the left, an even grid on the right; the query is `query_ratio` cells wide.
    QueryLeft {
        /// Columns of the grid.
        columns: u32,
        /// Width of the query in widths of a cell.
        query_ratio: f32,
    },
    /// The query, then the first match, as large as the query, then the others in two columns.
    LargeFirstMatch,
    /// The query in a band above a grid as wide as the sheet.
    QueryAbove {
        /// Columns of the grid.
        columns: u32,
    },
    /// The same with few columns, on a sheet as for a phone.
    Narrow {
        /// Columns of the grid.
        columns: u32,
    },
}

/// Whether a sheet of this width in design units has no room for anything beside the matches.
pub(super) fn is_narrow(width: f32) -> bool {
    width < WIDE
}

/// Most columns of a grid: with more, names would be unreadable.
const MAX_COLUMNS: u32 = 12;
/// Most rows of a grid, so that programs can still open a sheet with one column.
const MAX_ROWS: usize = 13;
/// Up to this many matches, the query is to their left.
const MAX_QUERY_LEFT: usize = 12;

/// Narrowest sheet, in design units, with the query beside its matches.
const WIDE: f32 = 1300.0;
/// On narrower sheets, the width of a column, and the least that the user can have.
const NARROW_COLUMN: f32 = 200.0;
const LEAST_COLUMN: f32 = 120.0;

/// The arrangement for so many matches; `columns` is what the user asked for, if anything. `width` is that of the sheet in design units.
pub(super) fn arrangement(matches: usize, columns: Option<u32>, width: f32) -> Arrangement {
    if matches == 0 {
        return Arrangement::Notice;
    }
    if is_narrow(width) {
        let fitting = |column: f32| ((width / column) as u32).max(1);
        let wanted = columns.map_or(fitting(NARROW_COLUMN), |columns| columns.min(fitting(LEAST_COLUMN)));
        return Arrangement::Narrow { columns: wanted.clamp(1, matches as u32) };
    }
    if let Some(columns) = columns {
        let fewest = matches.div_ceil(MAX_ROWS) as u32;
        return with_columns(columns.clamp(fewest, MAX_COLUMNS).min(matches as u32));
    }
    match matches {
        1 | 2 => Arrangement::QueryLeft { columns: matches as u32, query_ratio: 1.0 },
        3 => Arrangement::QueryLeft { columns: 3, query_ratio: 1.35 },
        4 => with_columns(2),
        5 => Arrangement::LargeFirstMatch,
        6 => with_columns(3),
        9 | 10 => Arrangement::QueryLeft { columns: 5, query_ratio: 2.2 },
        7..=MAX_QUERY_LEFT => with_columns(4),
        _ => Arrangement::QueryAbove { columns: balanced_columns(matches) },
    }
}

fn with_columns(columns: u32) -> Arrangement {
    match columns {
        1 => Arrangement::QueryLeft { columns, query_ratio: 1.0 },
        2 => Arrangement::QueryLeft { columns, query_ratio: 1.9 },
        3 => Arrangement::QueryLeft { columns, query_ratio: 2.0 },
        4 => Arrangement::QueryLeft { columns, query_ratio: 2.4 },
        _ => Arrangement::QueryAbove { columns },
    }
}

/// A number of columns near that of a landscape sheet, with as few empty places in the last row as possible.
fn balanced_columns(matches: usize) -> u32 {
    let ideal = (matches as f32 * 1.9).sqrt();
    let cost = |columns: u32| {
        let left_over = (matches as u32).next_multiple_of(columns) - matches as u32;
        left_over as f32 / columns as f32 + (columns as f32 - ideal).abs() * 0.45
    };
    (5..=10).min_by(|one, other| cost(*one).total_cmp(&cost(*other))).unwrap_or(6)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn large_grids_are_full_where_possible() {
        for (matches, columns) in [(15, 5), (18, 6), (20, 7), (24, 6), (30, 8), (40, 8), (50, 10)] {
            assert_eq!(arrangement(matches, None, 1600.0), Arrangement::QueryAbove { columns }, "{matches}");
        }
    }

    #[test]
    fn the_users_columns_win_within_reason() {
        assert_eq!(arrangement(20, Some(7), 1600.0), Arrangement::QueryAbove { columns: 7 });
        assert_eq!(arrangement(50, Some(1), 1600.0), with_columns(4));
        assert_eq!(arrangement(50, Some(900), 1600.0), Arrangement::QueryAbove { columns: 12 });
        assert_eq!(arrangement(3, Some(8), 1600.0), with_columns(3));
        assert_eq!(arrangement(0, Some(8), 1600.0), Arrangement::Notice);
    }

    #[test]
    fn a_narrow_sheet_has_few_columns() {
        assert_eq!(arrangement(10, None, 693.0), Arrangement::Narrow { columns: 3 });
        assert_eq!(arrangement(2, None, 693.0), Arrangement::Narrow { columns: 2 });
        assert_eq!(arrangement(10, Some(12), 520.0), Arrangement::Narrow { columns: 4 });
        assert_eq!(arrangement(0, None, 520.0), Arrangement::Notice);
    }
}
