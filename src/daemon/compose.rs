//! From a query's pictures to its record and its sheet; writes nothing.

use std::path::Path;
use std::time::Instant;

use super::alike::{Asked, Matched, Selection, are_strangers};
use super::bench::Bench;
use super::encode::features_of;
use super::respond::{FileRead, Member, Question, content_of, milliseconds};
use super::verdict::{Verdict, record_of, skipped};
use crate::answer::sheet::{self, SheetContent};
use crate::answer::{self, ModelPart, QueryPart, Record, SettingsPart, Status, Timings};
use crate::clock;
use crate::error::Trouble;
use crate::picture::{self, Hash};
use crate::rows::Rows;

/// An answer that is not written anywhere yet.
pub struct Composed {
    /// But for the timings of what comes after the search.
    pub record: Record,
    matches: Vec<Matched>,
}

impl Question {
    /// Searches with what `members` show.
    pub(super) fn compose(&self, members: &mut [Member], bench: &Bench, started: Instant) -> Composed {
        let mut timings = Timings { decode: milliseconds(started), ..Timings::default() };
        let encode_started = Instant::now();
        let features = features_of_members(members, bench);
        timings.encode = milliseconds(encode_started);
        let mut composed = self.search(members, &features, bench);
        timings.search = composed.record.timings_ms.search;
        timings.total = milliseconds(started);
        composed.record.timings_ms = timings;
        composed
    }

    fn search(&self, members: &[Member], features: &Rows, bench: &Bench) -> Composed {
        let started = Instant::now();
        let (settings, mode) = (&self.config.answer, self.config.similarity.set_mode);
        let selection = Selection {
            folder: &self.config.folders.inventory,
            results: settings.results.count(),
            collapse: settings.collapse_duplicates,
        };
        // One lock for model and codes: a query sees one model, whatever happens meanwhile.
        let serving = bench.serving.read();
        let mut found = serving.search(features, mode, selection.candidates());
        let model = ModelPart {
            id: serving.model.id().into(),
            encoder: serving.model.encoder().name(),
            trained_on: serving.model.trained_on(),
        };
        let (inventory, index_generation) = (serving.index.len(), serving.index.generation());
        let metric = serving.index.metric().name();
        drop(serving);
        found.retain(|(_, closer_than)| *closer_than >= settings.min_score.get());
        let contents: Vec<Hash> =
            members.iter().filter_map(|member| member.file.result.as_ref().ok().copied()).collect();
        let mut matches = selection.matches(found, &Asked { contents: &contents, features }, &bench.catalog);
        let strangers = are_strangers(&matches, settings.min_likeness.get());
        let nearest = strangers.then(|| matches.swap_remove(0).part);
        if strangers {
            matches.clear();
        }
        let files: Vec<&FileRead> = members.iter().map(|member| &member.file).collect();
        let Verdict { status, message } = self.judge(&files, inventory, matches.len(), nearest.as_ref());
        if status == Status::Error {
            matches.clear();
        }
        let record = Record {
            schema: answer::SCHEMA,
            status,
            message,
            query: QueryPart {
                name: self.query.to_string_lossy().into_owned(),
                content: content_of(members).map(Hash::to_hex),
                files: files.iter().map(|file| record_of(file)).collect(),
                set_mode: self.is_set.then_some(mode),
            },
            model,
            metric,
            inventory,
            index_generation,
            settings: SettingsPart {
                results: settings.results.count(),
                min_score: settings.min_score.get(),
                min_likeness: settings.min_likeness.get(),
                collapse_duplicates: settings.collapse_duplicates,
            },
            matches: matches.iter().map(|found| found.part.clone()).collect(),
            nearest,
            skipped: files.into_iter().filter_map(skipped).collect(),
            sheet: None,
            answered_s: clock::now_s(),
            timings_ms: Timings { search: milliseconds(started), ..Timings::default() },
        };
        Composed { record, matches }
    }

    /// The sheet's bytes, in the configured format.
    pub(super) fn draw(&self, members: &mut [Member], composed: &Composed) -> Result<Vec<u8>, Trouble> {
        let record = &composed.record;
        let style = answer::style(&self.config.answer);
        let side = sheet::picture_side_px(record.matches.len(), &style);
        let queries = members.iter_mut().map(|member| sheet::Tile {
            name: member.file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            picture: member.decoded.take().and_then(|decoded| picture::shrink(&decoded, side)),
        });
        let content = SheetContent {
            title: record.query.name.clone(),
            queries: queries.collect(),
            matches: composed.matches.iter().map(|found| self.tile(found, side)).collect(),
            notice: answer::notice(record),
            footer: answer::footer(record),
        };
        sheet::encode(&sheet::render(&content, &style), self.config.answer.format).map_err(|reason| {
            Trouble::new(format!("the sheet could not be drawn: {reason}"), &self.query, "please report this")
        })
    }

    /// A match with its picture, as far as it can be had right now.
    fn tile(&self, found: &Matched, side: u32) -> sheet::Match {
        let path = self.config.folders.inventory.join(&found.path);
        let part = &found.part;
        sheet::Match {
            rank: part.rank,
            name: part.path.clone(),
            closer_than: part.closer_than,
            similarity: part.similarity,
            mark: answer::mark(part),
            picture: self.small(&path, side),
        }
    }

    fn small(&self, path: &Path, side: u32) -> Option<image::RgbaImage> {
        let decoded = picture::read_still(path, &self.bounds())
            .and_then(|contents| picture::decode(&contents.bytes, path, &self.bounds()));
        decoded.ok().and_then(|decoded| picture::shrink(&decoded, side))
    }
}

/// Features of the members that are pictures.
fn features_of_members(members: &mut [Member], bench: &Bench) -> Rows {
    let kind = bench.extractor.kind();
    let mut features = Rows::empty(kind.width);
    for member in members {
        let (Some(decoded), Ok(hash)) = (&member.decoded, &member.file.result) else { continue };
        let kept = bench.catalog.features(*hash, kind.version).ok().flatten();
        match kept.map_or_else(|| features_of(decoded, &bench.extractor), Ok) {
            Ok(row) => drop(features.push(&row)),
            Err(problem) => member.file.result = Err(problem),
        }
    }
    features
}
