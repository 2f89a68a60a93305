//! The report of a training (`artificio train --report`): one HTML page of charts that needs no script and no network.

mod axis;
mod bars;
mod curves;
mod embeddings;
mod gate;

mod loss;
mod neighbours;
mod subject;

use crate::answer::sheet::thousands;
use crate::base::html::{Page, escaped};
use crate::clock;
use crate::config::Config;
use crate::error::Trouble;
use crate::progress::Progress;

use subject::Subject;

/// A part of the report that answers one question.
struct Section {
    /// The answer in one line, as text.
    finding: String,
    /// All else, as HTML.
    body: String,
}

impl Section {
    /// A section in place of one that cannot be drawn.
    fn without(what: &str, subject: &Subject) -> Self {
        let body = format!("<p class=\"guide\">The reason: {}.</p>\n", escaped(&subject.row.reason));
        Self { finding: what.into(), body }
    }
}

/// The report on model `id` as HTML, read from the catalog and the pictures; `None` when the work was cancelled.
///
/// # Errors
/// When the catalog cannot be read or knows no such model.
pub fn report_on(config: &Config, id: &str, progress: &dyn Progress) -> Result<Option<String>, Trouble> {
    let subject = Subject::read(config, id)?;
    let Some(embeddings) = embeddings::section(&subject, progress) else { return Ok(None) };
    let sections = [
        ("loss", "How it learned", loss::section(&subject)),
        ("embeddings", "What its embeddings keep", embeddings),
        ("gate", "What the gate measured", gate::section(&subject)),
    ];
    let (mut cards, mut parts) = (String::new(), String::new());
    for (id, label, Section { finding, body }) in sections {
        let finding = escaped(&finding);
        cards += &format!("<a href=\"#{id}\"><b>{label}</b>{finding}</a>\n");
        parts +=
            &format!("<section id=\"{id}\">\n<p class=\"label\">{label}</p>\n<h2>{finding}</h2>\n{body}</section>\n");
    }
    let body = format!("{}<main>\n<nav>\n{cards}</nav>\n{parts}</main>\n", header(&subject));
    let title = format!("Training of model {id}");
    let style = include_str!("page.css");
    Ok(Some(Page { title: &title, image_sources: "data:", has_scripts: false, style, body: &body }.to_html()))
}

fn header(subject: &Subject) -> String {
    let row = &subject.row;
    let with_inventory = if row.inventory_count > 0 {
        format!(", {} of the inventory", thousands(row.inventory_count))
    } else {
        String::new()
    };
    format!(
        include_str!("header.html"),
        class = row.decision.name(),
        id = escaped(&row.id),
        decision = row.decision.name(),
        reason = escaped(row.reason.trim_end_matches('.')),
        encoder = escaped(row.encoder.name()),
        trained_on = format!("{} {} pictures{with_inventory}", thousands(row.trained_on), escaped(row.source.name())),
        embedding =
            subject.autoencoder.as_ref().map_or("no".into(), |autoencoder| thousands(autoencoder.embedding_width())),
        date = escaped(&clock::local_text(row.created_s)),
    )
}
