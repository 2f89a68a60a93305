//! The gate that lets a new model serve: whether it finds pictures by changed views of them as well as the model that serves, and
//! as the network does as it is.
//!
//! Every picture examined is looked for among others by its own crop and by a crop that is mirrored and recoloured as well. No model
//! has seen it: of each a shadow is examined, trained without it. What is compared is the margin to the next best picture, in
//! pairs: of the same picture with both models. See `docs/decisions/model-validation.md`.

mod views;

use serde::{Deserialize, Serialize};

pub use self::views::{SearchedViews, ViewOutcome};
use crate::base::bootstrap::Estimate;
use crate::base::rows::Rows;
use crate::model::FolderLesson;

/// With fewer pictures there is no verdict: figures would be chance, and a shadow, which has a fifth less to learn from, much worse than
/// its model.
pub const FEWEST_PICTURES: usize = 30;

/// How much of the margin a new model may lose: good trainings lost up to .047 on the six sets by which it was chosen, most bad ones
/// .05 to .25.
pub const ALLOWED_LOSS: f32 = 0.05;

/// How well a model retrieves pictures by changed views of them. The names in JSON are kept in catalogs.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct RetrievalQuality {
    /// The mean of [`ViewOutcome::reciprocal_rank`]: 1 is always first.
    #[serde(rename = "found")]
    pub mean_reciprocal_rank: f32,
    /// The mean of [`ViewOutcome::separation`].
    #[serde(rename = "apart")]
    pub separation: f32,
    /// Share of the variance that is lost on the way through the embedding: ‖x − x′‖² / ‖x − mean‖².
    #[serde(rename = "lost")]
    pub reconstruction_error: f32,
    /// The mean of [`ViewOutcome::margin`], which decides; earlier programs did not measure it.
    #[serde(default)]
    pub margin: Option<f32>,
}

/// Two models on the same pictures.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Pictures examined.
    pub pictures: usize,
    /// By the earlier model.
    pub before: RetrievalQuality,
    /// By the new one.
    pub after: RetrievalQuality,
    /// What the new one gains in margin; it loses where that is negative.
    #[serde(default)]
    pub gain: Option<Estimate>,
}

/// What is known of a new model before it may serve.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Evidence {
    /// The model that it is held against; `None` where there is none to compare it with.
    pub against: Option<String>,
    /// Whether that model is the network as it is.
    pub against_untrained: bool,
    /// Whether the new one is trained on nothing but what is searched.
    pub of_inventory: bool,
    /// How many different pictures the training pictures amount to.
    pub distinct: f32,
    /// How many are needed.
    pub distinct_needed: f32,
    /// On pictures of the inventory.
    pub inventory: Option<Comparison>,
    /// On training pictures, where the inventory has too few.
    pub training: Option<Comparison>,
    /// The same pictures with the network as it is, where it is not what serves: many small losses must not add up.
    #[serde(default)]
    pub floor: FloorComparison,
    /// Why the pictures examined are not held out from both trainings, as the rest of a sentence.
    #[serde(default)]
    pub not_held_out: Option<String>,
    /// Values in an embedding of the new model, where they are fewer than in one of the model before.
    #[serde(default)]
    pub narrower: Option<usize>,
    /// What folders gave it, by pictures that were held out in the fit.
    #[serde(default)]
    pub folders: Option<FolderLesson>,
}

/// The network as it is and a new model on the same pictures.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct FloorComparison {
    /// On pictures of the inventory.
    pub inventory: Option<Comparison>,
    /// On training pictures.
    pub training: Option<Comparison>,
}

/// What the gate decides.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GateVerdict {
    /// Whether the model may serve.
    pub passes: bool,
    /// Why, as the rest of a sentence that begins with the model.
    pub reason: String,
}

impl Comparison {
    /// Of the same pictures with both models; `lost` are their reconstruction errors. `None` for too few pictures.
    pub fn of(before: &[ViewOutcome], after: &[ViewOutcome], lost: [f32; 2]) -> Option<Self> {
        let gains: Vec<f32> = before.iter().zip(after).map(|(before, after)| after.margin - before.margin).collect();
        (gains.len() >= FEWEST_PICTURES).then(|| Self {
            pictures: gains.len(),
            before: RetrievalQuality::of(before, lost[0]),
            after: RetrievalQuality::of(after, lost[1]),
            gain: Some(Estimate::of(&gains)),
        })
    }

    /// Whether the new model is as good: it loses no more than is allowed, or may lose nothing as far as these pictures can tell.
    /// What is no number is not.
    fn is_as_good(&self) -> bool {
        self.gain.is_none_or(|gain| gain.mean >= -ALLOWED_LOSS || gain.high >= 0.0)
    }

    /// The margins with both models in words; `old` is the one before.
    fn margins(&self, old: &str) -> String {
        let margin = |quality: &RetrievalQuality| quality.margin.unwrap_or(f32::NAN);
        let Estimate { mean, low, high } = self.gain.unwrap_or_default();
        format!(
            "changed views are told from other pictures by a margin of {:.3}, {:.3} with {old} ({mean:+.3}, between {low:+.3} and {high:+.3})",
            margin(&self.after),
            margin(&self.before)
        )
    }
}

impl RetrievalQuality {
    fn of(found: &[ViewOutcome], reconstruction_error: f32) -> Self {
        let mean = |figure: fn(&ViewOutcome) -> f32| found.iter().map(figure).sum::<f32>() / found.len() as f32;
        Self {
            mean_reciprocal_rank: mean(|found| found.reciprocal_rank),
            separation: mean(|found| found.separation),
            reconstruction_error,
            margin: Some(mean(|found| found.margin)),
        }
    }
}

impl Evidence {
    /// Whether the training pictures are different enough to train on. Known before anything is trained.
    pub fn has_enough_distinct(&self) -> bool {
        self.distinct >= self.distinct_needed
    }

    /// Decides.
    pub fn verdict(&self) -> GateVerdict {
        let refused = |reason: String| GateVerdict { passes: false, reason };
        if !self.has_enough_distinct() {
            let worth = self.distinct.round().max(1.0);
            return refused(format!(
                "its training pictures are nearly all alike: they are worth {worth}, and {:.0} different ones are needed",
                self.distinct_needed.ceil()
            ));
        }
        if let Some(lesson) = self.folders.as_ref().filter(|lesson| lesson.taught)
            && !lesson.is_no_worse()
        {
            return refused(format!("its folders mislead it: {}", lesson.sentence()));
        }
        let Some(against) = &self.against else {
            return GateVerdict { passes: true, reason: "there is no model to compare it with".into() };
        };
        let network = "the network as it is";
        let against = if self.against_untrained { network } else { against };
        let compared = [
            ("inventory", against, &self.inventory),
            ("training", against, &self.training),
            ("inventory", network, &self.floor.inventory),
            ("training", network, &self.floor.training),
        ];
        let compared = || compared.iter().filter_map(|(of, old, found)| Some((of, *old, (*found).as_ref()?)));
        if let Some((of, old, found)) = compared().find(|(.., found)| !found.is_as_good()) {
            let narrower = self.narrower.map(|width| format!("; its embeddings have only {width} values (code_width)"));
            return refused(format!(
                "it tells {of} pictures apart less well than {old}: {}{}",
                found.margins(old),
                narrower.unwrap_or_default()
            ));
        }
        let reason = match compared().next() {
            None => {
                format!("there is no verdict: fewer than {FEWEST_PICTURES} pictures can be held out to compare it by")
            }
            Some((_, old, found)) => {
                let not_held_out = self.not_held_out.as_ref().map(|why| format!("; {why}")).unwrap_or_default();
                format!("of {} pictures {}{not_held_out}", found.pictures, found.margins(old))
            }
        };
        GateVerdict { passes: true, reason }
    }
}

/// ‖x − x′‖² / ‖x − mean‖² over rows x `[n, width]` at unit length and their reconstructions x′.
pub fn relative_reconstruction_error(features: &Rows, restored: &Rows) -> f32 {
    let features = features.at_unit_length();
    let mut mean = vec![0.0; features.width()];
    for row in features.iter() {
        mean.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / features.len() as f32);
    }
    let squared_distance = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>();
    let all: f64 = features.iter().map(|row| squared_distance(row, &mean)).sum();
    let missed: f64 = features.iter().zip(restored.iter()).map(|(row, back)| squared_distance(row, back)).sum();
    if all > 0.0 { (missed / all) as f32 } else { 0.0 }
}

#[cfg(test)]
mod tests;
