//! The section of a training report on what embeddings keep of a picture: its reconstruction by the convolutional decoder or,
//! for the linear encoder, which reconstructs no pixels, whether its nearest neighbours stay the same.

use super::subject::{Subject, evenly};
use super::{Section, neighbours};
use crate::answer::sheet::thousands;
use crate::base::html::base64;
use crate::base::rows::Rows;
use crate::model::Autoencoder;
use crate::model::convolutional::{ConvolutionalAutoencoder, Pixels};
use crate::overview::{on_white, to_jpeg};
use crate::progress::Progress;

/// Pictures shown with their reconstructions.
const SHOWN: usize = 24;

/// The section on it; `None` when the work was cancelled.
pub(super) fn section(subject: &Subject, progress: &dyn Progress) -> Option<Section> {
    match &subject.autoencoder {
        None => Some(Section::without("Nothing was learned", subject)),
        Some(Autoencoder::Convolutional(encoder)) => Some(reconstructions(&subject.inventory, encoder)),
        Some(linear) => neighbours::section(subject, linear, progress),
    }
}

/// The text in place of a picture that cannot be shown.
pub(super) const NO_PICTURE: &str = "<span class=\"missing\">not readable</span>";

/// A picture of the page; `name` is HTML.
pub(super) fn image(picture: &image::RgbaImage, name: &str) -> String {
    match to_jpeg(&on_white(picture)) {
        Ok(jpeg) => format!("<img alt=\"{name}\" title=\"{name}\" src=\"data:image/jpeg;base64,{}\">", base64(&jpeg)),
        Err(_) => NO_PICTURE.into(),
    }
}

fn reconstructions(pixels: &Rows, encoder: &ConvolutionalAutoencoder) -> Section {
    let mut shown = Rows::empty(Pixels::WIDTH);
    for at in evenly(pixels.len(), SHOWN) {
        shown.push(pixels.row(at));
    }
    let reconstructed = encoder.decode(&encoder.encode(&shown));
    let error = 100.0 * encoder.reconstruction_error(pixels);
    let pairs: String = shown
        .iter()
        .zip(reconstructed.iter())
        .map(|(original, reconstruction)| {
            let original = image(&Pixels::picture(original), "as the encoder sees it");
            let reconstruction = image(&Pixels::picture(reconstruction), "reconstructed from its embedding");
            format!("<figure>{original}{reconstruction}</figure>\n")
        })
        .collect();
    let body = format!(
        include_str!("reconstructions.html"),
        side = Pixels::SIDE,
        width = thousands(encoder.embedding_width()),
        pairs = pairs,
        error = error
    );
    Section {
        finding: format!("{:.0} % of the variance between pictures is reconstructed", (100.0 - error).max(0.0)),
        body,
    }
}
