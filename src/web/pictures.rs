//! Pictures by what a record says of them. A request names an answer and the place of a picture in it, never a path: so nothing is
//! read but what the daemon has named, below the folder that it is from, and without following links.

use std::path::{Path, PathBuf};

use super::answers::detail;
use super::request::HttpRequest;
use super::response::{HttpRefusal, WebResponse};
use crate::answer::gallery::{AnswerDetail, MatchedPicture};
use crate::base::html::percent_encoded;
use crate::config::FolderSettings;
use crate::files::FileAt;

/// Formats that browsers show, by the first bytes of a file; all others are for saving. AVIF is recognised by its brand.
const SHOWN: [(&[u8], &str); 6] = [
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"RIFF", "image/webp"),
    (b"BM", "image/bmp"),
];
/// Nothing in a picture runs or loads, whatever it is.
const POLICY_OF_PICTURES: &str = "default-src 'none'; sandbox";

/// Where a picture of an answer lies.
#[derive(Debug, PartialEq, Eq)]
pub struct NamedPicture {
    /// The folder of inventory or queries.
    pub root: PathBuf,
    /// Relative to it.
    pub path: PathBuf,
}

impl NamedPicture {
    /// The one that a request names.
    ///
    /// # Errors
    /// The answer is another one by now, or has no such picture.
    pub fn of_request(request: &HttpRequest, folders: &FolderSettings) -> Result<Self, HttpRefusal> {
        let value = |name: &str| request.parameter(name).ok_or_else(HttpRefusal::not_found);
        let number = |name: &str| value(name)?.parse::<u64>().map_err(|_| HttpRefusal::not_found());
        let answer = detail(&folders.answer, value("key")?)?;
        if answer.time != number("at")? as i64 {
            return Err(HttpRefusal::not_found());
        }
        Self::of(&answer, value("of")?, number("n")? as usize, folders).ok_or_else(HttpRefusal::not_found)
    }

    /// Number `at` of the answer's matches, of its query's pictures, or the nearest one.
    pub fn of(answer: &AnswerDetail, of: &str, at: usize, folders: &FolderSettings) -> Option<Self> {
        // One of another node is none of this inventory, whatever lies there at its path.
        let found = |picture: &MatchedPicture| {
            let is_here = picture.other_node.is_none();
            is_here.then(|| Self { root: folders.inventory.to_path_buf(), path: (&picture.path).into() })
        };
        let asked = |path: &str| Self { root: folders.query.clone(), path: path.into() };
        match of {
            "match" => answer.matches.get(at).and_then(found),
            "nearest" => answer.nearest.as_ref().and_then(found),
            "query" => answer.query.get(at).map(|picture| asked(&picture.path)),
            "yes" => answer.yes.get(at).map(|picture| asked(&picture.path)),
            "not" => answer.not.get(at).map(|picture| asked(&picture.path)),
            _ => None,
        }
    }

    /// To be opened.
    pub fn place(&self) -> FileAt<'_> {
        FileAt::below(&self.root, &self.path)
    }

    /// The file itself.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn original(&self) -> Result<WebResponse, HttpRefusal> {
        file(&self.place(), &self.path)
    }
}

/// The sheet of an answer.
///
/// # Errors
/// There is none.
pub fn sheet(request: &HttpRequest, folders: &FolderSettings) -> Result<WebResponse, HttpRefusal> {
    let answer = detail(&folders.answer, request.parameter("key").unwrap_or_default())?;
    let name = PathBuf::from(answer.sheet.ok_or_else(HttpRefusal::not_found)?);
    file(&FileAt::below(&folders.answer, &name), &name)
}

fn file(place: &FileAt<'_>, path: &Path) -> Result<WebResponse, HttpRefusal> {
    let (mut file, stamp) =
        place.open().map_err(|problem| HttpRefusal::new(404, format!("{}: {problem}", path.display())))?;
    let kind = kind_of(&mut file).map_err(|error| HttpRefusal::new(404, crate::error::reason(&error)))?;
    let how = if kind.is_some() { "inline" } else { "attachment" };
    let name = percent_encoded(Path::new(path.file_name().unwrap_or_default()));
    let response = WebResponse::file(kind.unwrap_or("application/octet-stream"), file, stamp.size);
    Ok(response.under(POLICY_OF_PICTURES).with("Content-Disposition", format!("{how}; filename*=UTF-8''{name}")))
}

fn kind_of(file: &mut std::fs::File) -> std::io::Result<Option<&'static str>> {
    use std::io::{Read, Seek};
    let mut begin = Vec::new();
    file.by_ref().take(12).read_to_end(&mut begin)?;
    file.rewind()?;
    if begin.get(4..).is_some_and(|brand| [b"ftypavif", b"ftypavis"].iter().any(|avif| brand == *avif)) {
        return Ok(Some("image/avif"));
    }
    Ok(SHOWN.iter().find(|(first, _)| begin.starts_with(first)).map(|(_, kind)| *kind))
}

#[cfg(test)]
mod tests {
    use std::fs;

    use serde_json::json;

    use super::*;

    fn asked(folders: &FolderSettings, query: &str) -> Result<NamedPicture, u16> {
        let text = format!("GET /picture?{query} HTTP/1.1\r\n\r\n");
        let request = HttpRequest::read(&mut text.as_bytes()).unwrap().unwrap();
        NamedPicture::of_request(&request, folders).map_err(|refusal| refusal.status)
    }

    #[test]
    fn a_picture_is_read_only_where_a_record_names_it_and_never_through_a_link() {
        let root = tempfile::tempdir().unwrap();
        let folders = FolderSettings::default().below(root.path());
        [&*folders.answer, &folders.inventory, &folders.query]
            .iter()
            .for_each(|folder| fs::create_dir_all(folder).unwrap());
        let record = json!({
            "status": "ok", "message": "", "answered_s": 7, "query": {"name": "q.jpg", "files": [{"path": "q.jpg"}]},
            "matches": [{"path": "a.jpg"}, {"path": "link.jpg"}, {"path": "deep/b.svg"}],
        });
        fs::write(folders.answer.join("result_q.json"), record.to_string()).unwrap();
        fs::write(root.path().join("secret"), b"secret").unwrap();
        std::os::unix::fs::symlink(root.path().join("secret"), folders.inventory.join("link.jpg")).unwrap();
        fs::write(folders.inventory.join("a.jpg"), b"\xFF\xD8\xFFrest").unwrap();
        let first = asked(&folders, "key=result_q&at=7&of=match&n=0").unwrap();
        assert_eq!(first, NamedPicture { root: folders.inventory.to_path_buf(), path: "a.jpg".into() });
        assert!(first.original().is_ok());
        let link = asked(&folders, "key=result_q&at=7&of=match&n=1").unwrap();
        assert!(link.original().is_err_and(|refusal| refusal.message.contains("leads out of the folder")));
        assert_eq!(asked(&folders, "key=result_q&at=7&of=query&n=0").unwrap().path, Path::new("q.jpg"));
        for wrong in [
            "key=result_q&at=8&of=match&n=0",
            "key=result_q&at=7&of=match&n=3",
            "key=result_q&at=7&of=match&n=-1",
            "key=result_q&at=7&of=answer&n=0",
            "key=result_q&at=7&of=nearest&n=0",
            "key=../answer/result_q&at=7&of=match&n=0",
            "path=/etc/passwd",
        ] {
            assert_eq!(asked(&folders, wrong).err(), Some(404), "{wrong}");
        }
    }
}
