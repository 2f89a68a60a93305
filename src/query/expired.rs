//! Removes the files of an answer that is older than it is to be kept.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use rustix::process::geteuid;

use crate::answer::strip::strip_path;
use crate::config::SheetFormat;
use crate::error::Trouble;
use crate::files::remove_own;

/// Removes record and sheet of the answer `name`, if this user wrote them before `cutoff_s` (seconds since 1970). What was written
/// later, or by others, stays. `true` if no record is left.
///
/// # Errors
/// When one cannot be removed.
pub fn remove_before(answers: &Path, name: &str, cutoff_s: i64) -> Result<bool, Trouble> {
    let record = answers.join(format!("result_{name}.json"));
    let sheets = SheetFormat::ALL.map(|format| answers.join(format!("result_{name}.{}", format.extension())));
    let strip = strip_path(answers, &format!("result_{name}"));
    // The record first: while there is one, its sheet is there.
    for path in [&record].into_iter().chain(&sheets).chain([&strip]) {
        let found = fs::symlink_metadata(path);
        let is_ours = |found: &fs::Metadata| found.is_file() && found.uid() == geteuid().as_raw();
        if found.is_ok_and(|found| is_ours(&found) && found.mtime() < cutoff_s) {
            remove_own(path)?;
        }
    }
    Ok(fs::symlink_metadata(&record).is_err())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::symlink;
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn what_the_program_wrote_long_ago_goes_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        let put = |name: &str, written_s: u64| {
            let file = File::create(at(name)).unwrap();
            file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(written_s)).unwrap();
        };
        for name in ["result_a.json", "result_a.png", "result_a.jpg", "result_ab.json", "result_c.png", "result_a.txt"]
        {
            put(name, 1_000);
        }
        put("result_b.json", 2_000);
        put("result_b.png", 1_000);
        symlink("result_a.txt", at("result_d.json")).unwrap();
        fs::create_dir(at("result_e.json")).unwrap();
        let gone = |name: &str| remove_before(folder.path(), name, 1_500).unwrap();
        assert!(gone("a") && gone("c") && gone("missing"));
        assert!(!gone("b") && !gone("d") && !gone("e"), "newer, a link, a folder");
        let mut left: Vec<_> = fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort_unstable();
        assert_eq!(left, ["result_a.txt", "result_ab.json", "result_b.json", "result_d.json", "result_e.json"]);
    }
}
