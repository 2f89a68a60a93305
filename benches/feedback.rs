//! What examples in `yes/` and `not/` are worth, by their weights: `cargo bench --bench feedback -- SET SET...`, labelled folders
//! with `inventory/` and `query/`.
//!
//! Queries are asked once without examples; then a person's clicks are imitated, and they are asked again:
//!
//! - `rejects 2`: where a wrong picture is among the first eight, the first two wrong ones are rejected;
//! - `rejects 10`: there, the first ten wrong ones;
//! - `rejects near`: the two wrong ones that are nearest to the right answers, wherever they were found: the worst case;
//! - `confirms 1`, `confirms last`: the first, or the last, right picture among the first eight is confirmed;
//! - `both`: the first right one is confirmed and two wrong ones are rejected.
//!
//! Prints the mean average precision over all other pictures for each weight, one line a set, and then the means of the 1st, 3rd,
//! ... set and of the 2nd, 4th, ...: choose by one half and look at the other.

use std::error::Error;
use std::path::{Path, PathBuf};

use artificio::base::dot::dot;
use artificio::base::parallel;
use artificio::base::rows::Rows;
use artificio::config::{Encoder, LimitSettings, Metric, ModelSettings, SetMode};
use artificio::evaluate::labels::label;
use artificio::files::FileAt;
use artificio::index::{Index, SearchMode, Snapshot};
use artificio::model::{Extractor, Model, TrainingSet};
use artificio::picture::{Bounds, decode, read_still, square};
use artificio::progress::Unfollowed;
use artificio::serving::feedback::{FeedbackWeights, moved};

const HOW: SearchMode = SearchMode { metric: Metric::Cosine, set_mode: SetMode::Mean };
/// What a person looks at.
const LOOKED_AT: usize = 8;
/// A set with fewer queries to ask again says nothing.
const LEAST_QUERIES: usize = 3;
/// Weights of the positive and of the negative examples.
const NEGATIVE_ONLY: [(f32, f32); 8] =
    [(0.0, 0.0), (0.0, 0.1), (0.0, 0.15), (0.0, 0.2), (0.0, 0.25), (0.0, 0.3), (0.0, 0.4), (0.0, 0.5)];
const POSITIVE_ONLY: [(f32, f32); 7] =
    [(0.0, 0.0), (0.25, 0.0), (0.5, 0.0), (0.75, 0.0), (1.0, 0.0), (1.5, 0.0), (2.0, 0.0)];
const TOGETHER: [(f32, f32); 8] =
    [(0.0, 0.0), (0.5, 0.15), (0.5, 0.25), (0.75, 0.15), (0.75, 0.25), (0.75, 0.35), (1.0, 0.25), (1.0, 0.35)];

/// A labelled folder, ready to be asked.
struct LabelledSet {
    name: String,
    labels: Vec<String>,
    /// Of the inventory, by position.
    embeddings: Rows,
    snapshot: Snapshot,
    asked: Vec<Asked>,
}

/// A query, and what it finds without examples.
struct Asked {
    label: String,
    embedding: Rows,
    found: Vec<usize>,
}

/// Positions of the positive and of the negative examples.
type Examples = (Vec<usize>, Vec<usize>);

/// Whom a person rejects and confirms; none where the query gives no reason to.
type Clicks = fn(&LabelledSet, &Asked) -> Option<Examples>;

fn main() -> Result<(), Box<dyn Error>> {
    // Cargo adds "--bench".
    let folders = std::env::args().skip(1).filter(|argument| argument != "--bench").map(PathBuf::from);
    let extractor = Extractor::load(Encoder::Pretrained)?;
    let sets = folders.map(|folder| LabelledSet::read(&folder, &extractor)).collect::<Result<Vec<_>, _>>()?;
    report("rejects 2", &sets, rejects_2, &NEGATIVE_ONLY);
    report("rejects 10", &sets, rejects_10, &NEGATIVE_ONLY);
    report("rejects near", &sets, rejects_near, &NEGATIVE_ONLY);
    report(
        "confirms 1",
        &sets,
        |set, asked| Some((vec![*set.right(asked, LOOKED_AT).first()?], vec![])),
        &POSITIVE_ONLY,
    );
    report(
        "confirms last",
        &sets,
        |set, asked| Some((vec![*set.right(asked, LOOKED_AT).last()?], vec![])),
        &POSITIVE_ONLY,
    );
    report("both", &sets, both, &TOGETHER);
    Ok(())
}

fn rejects_2(set: &LabelledSet, asked: &Asked) -> Option<Examples> {
    let wrong = set.wrong(asked, LOOKED_AT);
    (!wrong.is_empty()).then(|| (vec![], wrong.into_iter().take(2).collect()))
}

fn rejects_10(set: &LabelledSet, asked: &Asked) -> Option<Examples> {
    let sees_wrong = !set.wrong(asked, LOOKED_AT).is_empty();
    sees_wrong.then(|| (vec![], set.wrong(asked, asked.found.len()).into_iter().take(10).collect()))
}

fn rejects_near(set: &LabelledSet, asked: &Asked) -> Option<Examples> {
    let mut mean = vec![0.0; set.embeddings.width()];
    for at in set.right(asked, asked.found.len()) {
        mean.iter_mut().zip(set.embeddings.row(at)).for_each(|(mean, value)| *mean += value);
    }
    let mut wrong = set.wrong(asked, asked.found.len());
    wrong.sort_by(|one, other| {
        let nearness = |at: &usize| dot(set.embeddings.row(*at), &mean);
        nearness(other).total_cmp(&nearness(one))
    });
    wrong.truncate(2);
    Some((vec![], wrong))
}

fn both(set: &LabelledSet, asked: &Asked) -> Option<Examples> {
    let (right, wrong) = (set.right(asked, LOOKED_AT), set.wrong(asked, LOOKED_AT));
    (!wrong.is_empty()).then_some((vec![*right.first()?], wrong.into_iter().take(2).collect()))
}

fn report(name: &str, sets: &[LabelledSet], clicks: Clicks, weights: &[(f32, f32)]) {
    let of_weights: Vec<String> = weights.iter().map(|(yes, not)| format!("{yes}/{not}")).collect();
    println!("{name}: mean average precision by the weights of yes/ and not/\nset,queries,{}", of_weights.join(","));
    let (mut halves, mut counts) = ([vec![0.0; weights.len()], vec![0.0; weights.len()]], [0, 0]);
    let measured = sets.iter().filter_map(|set| Some((set, set.measure(clicks, weights)?)));
    for (at, (set, (queries, figures))) in measured.enumerate() {
        println!("{},{queries},{}", set.name, listed(&figures));
        halves[at % 2].iter_mut().zip(figures).for_each(|(sum, figure)| *sum += figure);
        counts[at % 2] += 1;
    }
    for (sums, (count, half)) in halves.iter().zip(counts.into_iter().zip(["1st, 3rd, ...", "2nd, 4th, ..."])) {
        let means: Vec<f64> = sums.iter().map(|sum| sum / f64::from(count.max(1))).collect();
        println!("mean of the {half},{count} sets,{}", listed(&means));
    }
}

fn listed(figures: &[f64]) -> String {
    figures.iter().map(|figure| format!("{figure:.4}")).collect::<Vec<_>>().join(",")
}

impl LabelledSet {
    fn read(folder: &Path, extractor: &Extractor) -> Result<Self, Box<dyn Error>> {
        let (labels, inventory) = look(&folder.join("inventory"), extractor);
        let (query_labels, queries) = look(&folder.join("query"), extractor);
        let settings = ModelSettings::default();
        let trained = TrainingSet::of_inventory(inventory.clone()).train(&settings, &Unfollowed);
        let autoencoder = trained.map_err(|error| format!("{}: {error:?}", folder.display()))?;
        let model = Model::trained("feedback".into(), extractor.kind(), inventory.len(), autoencoder);
        let (embeddings, queries) = (model.encode(&inventory).at_unit_length(), model.encode(&queries));
        let pictures = embeddings.iter().enumerate().map(|(at, row)| (at.to_string(), row));
        let snapshot = Index::filled(embeddings.width(), pictures).snapshot();
        let asked = parallel::map(queries.len(), |at| {
            let embedding = Rows::from_values(queries.width(), queries.row(at).to_vec()).unwrap_or_default();
            let found = found(&snapshot, &embedding);
            Asked { label: query_labels[at].clone(), embedding, found }
        });
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        Ok(Self { name, labels, embeddings, snapshot, asked })
    }

    /// Right pictures among the first `most`.
    fn right(&self, asked: &Asked, most: usize) -> Vec<usize> {
        asked.found.iter().copied().take(most).filter(|at| self.labels[*at] == asked.label).collect()
    }

    fn wrong(&self, asked: &Asked, most: usize) -> Vec<usize> {
        asked.found.iter().copied().take(most).filter(|at| self.labels[*at] != asked.label).collect()
    }

    /// How many queries there were to ask again, and their mean average precision by weight.
    fn measure(&self, clicks: Clicks, weights: &[(f32, f32)]) -> Option<(usize, Vec<f64>)> {
        let of_each = parallel::map(self.asked.len(), |at| self.asked_again(&self.asked[at], clicks, weights));
        let of_each: Vec<Vec<f64>> = of_each.into_iter().flatten().collect();
        let mean = |at: usize| of_each.iter().map(|figures| figures[at]).sum::<f64>() / of_each.len() as f64;
        (of_each.len() >= LEAST_QUERIES).then(|| (of_each.len(), (0..weights.len()).map(mean).collect()))
    }

    /// The average precision over all pictures that are no examples, by weight.
    fn asked_again(&self, asked: &Asked, clicks: Clicks, weights: &[(f32, f32)]) -> Option<Vec<f64>> {
        let (positives, negatives) = clicks(self, asked)?;
        let is_left = |at: &usize| !positives.contains(at) && !negatives.contains(at);
        asked.found.iter().filter(|at| is_left(at)).find(|at| self.labels[**at] == asked.label)?;
        let of_weights = weights.iter().map(|&(positive, negative)| {
            let weights = FeedbackWeights { positive, negative };
            let (like, unlike) = (self.rows(&positives), self.rows(&negatives));
            let found = found(&self.snapshot, &moved(&asked.embedding, &like, &unlike, weights, Metric::Cosine));
            self.average_precision(found.into_iter().filter(is_left), &asked.label)
        });
        Some(of_weights.collect())
    }

    fn rows(&self, positions: &[usize]) -> Rows {
        let mut rows = Rows::empty(self.embeddings.width());
        for &at in positions {
            rows.push(self.embeddings.row(at));
        }
        rows
    }

    fn average_precision(&self, found: impl Iterator<Item = usize>, label: &str) -> f64 {
        let (mut hits, mut sum) = (0.0, 0.0);
        for (rank, _) in (1..).zip(found).filter(|(_, at)| self.labels[*at] == label) {
            hits += 1.0;
            sum += hits / f64::from(rank);
        }
        sum / f64::max(hits, 1.0)
    }
}

/// Everything, the most similar first.
fn found(snapshot: &Snapshot, query: &Rows) -> Vec<usize> {
    let found = snapshot.search(query, HOW, snapshot.len());
    found.iter().filter_map(|found| found.path.to_str()?.parse().ok()).collect()
}

fn look(folder: &Path, extractor: &Extractor) -> (Vec<String>, Rows) {
    let mut files = Vec::new();
    collect(folder, &mut files);
    let bounds = Bounds::from(&LimitSettings::default());
    let seen = parallel::map(files.len(), |at| {
        let contents = read_still(&FileAt::named(&files[at]), &bounds).ok()?;
        let decoded = decode(&contents.bytes, &files[at], &bounds).ok()?;
        extractor.features(&[square(&decoded, extractor.side())?]).ok()
    });
    let (mut labels, mut rows) = (Vec::new(), Rows::empty(extractor.kind().width));
    for (file, features) in files.iter().zip(seen).filter_map(|(file, features)| Some((file, features?))) {
        labels.push(label(&file.file_name().unwrap_or_default().to_string_lossy()));
        rows.push(features.values());
    }
    (labels, rows)
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(folder) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort_unstable();
    for path in paths {
        if path.is_dir() { collect(&path, files) } else { files.push(path) }
    }
}
