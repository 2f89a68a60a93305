//! A line chart as inline SVG: two axes with ticks and units, and lines with a legend.
//!
//! Positions are percentages of the drawing's size, so that its text stays readable on a phone. Only the lines are stretched,
//! in an inner drawing of 1,000 × 1,000 units; their width is not.

use super::axis::Axis;
use crate::base::html::escaped;

/// One line of a chart.
pub(super) struct Curve {
    /// Its look, a class of the style sheet: `first`, `second`, `faint`.
    pub(super) class: &'static str,
    /// What it is, for the legend.
    pub(super) name: String,
    /// Its points, the first one at 1 of the x axis.
    pub(super) points: Vec<f32>,
}

/// The chart as a `<figure>`. `summary` says what it shows to those who cannot see it; axes are named with their units.
pub(super) fn chart(summary: &str, x_name: &str, (y_name, y_axis): (&str, &Axis), lines: &[Curve]) -> String {
    let longest = lines.iter().map(|line| line.points.len()).max().unwrap_or(0);
    let x_axis = Axis::to(longest as f64);
    let mut drawing = String::new();
    for (at, label) in y_axis.ticks() {
        let y = 100.0 - at;
        drawing += &format!("<line x2=\"100%\" y1=\"{y:.2}%\" y2=\"{y:.2}%\"/>");
        drawing += &format!("<text class=\"y\" x=\"-10\" y=\"{y:.2}%\">{label}</text>\n");
    }
    for (x, label) in x_axis.ticks() {
        drawing += &format!("<line x1=\"{x:.2}%\" x2=\"{x:.2}%\" y2=\"100%\"/>");
        drawing += &format!("<text class=\"x\" x=\"{x:.2}%\" y=\"100%\">{label}</text>\n");
    }
    let (mut legend, mut curves) = (String::new(), String::new());
    for Curve { class, name, points } in lines {
        legend += &format!("<span class=\"key {class}\">{}</span>\n", escaped(name));
        curves += &format!("<polyline class=\"{class}\" vector-effect=\"non-scaling-stroke\" points=\"");
        for (x, y) in (1_u32..).zip(points) {
            let (x, y) = (10.0 * x_axis.percent(x.into()), 10.0 * (100.0 - y_axis.percent((*y).into())));
            curves += &format!("{x:.1},{y:.1} ");
        }
        curves += "\"/>\n";
    }
    format!(
        "<figure class=\"chart\">\n<figcaption>\n{legend}</figcaption>\n<p class=\"y-name\">{y_name}</p>\n\
         <svg role=\"img\" aria-label=\"{}\" width=\"100%\" height=\"300\">\n{drawing}\
         <svg viewBox=\"0 0 1000 1000\" preserveAspectRatio=\"none\">\n{curves}</svg>\n</svg>\n\
         <p class=\"x-name\">{x_name}</p>\n</figure>\n",
        escaped(summary)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn points_lie_where_the_axes_say() {
        let line = Curve { class: "first", name: "a < b".into(), points: vec![0.0, 80.0, 100.0, 50.0] };
        let html = chart("a \"line\"", "step", ("share (%)", &Axis::to(100.0)), &[line]);
        assert!(html.contains("points=\"250.0,1000.0 500.0,200.0 750.0,0.0 1000.0,500.0 \""), "{html}");
        assert!(html.contains("<text class=\"y\" x=\"-10\" y=\"60.00%\">40</text>"), "{html}");
        assert!(html.contains("<text class=\"x\" x=\"50.00%\" y=\"100%\">2</text>"), "{html}");
        assert!(html.contains("a &lt; b") && html.contains("a &quot;line&quot;"), "{html}");
    }
}
