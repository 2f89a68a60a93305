//! File names that a sheet cannot show for want of a font.

use super::Findings;
use super::survey::Survey;
use crate::answer::text;
use crate::error::Trouble;

pub(super) fn look(survey: &Survey, found: &mut Findings) {
    let shown = |path: &std::path::Path| text::is_showable(&path.file_name().unwrap_or_default().to_string_lossy());
    if let Some(path) = survey.unusual.iter().find(|path| !shown(path)) {
        let what = "no font on this system has all characters of this name: sheets show boxes for them";
        // By their names on Debian; others call them alike.
        let remedy = "sudo apt install fonts-noto-cjk fonts-noto-core fonts-noto-color-emoji";
        found.notes.push(Trouble::new(what, path, remedy));
    }
}
