//! The second stage of a query: finds the pictures of the index nearest to its own.

use std::sync::Arc;

use super::WorkerContext;
use super::encoded::EncodedPicture;
use super::input::Input;
use super::rejected::Rejected;
use super::remote::Others;
use crate::answer::{EnginePart, SearchModelPart};
use crate::base::rows::Rows;
use crate::config::{Config, SearchScope};
use crate::index::{Found, Ranked, SearchMode};
use crate::serving::{Scores, SearchRequest, View};

/// The usable pictures of a query.
pub struct EncodedQuery {
    /// Its own.
    pub pictures: Vec<Arc<EncodedPicture>>,
    /// Its positive examples.
    pub positives: Vec<Arc<EncodedPicture>>,
    /// Its negative examples.
    pub negatives: Vec<Arc<EncodedPicture>>,
}

impl EncodedQuery {
    /// Those of `input`.
    pub fn of(input: &Input) -> Self {
        Self {
            pictures: input.members.encoded(),
            positives: input.positives.encoded(),
            negatives: input.negatives.encoded(),
        }
    }
}

/// The results of a search, and what was searched.
pub struct Searched {
    /// The most similar first.
    pub found: Vec<Found>,
    /// What their similarities mean.
    pub scores: Scores,
    /// So many pictures were passed over on the way: the same as a negative example, or nearly.
    pub rejected: usize,
    /// Pictures that were searched: all in the index, or in the scope.
    pub inventory: usize,
    /// For the record.
    pub by: SearchedBy,
}

/// What of a search the status of its answer depends on.
pub struct SearchSummary<'a> {
    /// Pictures that were searched.
    pub inventory: usize,
    /// Pictures that were passed over.
    pub rejected: usize,
    /// Why pictures of other nodes are missing, if they are.
    pub lacks_others: Option<&'a str>,
    /// Whether there are other nodes.
    pub has_others: bool,
}

impl Searched {
    /// In short.
    pub fn summary(&self) -> SearchSummary<'_> {
        let engine = self.by.engine.as_ref();
        SearchSummary {
            inventory: self.inventory,
            rejected: self.rejected,
            lacks_others: engine.and_then(|engine| engine.problem.as_deref()),
            has_others: engine.is_some(),
        }
    }
}

/// What was searched, for the record.
pub struct SearchedBy {
    /// The model.
    pub model: SearchModelPart,
    /// Pictures that were searched.
    pub inventory: usize,
    /// State of the index.
    pub index_generation: u64,
    /// How embeddings were compared.
    pub metric: &'static str,
    /// Pictures of the inventory that the query was averaged with.
    pub expanded_with: Vec<String>,
    /// The engine that was asked for the pictures of other nodes.
    pub engine: Option<EnginePart>,
}

/// The `count` pictures in `scope` that are most similar to the query and unlike its negative examples. One view of model and embeddings:
/// a query sees one model, even if it is replaced during the search.
pub fn search(
    query: &EncodedQuery,
    config: &Config,
    scope: &SearchScope,
    count: usize,
    (view, context): (&View, &WorkerContext),
) -> Searched {
    let [asked, positive, negative] =
        [&query.pictures, &query.positives, &query.negatives].map(|pictures| rows_of(pictures, view));
    let mode = SearchMode { metric: config.similarity.metric, set_mode: config.similarity.set_mode };
    let request = SearchRequest { query: &asked, positive: &positive, negative: &negative, mode, scope, count };
    let embeddings = view.embeddings(&request);
    let mut others = Others::of(context, view, &embeddings, mode, scope);
    let rejected = Rejected::new(&query.negatives);
    // More are searched for until `count` are left that are not rejected, or there are no more.
    let mut searched = count;
    let (found, passed_over, expanded_with) = loop {
        let request = SearchRequest { count: searched, ..request };
        let Ranked { found, expanded_with } = view.search(&embeddings, others.among(searched), &request);
        let is_last = found.len() < searched;
        let (left, passed_over) = rejected.first_others(found, count, &context.catalog);
        if is_last || left.len() == count {
            break (left, passed_over, expanded_with);
        }
        searched = (count + passed_over).max(2 * searched);
    };
    let scores = view.scores(mode.metric, &context.catalog);
    let engine = others.into_engine();
    let of_others = engine.as_ref().filter(|_| scope.is_everything()).map_or(0, |engine| engine.pictures);
    let inventory = view.snapshot.count_within(scope) + of_others;
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
        expanded_with: expanded_with.iter().map(|path| path.to_string_lossy().into_owned()).collect(),
        engine,
    };
    Searched { found, scores, rejected: passed_over, inventory, by }
}

/// Their features, `[m, width of the encoder's features]`.
fn rows_of(asked: &[Arc<EncodedPicture>], view: &View) -> Rows {
    let mut rows = Rows::empty(view.model.features().width);
    for member in asked {
        let fits = rows.push(&member.features);
        debug_assert!(fits, "the pictures were read with the network of this view");
    }
    rows
}
