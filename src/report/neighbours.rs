//! The section of a training report on nearest neighbours: those of a few pictures by their features, by their reconstructed
//! features, and by their embeddings.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::Section;
use super::embeddings::{NO_PICTURE, image};
use super::subject::{Subject, evenly};
use crate::answer::sheet::thousands;
use crate::base::dot::dot;
use crate::base::html::escaped;
use crate::base::nearest::first;
use crate::base::rows::Rows;
use crate::model::Autoencoder;
use crate::overview::thumbnails;
use crate::progress::Progress;

/// Pictures shown with their neighbours.
const SAMPLES: usize = 6;
/// Neighbours in a group.
const NEIGHBOURS: usize = 3;
const GROUPS: [&str; 3] = ["By features", "By reconstructed features", "By embeddings"];
/// Longer side of a picture, for screens with two pixels to one of CSS.
const SIDE_PX: u32 = 192;

/// A picture of the inventory, and positions of those nearest to it, by each of [`GROUPS`].
struct Sample {
    at: usize,
    nearest: [Vec<usize>; 3],
    /// Of its features and their reconstruction.
    cosine: f32,
}

impl Sample {
    /// How many of a group are in the first one, too.
    fn shared(&self, group: usize) -> usize {
        self.nearest[group].iter().filter(|at| self.nearest[0].contains(at)).count()
    }

    fn html(&self, image_of: &dyn Fn(usize) -> String) -> String {
        let mut html = format!(
            "<article>\n<figure>{}<figcaption>cosine {:.2}</figcaption></figure>\n",
            image_of(self.at),
            self.cosine
        );
        for (group, nearest) in self.nearest.iter().enumerate() {
            html += &format!("<div>\n<h3>{}</h3>\n", GROUPS[group]);
            for at in nearest {
                let is_shared = group > 0 && self.nearest[0].contains(at);
                let (class, mark) = if is_shared { (" class=\"shared\"", "<i>same</i>") } else { ("", "") };
                html += &format!("<figure{class}>{}{mark}</figure>\n", image_of(*at));
            }
            html += "</div>\n";
        }
        html + "</article>\n"
    }
}

/// The section on it; `None` when the work was cancelled.
pub(super) fn section(subject: &Subject, autoencoder: &Autoencoder, progress: &dyn Progress) -> Option<Section> {
    let features = &subject.inventory;
    let samples = samples([features, &autoencoder.restored(features), &autoencoder.encode(features)]);
    let images = images(subject, &samples, progress)?;
    let image_of = |at: usize| images.get(&at).cloned().unwrap_or_else(|| NO_PICTURE.into());
    let rows: String = samples.iter().map(|sample| sample.html(&image_of)).collect();
    let sum = |count: &dyn Fn(&Sample) -> usize| samples.iter().map(count).sum::<usize>();
    let all = sum(&|sample| sample.nearest[0].len());
    let (reconstructed, embedded) = (sum(&|sample| sample.shared(1)), sum(&|sample| sample.shared(2)));
    let body = format!(
        include_str!("neighbours.html"),
        count = NEIGHBOURS,
        features = thousands(features.width()),
        width = thousands(autoencoder.embedding_width()),
        rows = rows
    );
    let finding = format!(
        "{reconstructed} of {all} nearest neighbours survive reconstruction, {embedded} are nearest by embeddings too"
    );
    Some(Section { finding, body })
}

/// All pictures that are shown, as HTML, by their positions; each is read once.
fn images(subject: &Subject, samples: &[Sample], progress: &dyn Progress) -> Option<BTreeMap<usize, String>> {
    let shown = samples.iter().flat_map(|sample| sample.nearest.iter().flatten().chain([&sample.at]));
    let mut images: BTreeMap<usize, String> = shown.map(|&at| (at, String::new())).collect();
    let paths: Vec<PathBuf> = images.keys().map(|&at| subject.paths[at].clone()).collect();
    let made = thumbnails(&subject.folder, &paths, SIDE_PX, &subject.bounds, progress)?;
    for ((html, path), thumbnail) in images.values_mut().zip(&paths).zip(made) {
        let name = escaped(&path.to_string_lossy());
        *html = thumbnail.map_or_else(|_| NO_PICTURE.into(), |picture| image(&picture, &name));
    }
    Some(images)
}

/// By rows of features, of their reconstructions, and of embeddings.
fn samples(rows: [&Rows; 3]) -> Vec<Sample> {
    let rows = rows.map(Rows::at_unit_length);
    let sample = |at| Sample {
        at,
        nearest: [0, 1, 2].map(|group| nearest(&rows[group], at)),
        cosine: dot(rows[0].row(at), rows[1].row(at)),
    };
    evenly(rows[0].len(), SAMPLES).map(sample).collect()
}

/// The positions of the rows nearest to that at `at`, itself left out.
fn nearest(rows: &Rows, at: usize) -> Vec<usize> {
    let others = (0..rows.len()).filter(|other| *other != at);
    let others: Vec<(usize, f32)> = others.map(|other| (other, dot(rows.row(at), rows.row(other)))).collect();
    let nearest = first(others, NEIGHBOURS, |one, other| other.1.total_cmp(&one.1).then(one.0.cmp(&other.0)));
    nearest.into_iter().map(|(other, _)| other).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_are_nearest_first_and_never_the_picture_itself() {
        let rows = Rows::from_values(2, vec![1.0, 0.0, 0.0, 1.0, 0.9, 0.1, 0.5, 0.5, 0.6, 0.5]).unwrap();
        assert_eq!(nearest(&rows.at_unit_length(), 0), [2, 4, 3]);
        let turned = Rows::from_values(2, vec![1.0, 0.0, 1.0, 0.1, 0.0, 1.0, 0.5, 0.5, 0.6, 0.5]).unwrap();
        let samples = samples([&rows, &rows, &turned]);
        assert_eq!(samples.len(), 5);
        assert!(samples.iter().all(|sample| sample.shared(1) == 3 && sample.cosine > 0.999));
        assert_eq!((&samples[0].nearest[2][..], samples[0].shared(2)), (&[1, 4, 3][..], 2));
    }

    #[test]
    fn a_neighbour_that_the_features_have_too_is_marked() {
        let sample = Sample { at: 0, nearest: [vec![1, 2], vec![2, 3], vec![4]], cosine: 0.934 };
        let html = sample.html(&|at| format!("[{at}]"));
        assert!(html.contains("<figure class=\"shared\">[2]<i>same</i></figure>\n<figure>[3]</figure>"), "{html}");
        assert!(html.contains("cosine 0.93") && html.matches("same").count() == 1, "{html}");
    }
}
