//! What the gate saw of the new model and of the one before, and what it decided.

use image::RgbImage;

use super::bars::{self, Compared};
use super::page::{Heading, Page};
use super::subject::Subject;
use crate::answer::sheet::{Area, pictures};
use crate::answer::text::{Setting, Weight};
use crate::evaluate::gate::{Comparison, Evidence};

const SECTION: Setting = Setting { size_px: 17.0, weight: Weight::SemiBold };
const SECTION_PX: u32 = 56;
const GAP_PX: u32 = 56;
/// Between the comparisons of inventory and training pictures.
const SPACE_PX: u32 = 28;

/// Draws it.
pub(super) fn draw(subject: &Subject) -> RgbImage {
    let none = Evidence::default();
    let evidence = subject.evidence.as_ref().unwrap_or(&none);
    let compared = [("inventory", &evidence.inventory), ("training", &evidence.training)];
    let compared: Vec<_> = compared.iter().filter_map(|(of, one)| Some((*of, one.as_ref()?))).collect();
    let section_px = SECTION_PX + bars::HEIGHT_PX;
    let body_px = (compared.len() as u32 * (section_px + SPACE_PX)).saturating_sub(SPACE_PX);
    let before = evidence.against.as_deref().unwrap_or("none");
    let draw = |page: &mut Page| {
        for (number, (of, comparison)) in (0_u32..).zip(&compared) {
            let top = page.body.y + number * (section_px + SPACE_PX);
            let area = Area { y: top, height: section_px, ..page.body };
            section(page, area, &title(of, comparison), &figures(evidence, comparison), [&subject.row.id, before]);
        }
    };
    let right = if compared.is_empty() { "" } else { "views: cropped; cropped, mirrored and recoloured" };
    subject.page(&heading(subject), body_px, draw, right)
}

fn heading(subject: &Subject) -> Heading {
    let decided = if subject.is_refused() { "is refused" } else { "has passed" };
    let reason = &subject.row.reason;
    let mut letters = reason.chars();
    let first = letters.next().map(|letter| letter.to_uppercase().to_string()).unwrap_or_default();
    Heading {
        label: "The gate".into(),
        title: format!("Model {} {decided}", subject.row.id),
        text: format!("{first}{}.", letters.as_str().trim_end_matches('.')),
        is_warning: subject.is_refused(),
    }
}

fn title(of: &str, comparison: &Comparison) -> String {
    let count = pictures(comparison.pictures);
    let noun = count.replacen(" picture", &format!(" {of} picture"), 1);
    let held_out = if of == "training" { "; a twin of the model was trained without them" } else { "" };
    format!("{noun}, sought by changed views of them{held_out}")
}

fn figures(evidence: &Evidence, comparison: &Comparison) -> [Compared; 3] {
    let Comparison { before, after, .. } = comparison;
    let worst = evidence.worst_allowed(*before);
    [
        Compared {
            name: "Apart",
            meaning: "deviations between a picture and all others; more is better",
            after: after.separation,
            before: before.separation,
            limit: Some(worst.separation),
            refused: "below",
            is_exceeded: after.separation < worst.separation,
            whole: 0.0,
            format: |figure| format!("{figure:.2}"),
        },
        Compared {
            name: "Found",
            meaning: "1 / rank at which a picture is found; 1 is always first",
            after: after.mean_reciprocal_rank,
            before: before.mean_reciprocal_rank,
            limit: Some(worst.mean_reciprocal_rank),
            refused: "below",
            is_exceeded: after.mean_reciprocal_rank < worst.mean_reciprocal_rank,
            whole: 1.0,
            format: |figure| format!("{figure:.3}"),
        },
        Compared {
            name: "Lost",
            meaning: "share of what tells pictures apart; less is better",
            after: after.reconstruction_error,
            before: before.reconstruction_error,
            limit: Some(worst.reconstruction_error).filter(|lost| *lost < 1.0),
            refused: "above",
            is_exceeded: after.reconstruction_error > worst.reconstruction_error,
            whole: 1.0,
            format: lost,
        },
    ]
}

/// The decoder of a network that has learned nothing misses more than there is: of that, more than all cannot be lost.
fn lost(share: f32) -> String {
    if share > 1.0 { "all".into() } else { format!("{:.1} %", 100.0 * share) }
}

fn section(page: &mut Page, area: Area, title: &str, figures: &[Compared; 3], models: [&str; 2]) {
    page.canvas.fill(Area { height: 1, ..area }, page.palette.line);
    let row = Area { y: area.y + 10, height: 28, ..area };
    page.write(title, row, SECTION, page.palette.soft_ink);
    let width = (area.width - 2 * GAP_PX) / 3;
    for (number, figure) in (0_u32..).zip(figures) {
        let x = area.x + number * (width + GAP_PX);
        bars::draw(page, Area::new(x, area.y + SECTION_PX, width, bars::HEIGHT_PX), figure, models);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evaluate::gate::RetrievalQuality;

    #[test]
    fn a_figure_is_told_with_its_limit() {
        let sight =
            |apart, lost| RetrievalQuality { mean_reciprocal_rank: 0.9, separation: apart, reconstruction_error: lost };
        let comparison = Comparison { pictures: 36, before: sight(4.0, 0.3), after: sight(3.6, 0.31) };
        assert_eq!(title("inventory", &comparison), "36 inventory pictures, sought by changed views of them");
        let figures = figures(&Evidence::default(), &comparison);
        let told = |at: usize| figures[at].limit.map(figures[at].format);
        assert_eq!([told(0), told(1), told(2)].map(Option::unwrap_or_default), ["3.72", "0.850", "38.0 %"]);
        assert_eq!([lost(0.53), lost(3.622)], ["53.0 %", "all"]);
        assert_eq!(figures.map(|figure| figure.is_exceeded), [true, false, false]);
    }
}
