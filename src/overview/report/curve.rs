//! How well the model learned: its loss, step by step; of the linear autoencoder, which takes no steps, what its code keeps.

use image::RgbImage;

use super::axis::Axis;
use super::chart::{Chart, HEIGHT_PX, Series};
use super::page::{Heading, Page};
use super::subject::Subject;
use crate::answer::sheet::{pictures, thousands};
use crate::base::rows::Rows;
use crate::model::{Autoencoder, LinearAutoencoder};

/// The line of a training is the mean over this share of its steps.
const SMOOTHED: usize = 25;
/// ... and over so many at least.
const FEWEST_STEPS: usize = 5;
const BOLD_PX: f32 = 3.5;
const THIN_PX: f32 = 1.5;
const FAINT: u8 = 80;

/// Draws it.
pub(super) fn draw(subject: &Subject) -> RgbImage {
    match &subject.coder {
        None => subject.nothing_learned("Loss"),
        Some(Autoencoder::Linear(linear)) => kept(subject, linear),
        Some(Autoencoder::Convolutional(convolutional)) => match convolutional.losses() {
            [] => subject.nothing_learned("Loss"),
            losses => falling(subject, losses),
        },
    }
}

fn falling(subject: &Subject, losses: &[f32]) -> RgbImage {
    let window = (losses.len() / SMOOTHED).max(FEWEST_STEPS);
    let smooth = smoothed(losses, window);
    let (first, last) = (smooth.first().copied().unwrap_or(0.0), smooth.last().copied().unwrap_or(0.0));
    let heading = Heading {
        label: "Loss".into(),
        title: format!("From {first:.2} to {last:.2} in {} steps", thousands(losses.len())),
        text: "A step looks at two changed views of each of 32 pictures. Its loss is what the decoder misses when it \
               paints them back from their codes, as a share of what varies from picture to picture, and how surprising \
               it is by the codes’ textures that two views belong together. Lower is better; a line that has not become \
               level at its end has more to learn: raise train_steps."
            .into(),
        is_warning: false,
    };
    let highest = losses.iter().copied().fold(0.0, f32::max);
    subject.page(&heading, HEIGHT_PX, |page| losses_chart(page, losses, &smooth, highest).draw(page), &{
        format!("thin: each step; bold: the mean over {} steps", thousands(window))
    })
}

fn losses_chart(page: &Page, losses: &[f32], smooth: &[f32], highest: f32) -> Chart {
    let accent = page.palette.accent;
    let points =
        |values: &[f32]| (1_u32..).zip(values).map(|(step, loss)| (f64::from(step), f64::from(*loss))).collect();
    let last = smooth.last().copied().unwrap_or(0.0);
    let line = |name, points, width_px, alpha| Series { name, points, colour: accent, width_px, alpha };
    Chart {
        across: Axis::between(0.0, losses.len() as f64, 8),
        up: Axis::around(0.0, f64::from(highest), 6),
        names: ["steps".into(), "loss".into()],
        unit: "",
        lines: vec![
            line(Default::default(), points(losses), THIN_PX, FAINT),
            line([format!("{last:.2}"), "at the end".into()], points(smooth), BOLD_PX, 255),
        ],
    }
}

fn kept(subject: &Subject, linear: &LinearAutoencoder) -> RgbImage {
    let width = linear.embedding_width();
    let heading = Heading {
        label: "In place of a loss".into(),
        title: format!("{:.1} % of what tells pictures apart is kept in {width} values", share(subject, linear)),
        text: "The autoencoder on the network’s features is linear, and its optimum is computed, not descended to. So the \
               curve shows what the code keeps of the features by its first value alone, by its first two, and so on. \
               Where it is level, further values add little; where it still rises at its end, a larger code_width keeps \
               more."
            .into(),
        is_warning: false,
    };
    let right = "kept: 1 − ‖x − x′‖² / ‖x − m‖²; x the features, x′ what comes back, m the mean of those trained on";
    subject.page(&heading, HEIGHT_PX, |page| kept_chart(page, subject, linear).draw(page), right)
}

fn share(subject: &Subject, linear: &LinearAutoencoder) -> f32 {
    let rows = if subject.inventory.is_empty() { &subject.training } else { &subject.inventory };
    100.0 * linear.kept_by_values(rows).last().copied().unwrap_or(0.0)
}

fn kept_chart(page: &Page, subject: &Subject, linear: &LinearAutoencoder) -> Chart {
    let line = |rows: &Rows, whose: &str, colour| {
        let kept: Vec<f64> = linear.kept_by_values(rows).into_iter().map(|share| 100.0 * f64::from(share)).collect();
        let end = format!("{:.1} % of {}", kept.last().copied().unwrap_or(0.0), pictures(rows.len()));
        let points = (1_u32..).zip(kept).map(|(values, share)| (f64::from(values), share)).collect();
        Series { name: [whose.into(), end], points, colour, width_px: BOLD_PX, alpha: 255 }
    };
    let mut lines = Vec::new();
    if !subject.inventory.is_empty() {
        lines.push(line(&subject.inventory, "the inventory", page.palette.accent));
    }
    if !subject.training.is_empty() {
        lines.push(line(&subject.training, "training pictures", page.palette.warning));
    }
    Chart {
        across: Axis::between(0.0, linear.embedding_width() as f64, 8),
        up: Axis::around(0.0, 100.0, 5),
        names: ["values of the code".into(), "kept of what tells pictures apart".into()],
        unit: " %",
        lines,
    }
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
