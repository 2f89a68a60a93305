//! What folders teach: people put together what belongs together.
//!
//! Measured on fourteen sets, by `docs/decisions/folders-teach.md`: where folders are the kinds, the mean average precision rises by
//! .16; where they are dates or cameras it would fall by .2 if they were followed. So they are followed only where pictures that had
//! no part in the fit are found better for it.

mod trial;
mod within;

use std::collections::BTreeMap;

use artificio_random::Random;

use super::pairs::Basis;
use crate::base::bootstrap::Estimate;
use crate::base::rows::Rows;
use crate::model::folders::{FolderLabels, FolderLesson, FolderLevel, TOLERATED_LOSS};
use trial::{FolderOf, FolderTrial, Halving, RankedOwn, STRENGTHS};
use within::{Scatter, basis, members};

/// Principal directions that folders choose from.
pub(super) const COMPONENTS: usize = 256;
/// Pictures of a trial at most, and of one folder.
const MOST_TRIED: usize = 2_048;
const MOST_OF_A_FOLDER: usize = 64;
/// With fewer pictures in folders, figures are chance.
const FEWEST_PICTURES: usize = 12;
/// Where so many pictures lie nearest to one of their own folder, most lie in the right one: kinds had .71 to .87 (styles of art .31), and
/// folders with a third of the pictures in wrong ones .54 at most.
const RECOGNISED: f32 = 0.6;
/// Of a folder: how much more often than by chance the nearest picture lies in it, as a share of what is possible. Below, the folder is
/// left out where the folders as a whole are not recognised...
const MEANINGFUL: f32 = 0.4;
/// ...if those left hold at least this share of the pictures.
const LEFT: f32 = 0.4;
/// The same of all folders: folders at random had up to .05.
const MORE_THAN_CHANCE: f32 = 0.15;

/// What a fit knows of its pictures.
pub(super) struct Material<'a> {
    /// At unit length.
    pub(super) features: &'a Rows,
    /// Along principal directions, `[n, k]`.
    pub(super) components: &'a Rows,
    /// Embeddings without folders.
    pub(super) untaught: &'a Rows,
}

/// FolderOf that help.
struct Accepted<'a> {
    level: &'a FolderLevel,
    /// Of the pictures tried.
    folders: FolderOf,
    /// FolderOf that are left out.
    is_left_out: BTreeMap<u32, bool>,
    strength: usize,
    before: Shares,
    after: Shares,
}

/// How pictures found those of their folder.
#[derive(Clone, Copy)]
struct Shares {
    /// Share whose nearest picture was one.
    first: f32,
    /// Mean average precision.
    precision: f32,
}

/// What `folders` give, and the basis of `components` of at most `width` directions in which they have taught; `None` where they are no help.
pub(super) fn learn(material: &Material<'_>, folders: &FolderLabels, width: usize) -> (FolderLesson, Option<Basis>) {
    let Some(finest) = folders.levels().last() else { return (FolderLesson::default(), None) };
    let tried = sample(finest);
    if tried.len() < FEWEST_PICTURES {
        return (counted(finest, &finest.folder_of), None);
    }
    let trial = FolderTrial::new(
        picked(material.components, &tried),
        &picked(material.untaught, &tried),
        picked(material.features, &tried).at_unit_length(),
    );
    let of_tried = |level: &FolderLevel| -> FolderOf { tried.iter().map(|&row| level.folder_of[row]).collect() };
    let accepted: Vec<Accepted<'_>> =
        folders.levels().iter().filter_map(|level| accept(&trial, level, of_tried(level))).collect();
    let best = best_of(&trial, &accepted);
    let Some(best) = best else {
        return (refused(&trial, finest, &of_tried(finest)), None);
    };
    let is_kept = |folder: &u32| !best.is_left_out.get(folder).copied().unwrap_or(!best.is_left_out.is_empty());
    let folder_of: FolderOf = best.level.folder_of.iter().map(|folder| folder.filter(is_kept)).collect();
    let lesson = FolderLesson {
        taught: true,
        strength: STRENGTHS[best.strength],
        before: best.before.first,
        after: best.after.first,
        precision_before: best.before.precision,
        precision_after: best.after.precision,
        ..counted(best.level, &folder_of)
    };
    let scatter = Scatter::of(material.components, &folder_of);
    let basis = scatter.map(|scatter| basis(material.components, scatter.normalisation(lesson.strength), width));
    (lesson, basis)
}

/// Pictures to try with: whole folders, in an arbitrary order that is always the same.
fn sample(level: &FolderLevel) -> Vec<usize> {
    let mut folders: Vec<Vec<usize>> = members(&level.folder_of).into_values().collect();
    Random::new(0).shuffle(&mut folders);
    let mut rows = Vec::new();
    for folder in folders {
        if rows.len() >= MOST_TRIED {
            break;
        }
        rows.extend(folder.into_iter().take(MOST_OF_A_FOLDER));
    }
    rows.truncate(MOST_TRIED);
    rows
}

fn picked(rows: &Rows, wanted: &[usize]) -> Rows {
    let mut picked = Rows::empty(rows.width());
    wanted.iter().for_each(|&row| _ = picked.push(rows.row(row)));
    picked
}

/// Whether the folders of `level` help, and how much of their scatter helps most.
fn accept<'a>(trial: &FolderTrial, level: &'a FolderLevel, folders: FolderOf) -> Option<Accepted<'a>> {
    let mut folders = of_several(folders)?;
    let mut before = trial.untaught(&folders);
    let is_recognised = shares(&before).first >= RECOGNISED;
    let mut is_left_out = BTreeMap::new();
    if !is_recognised {
        let lifts = lifts(&folders, &before);
        let meaningful = |folder: &u32| lifts.get(folder).is_some_and(|lift| *lift >= MEANINGFUL);
        let left: FolderOf = folders.iter().map(|folder| folder.filter(meaningful)).collect();
        let count = |folders: &FolderOf| folders.iter().flatten().count() as f32;
        if count(&left) >= LEFT * count(&folders) {
            is_left_out = lifts.keys().map(|folder| (*folder, !meaningful(folder))).collect();
            folders = of_several(left)?;
            before = trial.untaught(&folders);
        } else if mean(folders.iter().flatten().filter_map(|folder| lifts.get(folder).copied())) < MORE_THAN_CHANCE {
            return None;
        }
    }
    let after = trial.taught(&folders, &folders);
    let carries = |halving| trial.carried_over(&folders, halving).map(|gains| Estimate::of(&gains));
    let carried = (!is_recognised).then(|| (carries(Halving::Pictures), carries(Halving::Folders)));
    let carries_over = |strength: usize| {
        carried.as_ref().is_none_or(|(pictures, folders)| {
            let is_certain = pictures.iter().chain(folders).any(|gain| gain.low > 0.0);
            is_certain && pictures[strength].mean > 0.0 && folders[strength].high >= 0.0
        })
    };
    let gains = after.each_ref().map(|after| Estimate::of(&gains(&before, after)));
    let is_found = |strength: &usize| shares(&after[*strength]).first >= shares(&before).first - TOLERATED_LOSS;
    let helps = |strength: &usize| gains[*strength].low > 0.0 && carries_over(*strength);
    // Where some folders are wrong, what a fit remembers of its own pictures is no gain.
    let gain = |strength: usize| carried.as_ref().map_or(gains[strength].mean, |(pictures, _)| pictures[strength].mean);
    let strengths = (0..STRENGTHS.len()).filter(is_found).filter(helps);
    let strength = strengths.max_by(|one, other| gain(*one).total_cmp(&gain(*other)))?;
    let (before, after) = (shares(&before), shares(&after[strength]));
    Some(Accepted { level, folders, is_left_out, strength, before, after })
}

/// Of several accepted levels the one whose folders find those of all of them best.
fn best_of<'a, 'b>(trial: &FolderTrial, accepted: &'b [Accepted<'a>]) -> Option<&'b Accepted<'a>> {
    if accepted.len() < 2 {
        return accepted.first();
    }
    let found = |one: &Accepted<'_>| {
        mean(accepted.iter().map(|judged| {
            let outcomes = &trial.taught(&one.folders, &judged.folders)[one.strength];
            shares(outcomes).precision
        }))
    };
    let scored = accepted.iter().map(|one| (one, found(one)));
    scored.max_by(|(_, one), (_, other)| one.total_cmp(other)).map(|(best, _)| best)
}

/// The lesson of folders that are no help.
fn refused(trial: &FolderTrial, level: &FolderLevel, folders: &FolderOf) -> FolderLesson {
    let Shares { first, precision } = shares(&trial.untaught(folders));
    let (precision_before, precision_after) = (precision, precision);
    FolderLesson { before: first, after: first, precision_before, precision_after, ..counted(level, &level.folder_of) }
}

fn counted(level: &FolderLevel, folder_of: &FolderOf) -> FolderLesson {
    let members = members(folder_of);
    let pictures = members.values().map(Vec::len).sum();
    FolderLesson { folders: members.len(), pictures, depth: level.depth, ..FolderLesson::default() }
}

/// The folders with at least two pictures, if there are two of them and enough pictures.
fn of_several(folders: FolderOf) -> Option<FolderOf> {
    let members = members(&folders);
    let folders: FolderOf = folders.into_iter().map(|folder| folder.filter(|it| members.contains_key(it))).collect();
    (members.len() > 1 && folders.iter().flatten().count() >= FEWEST_PICTURES).then_some(folders)
}

/// Of each folder how much more often than by chance its pictures lie nearest to one another: 0 by chance, 1 always.
fn lifts(folders: &FolderOf, outcomes: &[Option<RankedOwn>]) -> BTreeMap<u32, f32> {
    let all = folders.iter().flatten().count() as f32;
    let lift = |(folder, rows): (u32, Vec<usize>)| {
        let chance = (rows.len() - 1) as f32 / (all - 1.0).max(1.0);
        let first = mean(rows.iter().map(|&row| f32::from(u8::from(outcomes[row].is_some_and(|found| found.first)))));
        (folder, (first - chance) / (1.0 - chance).max(f32::MIN_POSITIVE))
    };
    members(folders).into_iter().map(lift).collect()
}

fn gains(before: &[Option<RankedOwn>], after: &[Option<RankedOwn>]) -> Vec<f32> {
    let pairs = before.iter().zip(after).filter_map(|(before, after)| Some(((*before)?, (*after)?)));
    pairs.map(|(before, after)| after.precision - before.precision).collect()
}

fn shares(outcomes: &[Option<RankedOwn>]) -> Shares {
    let found = || outcomes.iter().flatten();
    Shares {
        first: mean(found().map(|outcome| f32::from(u8::from(outcome.first)))),
        precision: mean(found().map(|outcome| outcome.precision)),
    }
}

fn mean(values: impl Iterator<Item = f32>) -> f32 {
    let (mut sum, mut count) = (0.0, 0);
    for value in values {
        sum += value;
        count += 1;
    }
    if count > 0 { sum / count as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests;
