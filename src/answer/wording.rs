//! Turns a query's record into the texts on its sheet: the notice, the footer, the label on each match.

use std::path::Path;

use super::sheet::{Footer, Notice, NoticeKind, SheetStyle};
use super::{MatchPart, Record, Relation, Status};
use crate::clock;
use crate::config::{AnswerSettings, Metric, SetMode};
use crate::model::FolderReport;

/// The sheet's style as configured.
pub fn style(settings: &AnswerSettings) -> SheetStyle {
    // 0: chosen by the number of matches.
    let columns = Some(settings.columns.get() as u32).filter(|&columns| columns > 0);
    SheetStyle { theme: settings.theme, width_px: settings.width_px.get() as u32, columns }
}

/// The notice above the matches, or in place of them.
pub fn notice(record: &Record) -> Option<Notice> {
    let (kind, headline) = match record.status {
        Status::Ok => return None,
        Status::NothingSimilar => (NoticeKind::NothingSimilar, "Nothing similar here"),
        Status::Partial => (NoticeKind::Partial, "Not everything could be compared"),
        Status::Error => (NoticeKind::Error, "This could not be answered"),
    };
    // Later lines point at a mistake in a file, which needs a monospaced font. The log and the record have them.
    let detail = record.message.lines().next().unwrap_or_default().into();
    Some(Notice { kind, headline: headline.into(), detail })
}

/// The footer: which model answered, what folders taught it, from how many pictures, when.
pub fn footer(record: &Record) -> Footer {
    let model = match record.model.trained_on {
        0 => "not trained yet".to_string(),
        count => format!("model {}, trained on {count} pictures", record.model.id),
    };
    Footer {
        model,
        folders: taught(&record.model.folders),
        how: how(record),
        inventory: record.inventory,
        scope: record.settings.scope.clone(),
        date: clock::local_text(record.answered_s),
    }
}

/// How it was compared, where that is not the usual way.
fn how(record: &Record) -> String {
    let metric = (record.metric != Metric::default().name()).then(|| format!("{} distance", record.metric));
    let each = record.query.set_mode == Some(SetMode::Nearest);
    let parts = [metric, each.then(|| "each of the query's pictures for itself".into())];
    parts.into_iter().flatten().collect::<Vec<String>>().join(", ")
}

/// What folders gave; nothing where they gave nothing, as who reads a sheet cannot change that.
fn taught(folders: &FolderReport) -> String {
    if folders.lesson.taught { folders.message.clone() } else { String::new() }
}

/// The label on a match's picture, the longest wording first.
pub fn mark(found: &MatchPart) -> Vec<String> {
    let relation = found.relation.map(|relation| match relation {
        Relation::Identical => ["the same picture", "same", "="].map(String::from),
        Relation::NearDuplicate => ["nearly the same picture", "nearly the same", "≈"].map(String::from),
    });
    let node = found.node.as_ref().filter(|_| found.is_remote);
    let node = node.map(|node| [format!("on node {node}"), format!("on {node}"), node.clone()]);
    let away = (found.away && !found.is_remote).then(|| ["its disk is away", "away", "away"].map(String::from));
    let copies = match found.duplicates.len() {
        0 => None,
        1 => Some(["1 more like it".to_string(), "+1".into(), "+1".into()]),
        count => Some([format!("{count} more like it"), format!("+{count}"), format!("+{count}")]),
    };
    // Which of a set's pictures it is, where each counts for itself.
    let query = found.why.as_ref().and_then(|why| Path::new(why.query.as_ref()?).file_name()?.to_str());
    let query = query.map(|name| [format!("like {name}"), name.to_string(), String::new()]);
    let said: Vec<[String; 3]> = [relation, node, away, copies, query].into_iter().flatten().collect();
    if said.is_empty() {
        return Vec::new();
    }
    let wording = |at: usize, between: &str| {
        let words = said.iter().map(|words| words[at].as_str()).filter(|words| !words.is_empty());
        words.collect::<Vec<_>>().join(between)
    };
    let mut wordings = vec![wording(0, " · "), wording(1, " "), wording(2, " ")];
    wordings.dedup();
    wordings.retain(|words| !words.is_empty());
    wordings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::{DuplicatePart, MetadataPart, WhyPart};
    use crate::model::FolderLesson;

    #[test]
    fn a_footer_names_folders_that_taught() {
        let lesson = FolderLesson { taught: true, folders: 12, before: 0.68, after: 0.75, ..FolderLesson::default() };
        assert_eq!(taught(&FolderReport::of(&lesson)), "12 folders taught: found right first 75 % instead of 68 %");
        assert_eq!(taught(&FolderReport::of(&FolderLesson { taught: false, ..lesson })), "");
    }
    #[test]
    fn a_label_says_all_that_is_special_about_a_match_and_can_be_short() {
        let duplicate = DuplicatePart { path: "b".into(), absolute_path: "/b".into(), node: None, similarity: 1.0 };
        let found = |relation, away, copies: usize| MatchPart {
            rank: 1,
            path: "a".into(),
            absolute_path: "/a".into(),
            node: None,
            is_remote: false,
            similarity: 1.0,
            closer_than: 1.0,
            likeness: None,
            grade: None,
            relation,
            away,
            why: None,
            metadata: MetadataPart::default(),
            duplicates: vec![duplicate.clone(); copies],
        };
        assert_eq!(mark(&found(None, false, 0)), Vec::<String>::new());
        assert_eq!(mark(&found(None, false, 1)), ["1 more like it", "+1"]);
        assert_eq!(mark(&found(Some(Relation::Identical), false, 0)), ["the same picture", "same", "="]);
        assert_eq!(
            mark(&found(Some(Relation::NearDuplicate), false, 2)),
            ["nearly the same picture · 2 more like it", "nearly the same +2", "≈ +2"]
        );
        assert_eq!(mark(&found(None, true, 0)), ["its disk is away", "away"]);
        let why = WhyPart {
            message: String::new(),
            place: 1,
            place_alone: 1,
            neighbours: Vec::new(),
            query: Some("set/2.jpg".into()),
            folder: None,
        };
        let like = |copies| MatchPart { why: Some(why.clone()), ..found(None, false, copies) };
        assert_eq!(mark(&like(0)), ["like 2.jpg", "2.jpg"]);
        assert_eq!(mark(&like(1)), ["1 more like it · like 2.jpg", "+1 2.jpg", "+1"]);
        assert_eq!(
            mark(&found(Some(Relation::Identical), true, 0)),
            ["the same picture · its disk is away", "same away", "= away"]
        );
        let remote = MatchPart { node: Some("cellar".into()), is_remote: true, ..found(None, true, 0) };
        assert_eq!(mark(&remote), ["on node cellar", "on cellar", "cellar"]);
        assert!(mark(&MatchPart { is_remote: false, away: false, ..remote }).is_empty());
    }
}
