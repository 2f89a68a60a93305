//! A metric of two models as inline SVG: a bar for each, and the limit at which a new model is refused, if there is one.

use super::axis::Axis;

/// A metric and its values.
pub(super) struct MetricBars {
    pub(super) name: &'static str,
    /// The label of its axis.
    pub(super) unit: &'static str,
    /// Of the new model, and of the one before.
    pub(super) figures: [f32; 2],
    /// Where this figure decides, the worst with which a new model passes.
    pub(super) refused_below: Option<f32>,
    pub(super) axis: Axis,
    /// Decimals of a value, and its unit.
    pub(super) decimals: usize,
    pub(super) suffix: &'static str,
}

impl MetricBars {
    /// The metric as a `<figure>`, with the names of the new model and of the one before, which are HTML.
    pub(super) fn html(&self, [new, old]: [&str; 2]) -> String {
        let Self { name, unit, figures, refused_below, axis, decimals, suffix } = self;
        // An axis may end at the figure itself, which float32 rounds.
        let shown = |figure: f32| match f64::from(figure) > axis.end * (1.0 + 1e-6) {
            true => format!("over {}{suffix}", axis.end),
            false => format!("{figure:.decimals$}{suffix}"),
        };
        let [after, before] = figures.map(shown);
        let [after_at, before_at] = figures.map(|figure| axis.percent(figure.into()));
        let class = if refused_below.is_some_and(|limit| figures[0] < limit) { "exceeded" } else { "new" };
        let limit = refused_below.map(|limit| (axis.percent(limit.into()), format!("refused below {}", shown(limit))));
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
            if let Some((limit_at, _)) = &limit {
                let x = format!("x1=\"{limit_at:.1}%\" x2=\"{limit_at:.1}%\"");
                drawing += &format!("<line class=\"limit\" {x} y1=\"{limit_from}\" y2=\"{limit_to}\"/>\n");
            }
        }
        let label = limit.as_ref().map(|(_, text)| format!("; {text}")).unwrap_or_default();
        let note = limit.as_ref().map(|(_, text)| format!("<p class=\"limit\">{text}</p>\n")).unwrap_or_default();
        format!(
            "<figure>\n<figcaption><b>{name}</b> {unit}</figcaption>\n<svg role=\"img\" aria-label=\"{name}: {after} of {new}, \
             {before} of {old}{label}\" width=\"100%\" height=\"130\">\n{drawing}</svg>\n{note}</figure>\n"
        )
    }
}
