//! Says of each match why it stands where it does: what the search knows of it, with the names of the query and its folders.

use std::path::Path;

use super::input::Input;
use crate::answer::{SearchModelPart, WhyPart};
use crate::config::SetMode;
use crate::index::Found;

/// What reasons are told with.
pub struct Explanation<'a> {
    /// The query's pictures in the order in which they were compared, where each counts for itself; else none.
    members: Vec<&'a Path>,
    /// How deep the folders lie that taught the model.
    folder_depth: Option<usize>,
}

impl<'a> Explanation<'a> {
    /// Of the answer to `input` by `model`.
    pub fn new(input: &'a Input, set_mode: SetMode, model: &SearchModelPart) -> Self {
        let used = input.members.used.iter().filter(|member| member.kept.is_some());
        let members: Vec<&Path> = used.map(|member| member.file.path.as_path()).collect();
        let counts_each = set_mode == SetMode::Nearest && members.len() > 1;
        let lesson = &model.folders.lesson;
        Self {
            members: if counts_each { members } else { Vec::new() },
            folder_depth: lesson.taught.then_some(lesson.depth),
        }
    }

    /// Why `found` stands where it does.
    pub fn of(&self, found: &Found) -> WhyPart {
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let reason = &found.reason;
        WhyPart {
            message: String::new(),
            place: reason.place,
            place_alone: reason.alone,
            neighbours: reason.neighbours.iter().map(|path| text(path)).collect(),
            query: self.members.get(reason.member).map(|path| text(path)),
            folder: self.folder_depth.and_then(|depth| folder_at(&found.path, depth)),
        }
        .in_words()
    }
}

/// The folder of a picture, cut at `depth`.
fn folder_at(path: &Path, depth: usize) -> Option<String> {
    let folder: std::path::PathBuf = path.parent()?.components().take(depth).collect();
    (!folder.as_os_str().is_empty()).then(|| folder.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_named_as_deep_as_it_taught() {
        let folder = |path: &str, depth| folder_at(Path::new(path), depth);
        assert_eq!(folder("a/b/c.jpg", 1).as_deref(), Some("a"));
        assert_eq!(folder("a/b/c.jpg", 4).as_deref(), Some("a/b"));
        assert_eq!(folder("c.jpg", 1), None);
    }
}
