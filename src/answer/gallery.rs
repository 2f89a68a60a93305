//! The gallery: one static HTML page of all answers, which needs nothing but the files in the same folder.

mod detail;
mod entry;
mod records;

use std::path::{Component, Path, PathBuf};

use serde::Serialize;

use crate::base::html::{Page, json_in_script, percent_encoded};
pub use detail::{AnswerDetail, AskedPicture, MatchedPicture};
pub use entry::GalleryEntry;
pub use records::{AnswerChanges, NewestRecords, record_stem};

/// The page's file name in the answer folder.
pub const FILE_NAME: &str = "index.html";

/// The page's body, without its data.
const BODY: &str = include_str!("gallery/page.html");
const STYLE: &str = include_str!("gallery/page.css");
/// Placeholder for the data in the body.
const PLACE: &str = "__DATA__";

/// The page with `entries`, the newest first; they `are_all`, or there are older ones. `inventory` is the inventory folder, `answer`
/// the folder of the page.
pub fn page(entries: &mut [&GalleryEntry], are_all: bool, inventory: &Path, answer: &Path) -> Vec<u8> {
    #[derive(Serialize)]
    struct GalleryData<'a> {
        /// As a link.
        inventory: String,
        /// The same as a path, to be copied.
        folder: String,
        are_all: bool,
        answers: &'a [&'a GalleryEntry],
    }
    entries.sort_by(|one, other| other.time.cmp(&one.time).then_with(|| one.name.cmp(&other.name)));
    let folder = inventory.to_string_lossy().into_owned();
    let data = GalleryData { inventory: link_to(inventory, answer), folder, are_all, answers: entries };
    // Texts, numbers and lists always have a JSON form.
    let json = json_in_script(&serde_json::to_string(&data).unwrap_or_default());
    let body = BODY.replacen(PLACE, &json, 1);
    let page = Page {
        title: "artificio: answers",
        image_sources: "'self' file: data:",
        has_scripts: true,
        style: STYLE,
        body: &body,
    };
    page.to_html().into_bytes()
}

/// The folder `to` as a link from a page in `from`, with a slash at its end. It is relative where both lie below a
/// common folder, so that a store can be moved as a whole.
fn link_to(to: &Path, from: &Path) -> String {
    let parts = |path: &Path| path.components().map(|part| part.as_os_str().to_owned()).collect::<Vec<_>>();
    let (target, start) = (parts(to), parts(from));
    let common = target.iter().zip(&start).take_while(|(one, other)| one == other).count();
    // Only the root of the file system in common: moving a store would separate the two anyway.
    let relative: PathBuf = match common {
        0 | 1 => to.to_path_buf(),
        _ => std::iter::repeat_n(Component::ParentDir.as_os_str().to_owned(), start.len() - common)
            .chain(target[common..].iter().cloned())
            .collect(),
    };
    let encoded = percent_encoded(&relative);
    if relative.is_absolute() { format!("file://{encoded}/") } else { format!("{encoded}/") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(name: &str, time: i64) -> Vec<u8> {
        serde_json::json!({
            "status": "ok", "message": "The 1 most similar.", "answered_s": time, "sheet": format!("result_{name}.jpg"),
            "query": {"name": name, "files": [{"path": name}]},
            "matches": [{"rank": 1, "path": "a b/ü.jpg", "closer_than": 0.9876, "duplicates": [{}, {}]}],
        })
        .to_string()
        .into_bytes()
    }

    #[test]
    fn the_newest_answer_comes_first_and_no_name_ends_the_data() {
        let old = GalleryEntry::from_record(&record("</script><b>", 5), "result_old").unwrap();
        let new = GalleryEntry::from_record(&record("new", 6), "result_new").unwrap();
        let page = page(&mut [&old, &new], true, Path::new("/s/db/img_inventory_raw"), Path::new("/s/answer"));
        let page = String::from_utf8(page).unwrap();
        let at = |text: &str| page.find(text).unwrap_or_else(|| panic!("{text} is not on the page"));
        assert!(at("\"name\":\"new\"") < at("\"name\":\"\\u003c/script>\\u003cb>\""));
        assert!(page.contains("[\"a b/ü.jpg\",\"98.7\u{202f}%\",2]") && page.contains("\"../db/img_inventory_raw/\""));
        assert!(!page.contains(PLACE));
    }

    #[test]
    fn links_are_relative_within_a_store_and_safe_for_any_name() {
        let link = |to: &str| link_to(Path::new(to), Path::new("/srv/store/answer"));
        assert_eq!(link("/srv/store/db/pictures"), "../db/pictures/");
        assert_eq!(link("/srv/photos #1"), "../../photos%20%231/");
        assert_eq!(link("/home/me/50 %"), "file:///home/me/50%20%25/");
    }

    #[test]
    fn the_page_asks_for_nothing_from_outside() {
        assert_eq!(BODY.matches(PLACE).count(), 1);
        let page = String::from_utf8(page(&mut [], true, Path::new("/s/db"), Path::new("/s/answer"))).unwrap();
        for outside in ["http:", "https:", "//cdn", "@import", "<link", "src=\""] {
            assert!(!page.contains(outside), "{outside}");
        }
    }
}
