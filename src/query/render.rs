//! The fifth stage of a query: draws the sheet.

use std::path::Path;
use std::sync::Arc;

use image::{DynamicImage, RgbaImage};

use super::input::{Input, Members};
use super::matches::Matched;
use super::member::Member;
use super::remote::root_of;
use super::{Query, WorkerContext};
use crate::answer::sheet::{self, Examples, SheetContent};
use crate::answer::strip;
use crate::answer::{self, Record, THUMBNAIL_PX, ThumbnailStore};
use crate::error::Trouble;
use crate::files::FileAt;
use crate::isolation::Outputs;
use crate::picture::{self, Unusable};

/// Why there is no sheet.
pub enum Undrawn {
    /// It could not be drawn.
    Failed(Trouble),
    /// A picture on it needs a trial that this thread does not hold.
    AwaitsTrial,
}

/// What is drawn of an answer.
pub struct Drawn {
    /// The sheet's bytes, in the configured format.
    pub sheet: Vec<u8>,
    /// For the gallery; `None` where there is nothing to show.
    pub strip: Option<Vec<u8>>,
}

/// Draws them. Takes the tiles out of `input`.
pub fn sheet(
    query: &Query,
    input: &mut Input,
    record: &Record,
    matches: &[Matched],
    context: &WorkerContext,
) -> Result<Drawn, Undrawn> {
    let style = answer::style(&query.config.answer);
    let side = sheet::match_side_px(record.matches.len(), &style);
    let queries = input.members.used.iter_mut().take(sheet::MAX_QUERIES).map(|member| sheet::QueryPicture {
        name: query_name(&member.file.path, input.crop.is_some()),
        picture: take_tile(member),
    });
    let queries: Vec<_> = queries.collect();
    let positives = examples("More like this", &mut input.positives);
    let negatives = examples("Not like this", &mut input.negatives);
    let content = SheetContent {
        title: query_name(&query.path, input.crop.is_some()),
        further_queries: input.members.count() - queries.len(),
        queries,
        examples: vec![positives, negatives],
        matches: matches.iter().map(|found| tile(query, found, side, context)).collect::<Result<_, _>>()?,
        notice: answer::notice(record),
        footer: answer::footer(record),
    };
    let queries: Vec<_> = content.queries.iter().map(|query| query.picture.as_ref()).collect();
    let found: Vec<_> = content.matches.iter().map(|found| found.picture.as_ref()).collect();
    let strip = strip::strip(&queries, &found);
    let sheet = sheet::encode(&sheet::render(&content, &style), query.config.answer.format).map_err(|reason| {
        let what = format!("the sheet could not be drawn: {reason}");
        Undrawn::Failed(Trouble::new(what, &query.path, "please report this"))
    })?;
    Ok(Drawn { sheet, strip })
}

fn query_name(path: &Path, is_part: bool) -> String {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if is_part { format!("part of {name}") } else { name.into_owned() }
}

/// The pictures of a query's folder `yes/` or `not/`.
fn examples(label: &'static str, members: &mut Members) -> Examples {
    let pictures: Vec<_> = members.used.iter_mut().take(sheet::MAX_EXAMPLES).map(take_tile).collect();
    Examples { label, further: members.count() - pictures.len(), pictures }
}

fn take_tile(member: &mut Member) -> Option<RgbaImage> {
    member.kept.as_mut()?.tile.take().map(|tile| Arc::unwrap_or_clone(tile.pixels))
}

/// A match with its picture, if it can be read.
fn tile(query: &Query, found: &Matched, side: u32, context: &WorkerContext) -> Result<sheet::Match, Undrawn> {
    let part = &found.part;
    let root = root_of(query, found.remote.as_ref().map(|remote| &*remote.node));
    let picture = match &root {
        Some(root) => thumbnail(query, &FileAt::below(root, &found.path), side, context)?,
        None => None,
    };
    Ok(sheet::Match {
        rank: part.rank,
        name: part.path.clone(),
        grade: part.grade,
        closer_than: part.closer_than,
        similarity: part.similarity,
        mark: answer::mark(part),
        picture,
    })
}

fn thumbnail(
    query: &Query,
    place: &FileAt<'_>,
    side: u32,
    context: &WorkerContext,
) -> Result<Option<RgbaImage>, Undrawn> {
    let bounds = query.bounds();
    let Ok(contents) = picture::read_still(place, &bounds) else { return Ok(None) };
    let (thumbnails, path) = (ThumbnailStore::of(&query.config), place.absolute());
    if let Some(copy) = thumbnails.picture(contents.hash, side, &bounds) {
        return Ok(Some(copy));
    }
    // Of a catalog that is older than its thumbnails, and where they made room for others. A command keeps nothing.
    let is_kept = context.guard.is_of_service() && thumbnails.wants(&contents.bytes, &path);
    let longest = if is_kept { side.max(THUMBNAIL_PX) } else { side };
    let outputs = Outputs { square: false, features: false, longest_px: Some(longest), crop: None };
    match context.guard.extract(&contents, &path, &bounds, outputs, &context.serving.extractor()) {
        Ok(seen) => {
            let picture = seen.picture.map(DynamicImage::into_rgba8);
            let is_kept = is_kept && ThumbnailStore::is_large(seen.size);
            picture.iter().filter(|_| is_kept).for_each(|picture| thumbnails.keep(contents.hash, picture));
            Ok(picture)
        }
        Err(Unusable::AwaitsTrial) => Err(Undrawn::AwaitsTrial),
        Err(_) => Ok(None),
    }
}
