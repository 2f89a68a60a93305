//! Which of two files of one stem in one folder stands for both: a camera's JPEG for its raw file, a phone's photograph for the film of
//! its moment.
//!
//! By names alone, so that it is known before anything is read, and again whenever one of the two comes or goes. Pictures of a burst
//! or a bracket have stems of their own.

use std::fs;
use std::path::Path;

/// Endings of the files that stand for others, each as cameras and phones write it. A JPEG is read the fastest.
const LEADERS: [&str; 10] = ["jpg", "JPG", "jpeg", "JPEG", "heic", "HEIC", "heif", "HEIF", "hif", "HIF"];
/// Endings of raw files, and of films.
const PARTNERS: [&str; 14] =
    ["arw", "cr2", "cr3", "crw", "dng", "nef", "nrw", "orf", "pef", "raf", "rw2", "srw", "mov", "mp4"];

/// Whether another file in the folder of the one at `path` stands for it.
pub fn is_partner(path: &Path) -> bool {
    let extension = path.extension().and_then(|extension| extension.to_str()).unwrap_or_default();
    PARTNERS.iter().any(|partner| extension.eq_ignore_ascii_case(partner))
        && LEADERS
            .iter()
            .any(|leader| fs::symlink_metadata(path.with_extension(leader)).is_ok_and(|found| found.is_file()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_photograph_stands_for_the_raw_file_and_the_film_of_its_stem() {
        let place = tempfile::tempdir().unwrap();
        for name in ["IMG_1.JPG", "IMG_2.heic", "IMG_3.png", "IMG.4.jpeg", "IMG_6.CR3", "IMG_8.DNG"] {
            fs::write(place.path().join(name), "x").unwrap();
        }
        fs::create_dir(place.path().join("IMG_7.jpg")).unwrap();
        for (name, expected) in [
            ("IMG_1.CR2", true),
            ("IMG_1.mov", true),
            ("IMG_2.MOV", true),
            ("IMG_2.dng", true),
            ("IMG.4.nef", true),
            // Neither is raw or a film, or no photograph has the stem.
            ("IMG_1.JPG", false),
            ("IMG_1.png", false),
            ("IMG_1", false),
            ("IMG_3.CR2", false),
            ("IMG.nef", false),
            ("IMG_10.CR2", false),
            ("img_1.CR2", false),
            // Of a raw file and a film neither stands for the other; a folder stands for nothing.
            ("IMG_6.mov", false),
            ("IMG_7.CR2", false),
            ("IMG_8.CR2", false),
        ] {
            assert_eq!(is_partner(&place.path().join(name)), expected, "{name}");
        }
    }
}
