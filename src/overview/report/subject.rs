//! The model that a report is on, and the pictures it is shown by.

use std::path::PathBuf;

use image::RgbImage;

use super::page::{Heading, Page};
use crate::answer::sheet::{Theme, thousands};
use crate::answer::style;
use crate::base::rows::Rows;
use crate::catalog::{Catalog, Decision, FileState, ModelRow, Root};
use crate::clock;
use crate::config::{Config, Encoder};
use crate::error::Trouble;
use crate::evaluate::gate::Evidence;
use crate::model::{Autoencoder, FeatureKind};
use crate::picture::{Bounds, Hash};

/// Numbers in the rows of one kind that are looked at; as many pictures as fit are taken evenly over their order.
const MOST_VALUES: usize = 4_096 * 1_280;

/// A model and what is needed to show it.
pub struct Subject {
    /// As it is kept.
    pub(super) row: ModelRow,
    /// What the gate saw.
    pub(super) evidence: Option<Evidence>,
    /// What was learned; `None` where nothing was.
    pub(super) coder: Option<Autoencoder>,
    /// Inventory pictures, relative to the inventory folder.
    pub(super) paths: Vec<PathBuf>,
    /// Their features `[n, width]`.
    pub(super) inventory: Rows,
    /// Features of training pictures `[m, width]`; none where the inventory served.
    pub(super) training: Rows,
    /// The inventory folder, what may be read of it, and how pictures look.
    pub(super) folder: PathBuf,
    pub(super) bounds: Bounds,
    pub(super) theme: Theme,
}

impl Subject {
    /// Reads it from the catalog in the configured state folder; a daemon may be at work on it.
    ///
    /// # Errors
    /// When the catalog cannot be read, or does not know the model.
    pub fn read(config: &Config, id: &str) -> Result<Self, Trouble> {
        let catalog = Catalog::open_reader(&config.folders.state)?;
        let missing = || Trouble::new(format!("model {id} is not kept any more"), catalog_of(config), "train again");
        let row = catalog.model(id)?.ok_or_else(missing)?;
        let of_row = [Encoder::Pretrained, Encoder::Convolutional].into_iter().find(|one| one.name() == row.encoder);
        let encoder = of_row.unwrap_or(config.model.encoder);
        let coder = (!row.weights.is_empty()).then(|| Autoencoder::from_safetensors(encoder, &row.weights)).transpose();
        let coder = coder.map_err(|reason| Trouble::new(reason, catalog_of(config), "train again"))?;
        let (paths, inventory) = inventory(&catalog, FeatureKind::of(encoder))?;
        let training = match row.source.as_str() {
            "training" => training(&catalog, id, FeatureKind::of(encoder))?,
            _ => Rows::default(),
        };
        Ok(Self {
            evidence: serde_json::from_str(&row.figures).ok(),
            row,
            coder,
            paths,
            inventory,
            training,
            folder: config.folders.inventory.clone(),
            bounds: Bounds::from(&config.limits),
            theme: style(&config.answer).theme,
        })
    }

    /// Whether it was refused.
    pub(super) fn is_refused(&self) -> bool {
        self.row.decision == Decision::Refused
    }

    /// For the footer.
    pub(super) fn who(&self) -> String {
        let ModelRow { id, encoder, trained_on, source, beside, created_s, .. } = &self.row;
        let beside =
            if *beside > 0 { format!(" beside {} of the inventory", thousands(*beside)) } else { String::new() };
        let moment = clock::local_text(*created_s);
        let trained_on = thousands(*trained_on);
        format!("{encoder} model {id}, trained on {trained_on} {source} pictures{beside}  ·  {moment}")
    }

    /// The picture that takes the place of one that cannot be drawn.
    pub(super) fn nothing_learned(&self, label: &str) -> RgbImage {
        let heading = Heading {
            label: label.into(),
            title: format!("Nothing was learned by model {}", self.row.id),
            text: format!("The reason: {}.", self.row.reason),
            is_warning: true,
        };
        self.page(&heading, 0, |_| {}, "")
    }

    /// A page of the report, drawn upon by `draw`; `right` explains.
    pub(super) fn page(&self, heading: &Heading, body_px: u32, draw: impl FnOnce(&mut Page), right: &str) -> RgbImage {
        // The body's height is bounded by what is drawn, so there is always a page.
        let Some(mut page) = Page::new(heading, body_px, self.theme) else { return RgbImage::new(1, 1) };
        draw(&mut page);
        page.finished(&self.who(), right)
    }
}

fn catalog_of(config: &Config) -> PathBuf {
    config.folders.state.join(crate::catalog::FILE_NAME)
}

/// `most` of `all` positions, evenly taken.
pub(super) fn evenly(all: usize, most: usize) -> impl Iterator<Item = usize> {
    let count = all.min(most);
    (0..count).map(move |number| number * all / count)
}

fn inventory(catalog: &Catalog, kind: FeatureKind) -> Result<(Vec<PathBuf>, Rows), Trouble> {
    let read = |state| if let FileState::Read(hash) = state { Some(hash) } else { None };
    let files: Vec<(PathBuf, Hash)> =
        catalog.files(Root::Inventory)?.into_iter().filter_map(|file| Some((file.path, read(file.state)?))).collect();
    let (mut paths, mut rows) = (Vec::new(), Rows::empty(kind.width));
    for at in evenly(files.len(), MOST_VALUES / kind.width) {
        let (path, hash) = &files[at];
        if catalog.features(*hash, kind.version)?.is_some_and(|row| rows.push(&row)) {
            paths.push(path.clone());
        }
    }
    Ok((paths, rows))
}

fn training(catalog: &Catalog, id: &str, kind: FeatureKind) -> Result<Rows, Trouble> {
    let mut contents: Vec<Hash> = catalog.trained_pictures(id)?.into_iter().collect();
    contents.sort_unstable();
    let chosen: Vec<Hash> = evenly(contents.len(), MOST_VALUES / kind.width).map(|at| contents[at]).collect();
    Ok(catalog.many_features(&chosen, kind.version, kind.width)?.1)
}
