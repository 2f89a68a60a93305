//! Composes the JSON record of a query and its answer.

use super::Query;
use super::input::Input;
use super::matches::Selected;
use super::member::FileRead;
use super::search::SearchedBy;
use super::status::Judgement;
use crate::answer::{self, QueryFile, QueryPart, Record, SearchSettingsPart, SkippedPart, Timings};
use crate::clock;
use crate::config::{Config, SearchScope};
use crate::picture::Hash;

/// The record, without its sheet and the changes since the last one.
pub fn compose(
    query: &Query,
    input: &Input,
    (config, scope): (&Config, &SearchScope),
    by: SearchedBy,
    judgement: &Judgement,
    selected: &Selected,
    timings_ms: Timings,
) -> Record {
    let (settings, answered_s) = (&config.answer, clock::now_s());
    let [files, positives, negatives] = input.files_by_use();
    Record {
        schema: answer::SCHEMA,
        status: judgement.status,
        message: judgement.message(),
        query: QueryPart {
            name: query.path.to_string_lossy().into_owned(),
            content: input.content().map(Hash::to_hex),
            files: files.iter().map(|file| query_file(file)).collect(),
            unused: input.unused(),
            crop: input.crop,
            set_mode: query.is_set.then_some(config.similarity.set_mode),
            yes: positives.iter().map(|file| query_file(file)).collect(),
            not: negatives.iter().map(|file| query_file(file)).collect(),
            expanded_with: by.expanded_with,
            settings: query.files.settings.as_ref().map(|path| path.to_string_lossy().into_owned()),
        },
        model: by.model,
        metric: by.metric,
        inventory: by.inventory,
        inventory_pending: query.inventory_pending,
        inventory_missing: query.inventory_missing,
        index_generation: by.index_generation,
        settings: SearchSettingsPart {
            results: settings.results.count(),
            min_score: settings.min_score.get(),
            min_likeness: selected.min_likeness,
            collapse_duplicates: settings.collapse_duplicates,
            within: scope.within.names(),
            not_within: scope.not_within.names(),
            after: scope.taken.after.map(|bound| bound.to_string()),
            before: scope.taken.before.map(|bound| bound.to_string()),
            scope: if scope.is_everything() { String::new() } else { scope.to_string() },
        },
        engine: by.engine,
        matches: selected.matches.iter().map(|found| found.part.clone()).collect(),
        nearest: selected.nearest.clone(),
        skipped: files.into_iter().chain(positives).chain(negatives).filter_map(skipped).collect(),
        changes: None,
        sheet: None,
        answered_s,
        answered_at: clock::iso_text(answered_s),
        timings_ms,
    }
}

fn query_file(file: &FileRead) -> QueryFile {
    QueryFile {
        path: file.path.to_string_lossy().into_owned(),
        blake3: file.content().map(Hash::to_hex),
        problem: file.result.as_ref().err().map(ToString::to_string),
    }
}

/// Why a file was left out, if it was.
fn skipped(file: &FileRead) -> Option<SkippedPart> {
    let problem = file.result.as_ref().err()?;
    let reason = format!("{problem}; {}", problem.remedy());
    Some(SkippedPart { path: file.path.to_string_lossy().into_owned(), reason })
}
