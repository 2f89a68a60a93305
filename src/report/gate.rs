//! The section of a training report on the gate: what it measured of the new model and of the one before, and its decision.

use super::Section;
use super::axis::Axis;
use super::bars::MetricBars;
use super::subject::Subject;
use crate::answer::sheet::pictures;
use crate::base::html::escaped;
use crate::catalog::Decision;
use crate::evaluate::gate::{Comparison, Evidence};

/// The section on it.
pub(super) fn section(subject: &Subject) -> Section {
    let decision = if subject.row.decision == Decision::Refused { "Refused" } else { "Passed" };
    let evidence = subject.evidence.clone().unwrap_or_default();
    let old = evidence.against.as_deref().unwrap_or("none");
    let models = [format!("{} (new)", subject.row.id), format!("{old} (before)")].map(|model| escaped(&model));
    let comparisons: Vec<(&str, Comparison)> = [("inventory", evidence.inventory), ("training", evidence.training)]
        .into_iter()
        .filter_map(|(of, comparison)| Some((of, comparison?)))
        .collect();
    let Some((_, Comparison { before, after, .. })) = comparisons.first() else {
        return Section::without(&format!("{decision} without a comparison"), subject);
    };
    let drawn = |(of, comparison): &(&str, Comparison)| {
        let metrics = metrics(&evidence, comparison);
        let metrics: String = metrics.iter().map(|metric| metric.html([&models[0], &models[1]])).collect();
        format!("<h3>{}</h3>\n<div class=\"metrics\">\n{metrics}</div>\n", title(of, comparison.pictures))
    };
    Section {
        finding: format!("{decision}: separation {:.2}, {:.2} with {old}", after.separation, before.separation),
        body: format!(include_str!("gate.html"), comparisons = comparisons.iter().map(drawn).collect::<String>()),
    }
}

fn title(of: &str, count: usize) -> String {
    let shadow = if of == "training" { ", held out: a shadow model was trained without them" } else { "" };
    pictures(count).replacen(" picture", &format!(" {of} picture"), 1) + shadow
}

fn metrics(evidence: &Evidence, Comparison { before, after, .. }: &Comparison) -> [MetricBars; 3] {
    let worst = evidence.worst_allowed(*before);
    let qualities = [*after, *before, worst];
    let separation = qualities.map(|quality| quality.separation);
    [
        MetricBars {
            name: "Separation",
            unit: "z-score, in standard deviations",
            figures: separation,
            lower_is_better: false,
            axis: Axis::beyond(separation.into_iter().fold(0.0, f32::max).into()),
            decimals: 2,
            suffix: "",
        },
        MetricBars {
            name: "Mean reciprocal rank",
            unit: "1 / rank, from 0 to 1",
            figures: qualities.map(|quality| quality.mean_reciprocal_rank),
            lower_is_better: false,
            axis: Axis::to(1.0),
            decimals: 3,
            suffix: "",
        },
        MetricBars {
            name: "Reconstruction error",
            unit: "% of the variance",
            figures: qualities.map(|quality| 100.0 * quality.reconstruction_error),
            lower_is_better: true,
            axis: Axis::to(100.0),
            decimals: 1,
            suffix: " %",
        },
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::gate::RetrievalQuality;

    #[test]
    fn a_figure_is_shown_with_its_limit() {
        let quality =
            |separation, lost| RetrievalQuality { mean_reciprocal_rank: 0.9, separation, reconstruction_error: lost };
        let comparison = Comparison { pictures: 36, before: quality(4.0, 0.3), after: quality(3.6, 3.622) };
        let html = metrics(&Evidence::default(), &comparison).map(|metric| metric.html(["m2", "m1"]));
        for (html, label, bar) in [
            (
                &html[0],
                "Separation: 3.60 of m2, 4.00 of m1; refused below 3.72",
                "\"exceeded\" y=\"24\" width=\"90.0%\"",
            ),
            (&html[1], "rank: 0.900 of m2, 0.900 of m1; refused below 0.850", "\"new\" y=\"24\" width=\"90.0%\""),
            (
                &html[2],
                "error: over 100 % of m2, 30.0 % of m1; refused above 38.0 %",
                "\"exceeded\" y=\"24\" width=\"100.0%\"",
            ),
        ] {
            assert!(html.contains(label) && html.contains(bar), "{html}");
        }
        let free = Evidence { of_inventory: true, ..Evidence::default() };
        assert!(metrics(&free, &comparison)[2].html(["m2", "m1"]).contains("any figure passes"));
        assert_eq!(title("inventory", 36), "36 inventory pictures");
    }
}
