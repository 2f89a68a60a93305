//! The figures as text.

use crate::cli::output::one_line;
use crate::evaluate::{EngineFigures, Evaluation, LabelFigures, MethodFigures, ModelFigures};

/// Longer labels are cut.
const LABEL_LETTERS: usize = 32;

/// All of the report.
pub fn of(report: &Evaluation) -> String {
    let mut text = format!(
        "{:<13}{:>6}{:<11}{:>7}{:>7}{:>7}{:>7}{:<11}{:>8}\n",
        "method", "P@1", "   (95 %)", "P@5", "P@10", "R@5", "mAP", "   (95 %)", "queries"
    );
    report.rows.iter().for_each(|row| text += &method(row));
    if !report.labels.is_empty() {
        text += &labels(&report.labels);
    }
    let by = match report.folds {
        0 => String::new(),
        folds => format!(", {folds} times without those that asked"),
    };
    text += &format!("\n{} pictures searched, {} trained on{by}\n", report.inventory, report.trained_on);
    for ModelFigures { network, embedding_width, reconstruction_error, folders, feature_bytes, .. } in &report.models {
        let (name, kept) = (one_line(network), 100.0 * (1.0 - reconstruction_error));
        text += &format!(
            "{name} encoder: {embedding_width} values a code, {kept:.1} % of the variance kept; features of {feature_bytes} bytes a picture\n"
        );
        if let Some(folders) = folders {
            text += &format!("{}\n", folders.message);
        }
    }
    text += &format!("labels by {}\n", report.label_by.words());
    if let Some(engine) = &report.engine {
        let EngineFigures { version, recall_at_10, p_at_10_embedded, p_at_10, agreement, p50_ms, p99_ms, .. } = engine;
        text += &format!(
            "\n{}: recall@10 {recall_at_10:.4} of the exact nearest; P@10 {p_at_10:.3}, in memory {p_at_10_embedded:.3}; {:.1} % of the first ten are the same; a search takes {p50_ms:.1} ms, of 100 one more than {p99_ms:.1} ms\n",
            one_line(version),
            100.0 * agreement
        );
    }
    text
}

fn method(row: &MethodFigures) -> String {
    let (of, low, high) = (&row.figures, &row.interval_95.low, &row.interval_95.high);
    let interval = |low: f64, high: f64| format!(" {low:.2}–{high:.2} ");
    format!(
        "{:<13}{:>6.3}{}{:>7.3}{:>7.3}{:>7.3}{:>7.3}{}{:>8}\n",
        one_line(&row.method),
        of.p_at_1,
        interval(low.p_at_1, high.p_at_1),
        of.p_at_5,
        of.p_at_10,
        of.recall_at_5,
        of.map,
        interval(low.map, high.map),
        row.queries
    )
}

/// The worst first: they are what somebody looks for.
fn labels(labels: &[LabelFigures]) -> String {
    let width = labels.iter().map(|figures| name(&figures.label).chars().count()).max().unwrap_or(0).max(5);
    let mut sorted: Vec<&LabelFigures> = labels.iter().collect();
    sorted.sort_by(|one, other| one.map.total_cmp(&other.map));
    let mut text = format!("\n{:<width$}{:>9}{:>8}{:>8}  taken for\n", "label", "queries", "P@1", "mAP");
    for LabelFigures { label, queries, p_at_1, map, most_frequent_wrong_label, times } in sorted {
        let wrong = most_frequent_wrong_label.as_deref().map(|wrong| format!("  {} ({times}×)", name(wrong)));
        let (label, wrong) = (name(label), wrong.unwrap_or_default());
        text += &format!("{label:<width$}{queries:>9}{p_at_1:>8.3}{map:>8.3}{wrong}\n");
    }
    text
}

/// A label as it fits into a column.
fn name(label: &str) -> String {
    let name = if label.is_empty() { "(none)".into() } else { one_line(label) };
    match name.chars().count() > LABEL_LETTERS {
        true => name.chars().take(LABEL_LETTERS - 1).chain(['…']).collect(),
        false => name,
    }
}
