//! The section of a training report on the gate: what it measured of the new model and of the one before, and its decision.

use super::Section;
use super::axis::Axis;
use super::bars::MetricBars;
use super::subject::Subject;
use crate::answer::sheet::pictures;
use crate::base::html::escaped;
use crate::catalog::Decision;
use crate::evaluate::gate::{ALLOWED_LOSS, Comparison, RetrievalQuality};
use crate::model::UNTRAINED_ID;

/// The section on it.
pub(super) fn section(subject: &Subject) -> Section {
    let decision = if subject.row.decision == Decision::Refused { "Refused" } else { "Passed" };
    let evidence = subject.evidence.clone().unwrap_or_default();
    let old = evidence.against.as_deref().unwrap_or("none");
    let new = format!("{} (new)", escaped(&subject.row.id));
    let before = format!("{} (before)", escaped(old));
    let floor = format!("{UNTRAINED_ID} (the network as it is)");
    let shown = [
        ("inventory", &before, evidence.inventory),
        ("training", &before, evidence.training),
        ("inventory", &floor, evidence.floor.inventory),
        ("training", &floor, evidence.floor.training),
    ];
    let comparisons: Vec<_> = shown.into_iter().filter_map(|(of, old, found)| Some((of, old, found?))).collect();
    let Some((.., first)) = comparisons.first() else {
        return Section::without(&format!("{decision} without a comparison"), subject);
    };
    let drawn = |(of, old, comparison): &(&str, &String, Comparison)| {
        let metrics: String = metrics(comparison).iter().map(|metric| metric.html([&new, old])).collect();
        format!("<h3>{}</h3>\n<div class=\"metrics\">\n{metrics}</div>\n", title(of, old, comparison.pictures))
    };
    let figure = |quality: &RetrievalQuality| match quality.margin {
        Some(margin) => format!("margin {margin:.3}"),
        None => format!("separation {:.2}", quality.separation),
    };
    let not_held_out =
        evidence.not_held_out.as_ref().map(|why| format!("<p>Compared: {}.</p>\n", escaped(why))).unwrap_or_default();
    Section {
        finding: format!("{decision}: {}, {} with {old}", figure(&first.after), figure(&first.before)),
        body: format!(
            include_str!("gate.html"),
            not_held_out = not_held_out,
            comparisons = comparisons.iter().map(drawn).collect::<String>()
        ),
    }
}

fn title(of: &str, old: &str, count: usize) -> String {
    let pictures = pictures(count).replacen(" picture", &format!(" {of} picture"), 1);
    format!("{pictures}, compared with {old}")
}

/// The margin decides, where it was measured; what else is known of both models is shown beside it.
fn metrics(comparison: &Comparison) -> Vec<MetricBars> {
    let Comparison { before, after, .. } = comparison;
    let both = |figure: fn(&RetrievalQuality) -> f32| [figure(after), figure(before)];
    let margin = match (after.margin, before.margin) {
        (Some(after), Some(before)) => Some([after, before]),
        _ => None,
    };
    let margin = margin.map(|[after, before]| MetricBars {
        name: "Margin",
        unit: "share of the distance to other pictures, from 0 to 1",
        figures: [after, before],
        refused_below: Some(before - ALLOWED_LOSS),
        axis: Axis::beyond(after.max(before).into()),
        decimals: 3,
        suffix: "",
    });
    let separation = both(|quality| quality.separation);
    let others = [
        MetricBars {
            name: "Separation",
            unit: "z-score, in standard deviations",
            figures: separation,
            refused_below: None,
            axis: Axis::beyond(separation.into_iter().fold(0.0, f32::max).into()),
            decimals: 2,
            suffix: "",
        },
        MetricBars {
            name: "Mean reciprocal rank",
            unit: "1 / rank, from 0 to 1",
            figures: both(|quality| quality.mean_reciprocal_rank),
            refused_below: None,
            axis: Axis::to(1.0),
            decimals: 3,
            suffix: "",
        },
        MetricBars {
            name: "Reconstruction error",
            unit: "% of the variance",
            figures: both(|quality| 100.0 * quality.reconstruction_error),
            refused_below: None,
            axis: Axis::to(100.0),
            decimals: 1,
            suffix: " %",
        },
    ];
    margin.into_iter().chain(others).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_figure_that_decides_is_shown_with_its_limit() {
        let quality = |margin, lost| RetrievalQuality {
            mean_reciprocal_rank: 0.9,
            separation: 4.0,
            reconstruction_error: lost,
            margin,
        };
        let (before, after) = (quality(Some(0.4), 0.3), quality(Some(0.32), 3.622));
        let comparison = Comparison { pictures: 36, before, after, gain: None };
        let html: Vec<String> = metrics(&comparison).iter().map(|metric| metric.html(["m2", "m1"])).collect();
        for (html, label, bar) in [
            (
                &html[0],
                "Margin: 0.320 of m2, 0.400 of m1; refused below 0.350",
                "\"exceeded\" y=\"24\" width=\"80.0%\"",
            ),
            (&html[2], "rank: 0.900 of m2, 0.900 of m1\"", "\"new\" y=\"24\" width=\"90.0%\""),
            (&html[3], "error: over 100 % of m2, 30.0 % of m1\"", "\"new\" y=\"24\" width=\"100.0%\""),
        ] {
            assert!(html.contains(label) && html.contains(bar), "{html}");
        }
        assert_eq!(title("inventory", "m1", 36), "36 inventory pictures, compared with m1");
        // As an earlier program measured them.
        let (before, after) = (quality(None, 0.3), quality(None, 0.4));
        assert_eq!(metrics(&Comparison { before, after, ..comparison }).len(), 3);
    }
}
