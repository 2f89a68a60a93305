//! A metric of two models as inline SVG: a bar for each, and the limit at which a new model is refused.

use super::axis::Axis;

/// A metric and its values.
pub(super) struct MetricBars {
    pub(super) name: &'static str,
    /// The label of its axis.
    pub(super) unit: &'static str,
    /// Of the new model, of the one before, and the worst with which a new one passes.
    pub(super) figures: [f32; 3],
    /// Whether the new model is refused above the limit, and not below.
    pub(super) lower_is_better: bool,
    pub(super) axis: Axis,
    /// Decimals of a value, and its unit.
    pub(super) decimals: usize,
    pub(super) suffix: &'static str,
}

impl MetricBars {
    /// The metric as a `<figure>`, with the names of the new model and of the one before, which are HTML.
    pub(super) fn html(&self, [new, old]: [&str; 2]) -> String {
        let Self { name, unit, figures, axis, decimals, suffix, lower_is_better } = self;
        let [after, before, worst] = figures.map(|figure| match f64::from(figure) > axis.end {
            true => format!("over {}{suffix}", axis.end),
            false => format!("{figure:.decimals$}{suffix}"),
        });
        let [after_at, before_at, limit_at] = figures.map(|figure| axis.percent(figure.into()));
        let is_exceeded = if *lower_is_better { figures[0] > figures[2] } else { figures[0] < figures[2] };
        let class = if is_exceeded { "exceeded" } else { "new" };
        // A limit at the end of the axis is beyond it: any figure passes.
        let has_limit = limit_at < 100.0;
        let side = if *lower_is_better { "above" } else { "below" };
        let limit = if has_limit { format!("refused {side} {worst}") } else { "any figure passes".into() };
        let limit_class = if has_limit { "limit" } else { "no-limit" };
        let mut drawing = String::new();
        for (x, label) in axis.ticks() {
            drawing += &format!("<line x1=\"{x:.1}%\" x2=\"{x:.1}%\" y1=\"22\" y2=\"104\"/>");
            drawing += &format!("<text class=\"x\" x=\"{x:.1}%\" y=\"104\">{label}</text>\n");
        }
        let bars = [(new, &after, after_at, class, 14), (old, &before, before_at, "old", 62)];
        for (model, text, width, class, y) in bars {
            let [bar_y, limit_from, limit_to] = [y + 10, y + 6, y + 28];
            drawing += &format!("<text y=\"{y}\">{model}</text>");
            drawing += &format!("<text class=\"value\" x=\"100%\" y=\"{y}\">{text}</text>");
            drawing +=
                &format!("<rect class=\"{class}\" y=\"{bar_y}\" width=\"{width:.1}%\" height=\"14\" rx=\"3\"/>\n");
            if has_limit {
                let x = format!("x1=\"{limit_at:.1}%\" x2=\"{limit_at:.1}%\"");
                drawing += &format!("<line class=\"limit\" {x} y1=\"{limit_from}\" y2=\"{limit_to}\"/>\n");
            }
        }
        format!(
            "<figure>\n<figcaption><b>{name}</b> {unit}</figcaption>\n<svg role=\"img\" aria-label=\"{name}: {after} of {new}, \
             {before} of {old}; {limit}\" width=\"100%\" height=\"130\">\n{drawing}</svg>\n<p class=\"{limit_class}\">{limit}</p>\n\
             </figure>\n"
        )
    }
}
