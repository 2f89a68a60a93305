//! What a training has come to, as pictures: how well the model learned, what its codes keep, what the gate saw.

mod axis;
mod bars;
mod chart;
mod curve;
mod gate;
mod neighbours;
mod page;
mod repainted;
mod subject;

use image::RgbImage;

use crate::config::Config;
use crate::error::Trouble;
use crate::model::Autoencoder;
use crate::progress::Progress;

use subject::Subject;

/// A picture of a report.
pub struct Drawn {
    /// Its name, without an ending.
    pub name: &'static str,
    /// Its pixels.
    pub picture: RgbImage,
}

/// Reads what a report on model `id` needs, and draws it; `None` when the work was cancelled.
///
/// # Errors
/// When the catalog cannot be read or knows no such model.
pub fn report_on(config: &Config, id: &str, progress: &dyn Progress) -> Result<Option<Vec<Drawn>>, Trouble> {
    let subject = Subject::read(config, id)?;
    let what_is_kept = match &subject.coder {
        Some(Autoencoder::Convolutional(convolutional)) => Some(repainted::draw(&subject, convolutional)),
        Some(linear) => neighbours::draw(&subject, linear, progress),
        None => Some(subject.nothing_learned("What the code keeps")),
    };
    let Some(what_is_kept) = what_is_kept else { return Ok(None) };
    let pictures = [("loss", curve::draw(&subject)), ("reconstructions", what_is_kept), ("gate", gate::draw(&subject))];
    Ok(Some(pictures.map(|(name, picture)| Drawn { name, picture }).into()))
}
