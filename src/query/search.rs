//! The second stage of a query: computes the features of its pictures and finds the nearest ones in the index.

use super::WorkerContext;
use super::input::{Input, Member};
use super::rejected::Rejected;
use crate::answer::SearchModelPart;
use crate::base::rows::Rows;
use crate::config::Config;
use crate::dedup::Appearance;
use crate::index::{Found, SearchMode};
use crate::picture::{Hash, Miniature};
use crate::serving::{Scores, SearchRequest};

/// A usable picture of the query.
pub struct EncodedPicture {
    /// Its content.
    pub content: Hash,
    /// Its features, `[width]`.
    pub features: Vec<f32>,
    /// The same picture to compare by pixels.
    pub miniature: Miniature,
}

impl EncodedPicture {
    /// What near-duplicates are found by.
    pub fn appearance(&self) -> Appearance {
        Appearance::new(Some(self.content), Some(&self.features), Some(self.miniature.clone()))
    }
}

/// The usable pictures of a query.
pub struct EncodedQuery {
    /// Its own.
    pub pictures: Vec<EncodedPicture>,
    /// Its positive examples.
    pub positives: Vec<EncodedPicture>,
    /// Its negative examples.
    pub negatives: Vec<EncodedPicture>,
}

/// The results of a search, and what was searched.
pub struct Searched {
    /// The most similar first.
    pub found: Vec<Found>,
    /// What their similarities mean.
    pub scores: Scores,
    /// So many pictures were passed over on the way: the same as a negative example, or nearly.
    pub rejected: usize,
    /// Pictures in the index.
    pub inventory: usize,
    /// For the record.
    pub by: SearchedBy,
}

/// What was searched, for the record.
pub struct SearchedBy {
    /// The model.
    pub model: SearchModelPart,
    /// Pictures in the index.
    pub inventory: usize,
    /// State of the index.
    pub index_generation: u64,
    /// How embeddings were compared.
    pub metric: &'static str,
}

/// The features of the query's pictures and examples.
pub fn encode(input: &Input, context: &WorkerContext) -> EncodedQuery {
    EncodedQuery {
        pictures: encode_members(&input.members, context),
        positives: encode_members(&input.positives, context),
        negatives: encode_members(&input.negatives, context),
    }
}

/// The features of the members that are pictures.
fn encode_members(members: &[Member], context: &WorkerContext) -> Vec<EncodedPicture> {
    let kind = context.extractor.kind();
    let asked = |member: &Member| {
        let (Some(square), Ok(content)) = (&member.square, &member.file.result) else { return None };
        let kept = context.catalog.features(*content, kind.version).ok().flatten();
        let made = || context.extractor.features(std::slice::from_ref(square)).into_values();
        let features = kept.filter(|row| row.len() == kind.width).unwrap_or_else(made);
        Some(EncodedPicture { content: *content, features, miniature: Miniature::of(square) })
    };
    members.iter().filter_map(asked).collect()
}

/// The `count` pictures most similar to the query and unlike its negative examples.
pub fn search(query: &EncodedQuery, config: &Config, count: usize, context: &WorkerContext) -> Searched {
    let [asked, positive, negative] =
        [&query.pictures, &query.positives, &query.negatives].map(|pictures| rows_of(pictures, context));
    let mode = SearchMode { metric: config.similarity.metric, set_mode: config.similarity.set_mode };
    // One view of model and embeddings: a query sees one model, even if it is replaced during the search.
    let view = context.serving.view();
    let rejected = Rejected::new(&query.negatives);
    // More are searched for until `count` are left that are not rejected, or there are no more.
    let mut searched = count;
    let (found, passed_over) = loop {
        let request = SearchRequest { query: &asked, positive: &positive, negative: &negative, mode, count: searched };
        let found = view.search(&request);
        let is_last = found.len() < searched;
        let (others, passed_over) = rejected.first_others(found, count, &context.catalog);
        if is_last || others.len() == count {
            break (others, passed_over);
        }
        searched = (count + passed_over).max(2 * searched);
    };
    let scores = view.scores(mode.metric, &context.catalog);
    let inventory = view.snapshot.len();
    let by = SearchedBy {
        model: SearchModelPart {
            id: view.model.id().into(),
            encoder: view.model.encoder().name(),
            trained_on: view.model.trained_on(),
            folders: view.model.folder_report(),
        },
        inventory,
        index_generation: view.snapshot.generation(),
        metric: mode.metric.name(),
    };
    Searched { found, scores, rejected: passed_over, inventory, by }
}

/// Their features, `[m, width of the encoder's features]`.
fn rows_of(asked: &[EncodedPicture], context: &WorkerContext) -> Rows {
    let mut rows = Rows::empty(context.extractor.kind().width);
    for member in asked {
        let fits = rows.push(&member.features);
        debug_assert!(fits, "the extractor returns rows of its own width");
    }
    rows
}
