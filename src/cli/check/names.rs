//! Checks for file names that a sheet cannot show because no font has their characters.

use super::Findings;
use super::survey::FolderSurvey;
use crate::answer::text;
use crate::error::Trouble;

pub(super) fn look(survey: &FolderSurvey, found: &mut Findings) {
    let shown = |path: &std::path::Path| text::is_showable(&path.file_name().unwrap_or_default().to_string_lossy());
    if let Some(path) = survey.unusual.iter().find(|path| !shown(path)) {
        let what = "no font on this system has all characters of this name: sheets show boxes for them";
        // Their names on Debian; other distributions have similar ones.
        let remedy = "sudo apt install fonts-noto-cjk fonts-noto-core fonts-noto-color-emoji";
        found.notes.push(Trouble::new(what, path, remedy));
    }
}
