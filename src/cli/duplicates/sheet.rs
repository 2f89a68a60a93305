//! What `artificio duplicates` found, as a picture.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::report::DuplicatesReport;
use crate::cli::progress_bar::CancellableProgress;
use crate::config::Config;
use crate::error::Fatal;
use crate::files::write_whole;
use crate::overview::{SHOWN_GROUPS, SHOWN_MEMBERS, SheetGroup, group_sheet, thumbnails, to_jpeg};
use crate::picture::Bounds;

/// Side of a picture on the sheet.
const SIDE_PX: u32 = 180;

/// Draws the groups into the file `sheet`.
pub fn draw(sheet: &Path, report: &DuplicatesReport, config: &Config, bar: &CancellableProgress) -> Result<(), Fatal> {
    // Positions count all files of the first groups; of each group only the first files are drawn.
    let (mut files, mut groups) = (Vec::new(), Vec::new());
    for group in report.groups.iter().take(SHOWN_GROUPS) {
        let start = files.len();
        files.extend(&group.members);
        let members: Vec<usize> = (start..files.len()).collect();
        groups.push(SheetGroup { heading: heading(members.len(), group.similarity), members });
    }
    let drawn = groups.iter().flat_map(|group| group.members.iter().take(SHOWN_MEMBERS));
    let drawn: Vec<usize> = drawn.copied().collect();
    let paths: Vec<PathBuf> = drawn.iter().map(|&at| files[at].file.clone()).collect();
    let bounds = Bounds::from(&config.limits);
    let made = thumbnails(&config.folders.inventory, &paths, SIDE_PX, &bounds, bar).ok_or_else(|| bar.stopped())?;
    let made: HashMap<usize, _> = drawn.into_iter().zip(&made).collect();
    let picture = group_sheet(&groups, &|at| (files[at].path.as_str(), made.get(&at).copied()), config.answer.theme);
    let bytes = to_jpeg(&picture).map_err(|reason| Fatal::Failed(format!("{}: {reason}", sheet.display())))?;
    Ok(write_whole(sheet, &bytes, "write the sheet")?)
}

/// With the least similarity of its pictures to the one that all were compared with.
fn heading(members: usize, similarity: f32) -> String {
    let hidden = members.saturating_sub(SHOWN_MEMBERS);
    let more = if hidden > 0 { format!(" ({hidden} of them not shown)") } else { String::new() };
    format!("{members} pictures, similarity at least {similarity:.3}{more}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_counts_what_is_not_shown() {
        assert_eq!(heading(2, 0.9), "2 pictures, similarity at least 0.900");
        assert_eq!(heading(11, 0.93), "11 pictures, similarity at least 0.930 (3 of them not shown)");
    }
}
