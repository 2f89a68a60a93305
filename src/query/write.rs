//! The last stage of a query: writes sheet and record into the answer folder, each whole or not at all.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::render::Drawn;
use crate::answer::strip::write_strip;
use crate::answer::{LARGEST_RECORD_BYTES, Record};
use crate::config::SheetFormat;
use crate::error::Trouble;
use crate::files::{FileAt, has_room, make_folder, remove_own, write_whole};

/// Why an answer could not be written.
#[derive(Debug)]
pub enum Unwritten {
    /// Because of the answer folder: it is full, read-only, out of reach. No other answer can be written either.
    Folder {
        /// What happened.
        trouble: Trouble,
        /// The size of what was to be written.
        bytes: usize,
    },
    /// Because of what lies in its own place. Other answers can be written.
    Place(Trouble),
}

/// What to do about an answer's place in which something lies.
const MOVE_AWAY: &str = "move away what lies there, or let artificio replace it; it is tried again by itself";

/// Where one query's answer goes.
pub struct Place<'a> {
    /// The answer folder.
    pub folder: &'a Path,
    /// The answer's name.
    pub name: &'a str,
    /// The format of sheets.
    pub format: SheetFormat,
}

/// The record of an existing answer.
pub struct FormerAnswer {
    /// As JSON: it may be of an older version.
    pub record: Value,
}

impl FormerAnswer {
    /// Id of the model that was used.
    pub fn model(&self) -> Option<&str> {
        self.record.pointer("/model/id").and_then(Value::as_str)
    }
}

impl Place<'_> {
    /// The record in the answer folder; `None` if it was deleted, or is no record.
    pub fn former(&self) -> Option<FormerAnswer> {
        let name = self.file_name("json");
        let record = FileAt::below(self.folder, Path::new(&name)).read(LARGEST_RECORD_BYTES).ok()?;
        let record = serde_json::from_slice(&record).ok()?;
        Some(FormerAnswer { record })
    }

    /// Whether the answer still exists: a deleted one is written again the next time its query is handled.
    pub fn has_answer(&self) -> bool {
        [self.format.extension(), "json"].iter().all(|end| self.path(end).exists())
    }

    /// Writes the sheet, then the record, which names it: once the record exists, so does the sheet.
    pub fn write(&self, drawn: &Drawn, record: &mut Record) -> Result<(), Unwritten> {
        record.sheet = Some(self.file_name(self.format.extension()));
        let former = self.former_sheet();
        self.write_file(self.format.extension(), &drawn.sheet, "write the sheet")?;
        write_strip(self.folder, &format!("result_{}", self.name), drawn.strip.as_deref());
        self.write_file("json", &record.to_json(), "write the record")?;
        if let Some(former) = former.filter(|former| Some(former) != record.sheet.as_ref()) {
            // A sheet left over would show another answer than its record.
            let _ = remove_own(&self.folder.join(former));
        }
        Ok(())
    }

    /// The sheet of the existing answer, if its record names one: with another format set, it had another extension.
    fn former_sheet(&self) -> Option<String> {
        let former = self.former()?.record;
        let named = former.get("sheet")?.as_str()?;
        SheetFormat::ALL.map(|format| self.file_name(format.extension())).into_iter().find(|name| name == named)
    }

    /// What lies in the answer's place and cannot be replaced by a file, if anything does: no work is done for it.
    pub fn obstacle(&self) -> Option<Trouble> {
        let paths = [self.format.extension(), "json"].map(|end| self.path(end));
        let is_folder = |path: &PathBuf| std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_dir());
        let folder = paths.into_iter().find(is_folder)?;
        Some(Trouble::new("a folder lies where the answer is to be written", folder, MOVE_AWAY))
    }

    /// Whether the folder or the place itself is the problem shows when another file of that size is written into the folder.
    fn write_file(&self, end: &str, bytes: &[u8], doing: &str) -> Result<(), Unwritten> {
        let path = self.path(end);
        let written = make_folder(self.folder).and_then(|()| write_whole(&path, bytes, doing));
        written.map_err(|trouble| match has_room(self.folder, bytes.len()) {
            true => Unwritten::Place(Trouble { path, remedy: MOVE_AWAY.into(), ..trouble }),
            false => Unwritten::Folder { trouble: Trouble { path: self.folder.into(), ..trouble }, bytes: bytes.len() },
        })
    }

    fn path(&self, end: &str) -> PathBuf {
        self.folder.join(self.file_name(end))
    }

    fn file_name(&self, end: &str) -> String {
        format!("result_{}.{end}", self.name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_in_the_place_of_one_answer_is_no_problem_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place { folder: folder.path(), name: "q", format: SheetFormat::Png };
        assert!(place.write_file("json", b"{}", "write the record").is_ok() && place.obstacle().is_none());
        // A link is replaced, wherever it leads.
        let path = place.path("png");
        std::os::unix::fs::symlink("/nowhere", &path).unwrap();
        assert!(place.write_file("png", b"sheet", "write the sheet").is_ok() && path.is_file());
        std::fs::remove_file(&path).unwrap();
        std::fs::create_dir(&path).unwrap();
        assert_eq!(place.obstacle().unwrap().path, path);
        match place.write_file("png", b"sheet", "write the sheet").unwrap_err() {
            Unwritten::Place(trouble) => assert_eq!(trouble.path, path),
            Unwritten::Folder { trouble, .. } => panic!("{trouble}"),
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 2, "nothing else is left");
        let blocked = folder.path().join("file");
        std::fs::write(&blocked, b"").unwrap();
        let place = Place { folder: &blocked, ..place };
        assert!(matches!(place.write_file("json", b"{}", "write"), Err(Unwritten::Folder { bytes: 2, .. })));
    }
}
