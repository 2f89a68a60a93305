//! Any bytes as a record in the answer folder, where others may write, and as a request: the gallery's page holds it as data
//! and nothing in it ends the page's script.

#![no_main]

use std::path::Path;

use artificio::answer::gallery::{self, GalleryEntry};
use artificio::answer::Changes;
use artificio::daemon::Request;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = serde_json::from_slice::<Request>(bytes);
    if let Ok(record) = serde_json::from_slice(bytes) {
        Changes::since(&record, &[]);
    }
    if let Some(entry) = GalleryEntry::from_record(bytes, "result_fuzzed") {
        let page = |entries: &mut [&GalleryEntry]| gallery::page(entries, true, Path::new("/i"), Path::new("/a"));
        let tags = |page: &[u8]| page.iter().filter(|&&byte| byte == b'<').count();
        assert_eq!(tags(&page(&mut [&entry])), tags(&page(&mut [])), "an entry adds no tag");
    }
});
