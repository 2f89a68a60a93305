//! The list of answers, the newest first, piece by piece; and one answer as a whole.

use std::ffi::OsString;
use std::path::Path;

use serde_json::{Value, json};

use super::request::HttpRequest;
use super::response::HttpRefusal;
use crate::answer::LARGEST_RECORD_BYTES;
use crate::answer::gallery::{AnswerDetail, GalleryEntry, NewestRecords, record_stem};
use crate::files::FileAt;

/// Answers in one piece of the list.
const IN_A_PIECE: usize = 40;

/// One answer in the list; its key names it.
pub fn row(key: &str, entry: &GalleryEntry) -> Value {
    json!({ "key": key, "answer": entry })
}

/// A piece of the list: those that have the text of the request, after the one that it names by time and key.
pub fn piece(request: &HttpRequest, records: &NewestRecords) -> Value {
    let text = request.parameter("text").unwrap_or_default().to_lowercase();
    let after = request.parameter("after").and_then(|after| {
        let (time, key) = after.split_once('.')?;
        Some((-time.parse::<i64>().ok()?, key))
    });
    let named = records.named().filter_map(|(name, entry)| record_stem(name).map(|key| (key, entry)));
    let mut found: Vec<(&str, &GalleryEntry)> = named
        .filter(|(key, entry)| after.is_none_or(|after| (-entry.time(), *key) > after))
        .filter(|(_, entry)| text.is_empty() || entry.has(&text))
        .collect();
    let order = |one: &(&str, &GalleryEntry), other: &(&str, &GalleryEntry)| {
        other.1.time().cmp(&one.1.time()).then_with(|| one.0.cmp(other.0))
    };
    let are_more = found.len() > IN_A_PIECE;
    if are_more {
        found.select_nth_unstable_by(IN_A_PIECE, order);
        found.truncate(IN_A_PIECE);
    }
    found.sort_by(order);
    let rows: Vec<Value> = found.into_iter().map(|(key, entry)| row(key, entry)).collect();
    json!({ "answers": rows, "are_more": are_more })
}

/// The answer with this key.
///
/// # Errors
/// There is none.
pub fn detail(answer: &Path, key: &str) -> Result<AnswerDetail, HttpRefusal> {
    let name = OsString::from(format!("{key}.json"));
    // No name with a slash passes: it would be one of another folder.
    let stem =
        record_stem(&name).filter(|_| Path::new(&name).iter().count() == 1).ok_or_else(HttpRefusal::not_found)?;
    let record =
        FileAt::below(answer, Path::new(&name)).read(LARGEST_RECORD_BYTES).map_err(|_| HttpRefusal::not_found())?;
    AnswerDetail::from_record(&record, stem).ok_or_else(HttpRefusal::not_found)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::answer::gallery::AnswerChanges;

    fn record(name: &str, time: i64) -> String {
        json!({"status": "ok", "message": "", "answered_s": time, "query": {"name": name, "files": []}, "matches": []})
            .to_string()
    }

    fn keys(piece: &Value) -> Vec<String> {
        piece["answers"].as_array().unwrap().iter().map(|row| row["key"].as_str().unwrap().to_string()).collect()
    }

    #[test]
    fn pieces_follow_one_another_and_miss_nothing() {
        let folder = tempfile::tempdir().unwrap();
        for number in 0..95 {
            // Several of one second.
            let record = record(&format!("Query {number}"), 1_000 + number / 10);
            fs::write(folder.path().join(format!("result_{number:02}.json")), record).unwrap();
        }
        let mut records = NewestRecords::new(1_000);
        records.update(folder.path(), &AnswerChanges::Unknown);
        let ask = |query: &str| {
            let text = format!("GET /answers?{query} HTTP/1.1\r\n\r\n");
            piece(&HttpRequest::read(&mut text.as_bytes()).unwrap().unwrap(), &records)
        };
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let piece = ask(&after);
            all.extend(keys(&piece));
            if piece["are_more"] == false {
                break;
            }
            let last = piece["answers"].as_array().unwrap().last().unwrap();
            after = format!("after={}.{}", last["answer"]["time"], last["key"].as_str().unwrap());
        }
        let mut expected: Vec<i64> = (0..95).collect();
        expected.sort_by_key(|number| (-(number / 10), *number));
        assert_eq!(all, expected.iter().map(|number| format!("result_{number:02}")).collect::<Vec<_>>());
        assert_eq!(keys(&ask("text=query+94")), ["result_94"]);
    }

    #[test]
    fn a_key_names_a_record_of_the_folder_and_nothing_else() {
        let place = tempfile::tempdir().unwrap();
        let answer = place.path().join("answer");
        fs::create_dir_all(answer.join("result_folder")).unwrap();
        fs::write(answer.join("result_a.json"), record("a", 5)).unwrap();
        fs::write(place.path().join("result_b.json"), record("b", 5)).unwrap();
        fs::write(answer.join("result_folder/x.json"), record("x", 5)).unwrap();
        std::os::unix::fs::symlink(place.path().join("result_b.json"), answer.join("result_link.json")).unwrap();
        assert_eq!(detail(&answer, "result_a").unwrap().name, "a");
        for key in [
            "",
            "a",
            "result_",
            "../result_b",
            "result_/../../result_b",
            "result_folder/x",
            "result_link",
            "result_a.json",
            "result_\0",
        ] {
            assert_eq!(detail(&answer, key).map(|found| found.name), Err(HttpRefusal::not_found()), "{key:?}");
        }
    }
}
