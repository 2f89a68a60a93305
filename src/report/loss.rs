//! The section of a training report on learning: the loss at each training step or, for the linear encoder, which has no
//! steps, the variance that its embeddings explain.

use super::Section;
use super::axis::Axis;
use super::curves::{Curve, chart};
use super::subject::Subject;
use crate::answer::sheet::{pictures, thousands};
use crate::base::rows::Rows;
use crate::model::{Autoencoder, LinearAutoencoder};

/// The smoothed loss is the mean over this share of all steps, and over at least this many.
const SMOOTHED_PART: usize = 25;
const FEWEST_STEPS: usize = 5;

/// The section on it.
pub(super) fn section(subject: &Subject) -> Section {
    match &subject.autoencoder {
        Some(Autoencoder::Linear(linear)) => explained_variance(subject, linear),
        Some(Autoencoder::Convolutional(network)) if !network.losses().is_empty() => loss(network.losses()),
        _ => Section::without("Nothing was learned", subject),
    }
}

fn loss(losses: &[f32]) -> Section {
    let window = (losses.len() / SMOOTHED_PART).max(FEWEST_STEPS);
    let smooth = smoothed(losses, window);
    let (first, last) = (smooth.first().unwrap_or(&0.0), smooth.last().unwrap_or(&0.0));
    let finding = format!("The loss went from {first:.2} to {last:.2} in {} steps", thousands(losses.len()));
    let axis = Axis::beyond(losses.iter().copied().fold(0.0, f32::max).into());
    let lines = [
        Curve { class: "faint", name: "each step".into(), points: losses.into() },
        Curve { class: "first", name: format!("mean over {} steps", thousands(window)), points: smooth },
    ];
    let chart = chart(&finding, "Training step", ("Loss (no unit)", &axis), &lines);
    Section { finding, body: format!(include_str!("loss.html"), chart = chart) }
}

fn explained_variance(subject: &Subject, linear: &LinearAutoencoder) -> Section {
    let line = |(class, whose, rows): (&'static str, &str, &Rows)| {
        let points: Vec<f32> = linear.kept_by_values(rows).iter().map(|share| 100.0 * share).collect();
        let count = pictures(rows.len()).replacen(" picture", &format!(" {whose} picture"), 1);
        Curve { class, name: format!("{count}: {:.1} %", points.last().unwrap_or(&0.0)), points }
    };
    let rows = [("first", "inventory", &subject.inventory), ("second", "training", &subject.training)];
    let lines: Vec<Curve> = rows.into_iter().filter(|(_, _, rows)| !rows.is_empty()).map(line).collect();
    let all = lines.first().and_then(|line| line.points.last()).unwrap_or(&0.0);
    let width = thousands(linear.embedding_width());
    let finding = format!("{width} values explain {all:.1} % of the variance between pictures");
    let y_axis = ("Explained variance (%)", &Axis::to(100.0));
    let chart = chart(&finding, "Values of the embedding that are used", y_axis, &lines);
    Section { finding, body: format!(include_str!("variance.html"), chart = chart, width = width) }
}

/// Each value's mean with those around it, `window` in all where there are so many.
fn smoothed(values: &[f32], window: usize) -> Vec<f32> {
    let half = window / 2;
    let around = |at: usize| &values[at.saturating_sub(half)..(at + half + 1).min(values.len())];
    (0..values.len()).map(|at| around(at).iter().sum::<f32>() / around(at).len() as f32).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_smoothed_line_is_level_where_steps_only_shake() {
        let shaking: Vec<f32> = (0..100).map(|step| if step % 2 == 0 { 1.0 } else { 3.0 }).collect();
        let smooth = smoothed(&shaking, 10);
        assert_eq!(smooth.len(), 100);
        assert!(smooth.iter().all(|value| (value - 2.0).abs() < 0.21), "{smooth:?}");
        assert_eq!(smoothed(&[5.0, 1.0], 1), [5.0, 1.0]);
        assert!(smoothed(&[], 3).is_empty());
    }
}
