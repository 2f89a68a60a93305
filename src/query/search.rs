//! The second stage of a query: computes the features of its pictures and finds the nearest ones in the index.

use super::WorkerContext;
use super::input::Member;
use crate::answer::SearchModelPart;
use crate::base::rows::Rows;
use crate::config::Config;
use crate::dedup::Appearance;
use crate::index::Found;
use crate::picture::{Hash, Miniature};
use crate::serving::load::{inventory_of, load_index};
use crate::serving::{SearchRequest, Serving};

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

/// The results of a search, and what was searched.
pub struct Searched {
    /// The most similar first, each with the share of inventory pairs that are less similar.
    pub found: Vec<(Found, f32)>,
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

/// The features of the members that are pictures.
pub fn encode(members: &[Member], context: &WorkerContext) -> Vec<EncodedPicture> {
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

/// The `count` pictures most similar to the query and unlike its negative examples; none below the least score.
pub fn search(
    asked: &[EncodedPicture],
    negatives: &[EncodedPicture],
    config: &Config,
    count: usize,
    context: &WorkerContext,
) -> Searched {
    let (positive, negative) = (rows_of(asked, context), rows_of(negatives, context));
    let mode = config.similarity.set_mode;
    let request = SearchRequest { positive: &positive, negative: &negative, mode, count };
    let mut searched = look_up(&request, config, context);
    searched.found.retain(|(_, closer_than)| *closer_than >= config.answer.min_score.get());
    searched
}

fn look_up(request: &SearchRequest<'_>, config: &Config, context: &WorkerContext) -> Searched {
    // One lock for model and embeddings: a query sees one model, even if it is replaced during the search.
    let serving = context.serving.read();
    if serving.index.metric() == config.similarity.metric {
        return search_in(&serving, request);
    }
    // The set has a metric of its own. An index prepares its embeddings for one metric, so one is built for this answer.
    let (model, generation) = (serving.model.clone(), serving.index.generation());
    drop(serving);
    let index =
        inventory_of(&context.catalog).and_then(|contents| load_index(&context.catalog, config, &model, contents));
    match index {
        Ok(index) => {
            let mut searched = search_in(&Serving::new(model, index), request);
            searched.by.index_generation = generation;
            searched
        }
        // If the catalog cannot be read, the set's metric is not used; the record names the metric that was.
        Err(trouble) => {
            log::warn!("{trouble}");
            search_in(&context.serving.read(), request)
        }
    }
}

fn search_in(serving: &Serving, request: &SearchRequest<'_>) -> Searched {
    let inventory = serving.index.len();
    Searched {
        found: serving.search(request),
        inventory,
        by: SearchedBy {
            model: SearchModelPart {
                id: serving.model.id().into(),
                encoder: serving.model.encoder().name(),
                trained_on: serving.model.trained_on(),
            },
            inventory,
            index_generation: serving.index.generation(),
            metric: serving.index.metric().name(),
        },
    }
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
