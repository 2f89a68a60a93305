//! The last stage of a query: writes sheet and record into the answer folder, each whole or not at all.

use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::answer::{LARGEST_RECORD_BYTES, Record};
use crate::config::SheetFormat;
use crate::error::Trouble;
use crate::files::{FileAt, make_folder, remove_own, write_whole};

/// An answer that could not be written.
pub struct Unwritten {
    /// Why.
    pub trouble: Trouble,
    /// The size of what was to be written.
    pub bytes: usize,
}

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
    pub fn write(&self, sheet: &[u8], record: &mut Record) -> Result<(), Unwritten> {
        record.sheet = Some(self.file_name(self.format.extension()));
        let former = self.former_sheet();
        self.write_file(self.format.extension(), sheet, "write the sheet")?;
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

    /// An error names the folder: the problem is the folder's (full, read-only), not the answer's.
    fn write_file(&self, end: &str, bytes: &[u8], doing: &str) -> Result<(), Unwritten> {
        let written = make_folder(self.folder).and_then(|()| write_whole(&self.path(end), bytes, doing));
        let unwritten =
            |trouble| Unwritten { trouble: Trouble { path: self.folder.into(), ..trouble }, bytes: bytes.len() };
        written.map_err(unwritten)
    }

    fn path(&self, end: &str) -> PathBuf {
        self.folder.join(self.file_name(end))
    }

    fn file_name(&self, end: &str) -> String {
        format!("result_{}.{end}", self.name)
    }
}
