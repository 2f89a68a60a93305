//! One answer as a page shows it whole. The record is read as hostile, as for the gallery: what is no record as the program writes
//! it is not shown, and every path in it stays below its folder.

use serde::{Deserialize, Serialize};

use super::entry::{LATEST_S, LONGEST_PATH_BYTES, cut, is_below_the_folder, not_too_many};
use crate::answer::{Grade, Status};
use crate::config::SheetFormat;

/// An answer.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct AnswerDetail {
    /// Of the query, relative to the query folder.
    pub name: String,
    status: &'static str,
    message: String,
    /// When it was answered, in seconds since 1970.
    pub time: i64,
    /// Pictures of the query.
    pub query: Vec<AskedPicture>,
    /// Positive examples of a set.
    pub yes: Vec<AskedPicture>,
    /// Negative examples of a set.
    pub not: Vec<AskedPicture>,
    /// Pictures of a large set that are in none of these lists.
    pub unused: usize,
    /// What was found.
    pub matches: Vec<MatchedPicture>,
    /// The nearest picture where nothing is similar.
    pub nearest: Option<MatchedPicture>,
    /// File name of the sheet, if the record names one.
    pub sheet: Option<String>,
    model: String,
    /// Pictures searched.
    inventory: usize,
    /// From the moment a worker took the query until the record was made.
    total_ms: f32,
}

/// A picture of the query.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AskedPicture {
    /// Relative to the query folder.
    pub path: String,
    /// Why it was left out.
    #[serde(default)]
    problem: Option<String>,
}

/// A picture that was found.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct MatchedPicture {
    /// Relative to the inventory folder.
    pub path: String,
    absolute_path: String,
    /// The node whose inventory it lies in, if that is another one than the answer's.
    pub other_node: Option<String>,
    grade: Option<&'static str>,
    /// That it is the query's picture, or else the grade in words, as on a sheet; a figure where there is no grade.
    words: String,
    /// "its disk is away".
    marks: Vec<&'static str>,
    /// Why it stands where it does, in words; empty in records of earlier versions.
    why: String,
    duplicates: usize,
    /// When it was taken, by ISO 8601 without a zone; empty where it is not known, as the camera.
    taken: String,
    camera: String,
}

#[derive(Deserialize)]
struct WholeRecord {
    status: Status,
    message: String,
    answered_s: i64,
    query: WholeQuery,
    sheet: Option<String>,
    #[serde(default)]
    model: NamedModel,
    #[serde(default)]
    engine: Option<AskedEngine>,
    #[serde(default)]
    inventory: usize,
    #[serde(default)]
    timings_ms: TotalTime,
    #[serde(deserialize_with = "not_too_many")]
    matches: Vec<WholeMatch>,
    #[serde(default)]
    nearest: Option<WholeMatch>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct NamedModel {
    id: String,
}

/// The node that asked an engine.
#[derive(Deserialize)]
struct AskedEngine {
    node: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct TotalTime {
    total: f32,
}

#[derive(Deserialize)]
struct WholeQuery {
    name: String,
    #[serde(default, deserialize_with = "not_too_many")]
    files: Vec<AskedPicture>,
    #[serde(default, deserialize_with = "not_too_many")]
    yes: Vec<AskedPicture>,
    #[serde(default, deserialize_with = "not_too_many")]
    not: Vec<AskedPicture>,
    #[serde(default)]
    unused: usize,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ReasonInWords {
    message: String,
}

#[derive(Deserialize)]
struct WholeMatch {
    path: String,
    #[serde(default)]
    absolute_path: String,
    #[serde(default)]
    node: Option<String>,
    #[serde(default)]
    closer_than: f32,
    grade: Option<String>,
    relation: Option<String>,
    #[serde(default)]
    away: bool,
    #[serde(default)]
    why: ReasonInWords,
    #[serde(default, deserialize_with = "not_too_many")]
    duplicates: Vec<serde::de::IgnoredAny>,
    #[serde(default)]
    taken: String,
    #[serde(default)]
    camera: String,
}

impl AnswerDetail {
    /// Of `record`, the content of `result_<stem>.json`; `None` for what is no record.
    pub fn from_record(record: &[u8], stem: &str) -> Option<Self> {
        let record: WholeRecord = serde_json::from_slice(record).ok()?;
        let WholeQuery { name, files, yes, not, unused } = record.query;
        let are_below = |pictures: &[AskedPicture]| pictures.iter().all(|picture| is_below_the_folder(&picture.path));
        let is_sound = (0..=LATEST_S).contains(&record.answered_s)
            && name.len() <= LONGEST_PATH_BYTES
            && are_below(&files)
            && are_below(&yes)
            && are_below(&not)
            && record.matches.iter().chain(&record.nearest).all(|found| is_below_the_folder(&found.path));
        if !is_sound {
            return None;
        }
        let is_its_sheet =
            |sheet: &String| SheetFormat::ALL.iter().any(|format| *sheet == format!("{stem}.{}", format.extension()));
        let own_node = record.engine.map(|engine| engine.node);
        let shown = |found: WholeMatch| found.shown(own_node.as_deref());
        Some(Self {
            name,
            status: record.status.name(),
            message: cut(record.message),
            time: record.answered_s,
            query: files,
            yes,
            not,
            unused,
            matches: record.matches.into_iter().map(shown).collect(),
            nearest: record.nearest.map(shown),
            sheet: record.sheet.filter(is_its_sheet),
            model: cut(record.model.id),
            inventory: record.inventory,
            total_ms: record.timings_ms.total,
        })
    }
}

impl WholeMatch {
    fn shown(self, own_node: Option<&str>) -> MatchedPicture {
        let other_node = self.node.filter(|node| own_node.is_none_or(|own| own != node)).map(cut);
        let away = match (self.away, &other_node) {
            (true, None) => Some("its disk is away"),
            (_, Some(_)) => Some("on another node"),
            (false, None) => None,
        };
        let grade = self.grade.as_deref().and_then(Grade::of_name);
        let figure = || match self.closer_than {
            share if (0.0..=1.0).contains(&share) => format!("closer than {:.0} % of pairs", share * 100.0),
            _ => String::new(),
        };
        // Whoever reads that it is the same picture need not read "same picture" beside it.
        let relation = match self.relation.as_deref() {
            Some("identical") => Some("the same picture"),
            Some("near_duplicate") => Some("nearly the same picture"),
            _ => None,
        };
        let of_grade = || grade.map(Grade::words);
        let words = relation.or_else(of_grade).map_or_else(figure, String::from);
        MatchedPicture {
            words,
            grade: grade.map(Grade::name),
            path: self.path,
            absolute_path: cut(self.absolute_path),
            marks: away.into_iter().collect(),
            why: cut(self.why.message),
            other_node,
            duplicates: self.duplicates.len(),
            taken: cut(self.taken),
            camera: cut(self.camera),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn record() -> Value {
        json!({
            "status": "ok", "message": "The 1 most similar.", "answered_s": 5, "sheet": "result_new.jpg",
            "query": {"name": "new", "files": [{"path": "new/a.jpg"}], "not": [{"path": "new/not/b.jpg", "problem": "it is empty"}]},
            "model": {"id": "m7"}, "inventory": 9, "timings_ms": {"total": 12.5},
            "matches": [{"path": "a b/ü.jpg", "absolute_path": "/i/a b/ü.jpg", "closer_than": 0.98, "grade": "same",
                "relation": "near_duplicate", "away": true, "duplicates": [{}, {}], "why": {"message": "Alone it would be 2nd."}, "taken": "2024-06-01T08:30:00"}],
        })
    }

    fn detail(record: &Value) -> Option<AnswerDetail> {
        AnswerDetail::from_record(record.to_string().as_bytes(), "result_new")
    }

    #[test]
    fn an_answer_is_read_with_its_words() {
        let detail = detail(&record()).unwrap();
        let [found] = &detail.matches[..] else { panic!("one match") };
        assert_eq!((found.words.as_str(), found.duplicates), ("nearly the same picture", 2));
        assert_eq!((found.taken.as_str(), found.camera.as_str()), ("2024-06-01T08:30:00", ""));
        assert_eq!((&found.marks[..], found.why.as_str()), (&["its disk is away"][..], "Alone it would be 2nd."));
        assert_eq!((detail.query.len(), detail.not.len(), detail.sheet.as_deref()), (1, 1, Some("result_new.jpg")));
        assert_eq!(found.other_node, None);
    }

    #[test]
    fn a_match_of_another_node_is_told_from_the_own_one_of_its_path() {
        let of = |own: &str| {
            let mut record = record();
            record["engine"] = json!({"node": own});
            record["matches"][0]["node"] = "b".into();
            detail(&record).unwrap().matches.remove(0)
        };
        assert_eq!((of("b").other_node, of("b").marks[0]), (None, "its disk is away"));
        assert_eq!((of("a").other_node.as_deref(), of("a").marks[0]), (Some("b"), "on another node"));
    }

    #[test]
    fn a_planted_record_leads_nowhere() {
        let with = |path: &str, value: Value| {
            let mut planted = record();
            *planted.pointer_mut(path).unwrap() = value;
            detail(&planted)
        };
        for place in ["/matches/0/path", "/query/files/0/path", "/query/not/0/path"] {
            for path in ["../../etc/passwd", "/etc/passwd", "a/../../b"] {
                assert_eq!(with(place, path.into()), None, "{place} {path}");
            }
        }
        for sheet in ["../secret.png", "result_other.png", "index.html"] {
            assert_eq!(with("/sheet", sheet.into()).unwrap().sheet, None, "{sheet}");
        }
        assert_eq!(with("/answered_s", json!(-1)), None);
        assert_eq!(with("/query/files", vec![json!({"path": "a"}); 1_001].into()), None);
        assert_eq!(with("/matches/0/grade", "<b>".into()).unwrap().matches[0].grade, None);
    }
}
