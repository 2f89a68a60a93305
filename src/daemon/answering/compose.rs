//! From a query's pictures to its record and its sheet; writes nothing.

use std::path::Path;
use std::time::Instant;

use image::RgbaImage;

use super::alike::{Asked, Matched, Selection, are_strangers};
use super::members::{FileRead, Material, Member};
use super::respond::{Question, milliseconds};
use super::verdict::{Verdict, record_of, skipped};
use crate::answer::sheet::{self, SheetContent};
use crate::answer::{self, ModelPart, QueryPart, Record, SettingsPart, Status, Timings};
use crate::base::rows::Rows;
use crate::clock;
use crate::config::Config;
use crate::daemon::bench::Bench;
use crate::daemon::guard::Guard;
use crate::daemon::serving::{Serving, Wish};
use crate::daemon::start::{inventory_of, load_index};
use crate::error::Trouble;
use crate::index::Found;
use crate::picture::{self, Hash, Miniature};

/// An answer that is not written anywhere yet.
pub struct Composed {
    /// But for the timings of what comes after the search.
    pub record: Record,
    matches: Vec<Matched>,
}

impl Question {
    /// Searches with what `material` shows.
    pub(in crate::daemon) fn compose(&self, material: &Material, bench: &Bench, started: Instant) -> Composed {
        let mut timings = Timings { decode: milliseconds(started), ..Timings::default() };
        let encode_started = Instant::now();
        let asked = asked_of(&material.members, bench);
        let unlike = asked_of(&material.unlike, bench);
        timings.encode = milliseconds(encode_started);
        let mut composed = self.search(material, (&asked, &unlike), bench);
        timings.search = composed.record.timings_ms.search;
        timings.total = milliseconds(started);
        composed.record.timings_ms = timings;
        composed
    }

    fn search(&self, material: &Material, (asked, unlike): (&[Asked], &[Asked]), bench: &Bench) -> Composed {
        let started = Instant::now();
        let config = material.config(&self.config);
        let (settings, mode) = (&config.answer, config.similarity.set_mode);
        let selection = Selection {
            folder: &self.config.folders.inventory,
            results: settings.results.count(),
            collapse: settings.collapse_duplicates,
        };
        let (like, unlike) = (rows_of(asked, bench), rows_of(unlike, bench));
        let wish = Wish { like: &like, unlike: &unlike, mode, count: selection.candidates() };
        let Searched { mut found, model, inventory, index_generation, metric } = look_up(&wish, &config, bench);
        found.retain(|(_, closer_than)| *closer_than >= settings.min_score.get());
        let mut matches = selection.matches(found, asked, &bench.catalog);
        let strangers = are_strangers(&matches, settings.min_likeness.get());
        let nearest = strangers.then(|| matches.swap_remove(0).part);
        if strangers {
            matches.clear();
        }
        let (files, kept_away) = (files_of(&material.members), files_of(&material.unlike));
        let Verdict { status, message } = match material.mistake() {
            Some(mistake) => Verdict { status: Status::Error, message: mistake },
            None => self.judge((&files, &kept_away), inventory, matches.len(), nearest.as_ref()),
        };
        if status == Status::Error {
            matches.clear();
        }
        let record = Record {
            schema: answer::SCHEMA,
            status,
            message,
            query: QueryPart {
                name: self.query.to_string_lossy().into_owned(),
                content: material.content().map(Hash::to_hex),
                files: files.iter().map(|file| record_of(file)).collect(),
                set_mode: self.is_set.then_some(mode),
                not: kept_away.iter().map(|file| record_of(file)).collect(),
                settings: self.settings.as_ref().map(|path| path.to_string_lossy().into_owned()),
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
            skipped: files.into_iter().chain(kept_away).filter_map(skipped).collect(),
            changes: None,
            sheet: None,
            answered_s: clock::now_s(),
            timings_ms: Timings { search: milliseconds(started), ..Timings::default() },
        };
        Composed { record, matches }
    }

    /// The sheet's bytes, in the configured format.
    pub(in crate::daemon) fn draw(
        &self,
        material: &mut Material,
        composed: &Composed,
        guard: &Guard,
    ) -> Result<Vec<u8>, Trouble> {
        let record = &composed.record;
        let style = answer::style(&self.config.answer);
        let side = sheet::picture_side_px(record.matches.len(), &style);
        let queries = material.members.iter_mut().map(|member| sheet::Tile {
            name: member.file.path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            picture: member.decoded.take().and_then(|decoded| picture::shrink(&decoded, side)),
        });
        let content = SheetContent {
            title: record.query.name.clone(),
            queries: queries.collect(),
            matches: composed.matches.iter().map(|found| self.tile(found, side, guard)).collect(),
            notice: answer::notice(record),
            footer: answer::footer(record),
        };
        sheet::encode(&sheet::render(&content, &style), self.config.answer.format).map_err(|reason| {
            Trouble::new(format!("the sheet could not be drawn: {reason}"), &self.query, "please report this")
        })
    }

    /// A match with its picture, as far as it can be had right now.
    fn tile(&self, found: &Matched, side: u32, guard: &Guard) -> sheet::Match {
        let path = self.config.folders.inventory.join(&found.path);
        let part = &found.part;
        sheet::Match {
            rank: part.rank,
            name: part.path.clone(),
            closer_than: part.closer_than,
            similarity: part.similarity,
            mark: answer::mark(part),
            picture: self.small(&path, side, guard),
        }
    }

    fn small(&self, path: &Path, side: u32, guard: &Guard) -> Option<RgbaImage> {
        let bounds = self.bounds();
        let contents = picture::read_still(path, &bounds).ok()?;
        guard.decode(&contents, path, &bounds, |decoded| Ok(picture::shrink(&decoded, side))).ok()?
    }
}

/// What the index said, and what said it.
struct Searched {
    found: Vec<(Found, f32)>,
    model: ModelPart,
    inventory: usize,
    index_generation: u64,
    metric: &'static str,
}

fn look_up(wish: &Wish<'_>, config: &Config, bench: &Bench) -> Searched {
    let search = |serving: &Serving| Searched {
        found: serving.search(wish),
        model: ModelPart {
            id: serving.model.id().into(),
            encoder: serving.model.encoder().name(),
            trained_on: serving.model.trained_on(),
        },
        inventory: serving.index.len(),
        index_generation: serving.index.generation(),
        metric: serving.index.metric().name(),
    };
    // One lock for model and codes: a query sees one model, whatever happens meanwhile.
    let serving = bench.serving.read();
    if serving.index.metric() == config.similarity.metric {
        return search(&serving);
    }
    // A set with a metric of its own: an index prepares its codes for one metric, so one is made for this answer.
    let (model, generation) = (serving.model.clone(), serving.index.generation());
    drop(serving);
    let index = inventory_of(&bench.catalog).and_then(|contents| load_index(&bench.catalog, config, &model, &contents));
    match index {
        Ok(index) => Searched { index_generation: generation, ..search(&Serving::new(model, index)) },
        // A catalog that cannot be read just now costs the set's metric; the record says which one measured.
        Err(trouble) => {
            log::warn!("{trouble}");
            search(&bench.serving.read())
        }
    }
}

fn files_of(members: &[Member]) -> Vec<&FileRead> {
    members.iter().map(|member| &member.file).collect()
}

/// What is asked by the members that are pictures.
fn asked_of(members: &[Member], bench: &Bench) -> Vec<Asked> {
    let kind = bench.extractor.kind();
    let asked = |member: &Member| {
        let (Some(square), Ok(content)) = (&member.square, &member.file.result) else { return None };
        let kept = bench.catalog.features(*content, kind.version).ok().flatten();
        let made = || bench.extractor.features(std::slice::from_ref(square)).into_values();
        let features = kept.filter(|row| row.len() == kind.width).unwrap_or_else(made);
        Some(Asked { content: *content, features, miniature: Miniature::of(square) })
    };
    members.iter().filter_map(asked).collect()
}

/// Their features, `[m, width of the encoder's features]`.
fn rows_of(asked: &[Asked], bench: &Bench) -> Rows {
    let mut rows = Rows::empty(bench.extractor.kind().width);
    for member in asked {
        let fits = rows.push(&member.features);
        debug_assert!(fits, "the extractor gives rows of its own width");
    }
    rows
}
