//! Shapes and measures text for the sheet, with the embedded font Inter and the system's fonts for other scripts.

mod ellipsis;
mod fonts;
mod system_fonts;

use cosmic_text::{Attrs, Buffer, Color, Ellipsize, EllipsizeHeightLimit, Family, FeatureTag};
use cosmic_text::{FontFeatures, LayoutGlyph, Metrics, Shaping, SwashContent, SwashImage, Wrap};

use fonts::{FAMILY, Fonts, with_fonts};

/// The two font weights of a sheet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// 400: scores, details, the footer.
    Regular,
    /// 600: titles, labels, names.
    SemiBold,
}

impl Weight {
    fn number(self) -> cosmic_text::Weight {
        match self {
            Self::Regular => cosmic_text::Weight::NORMAL,
            Self::SemiBold => cosmic_text::Weight::SEMIBOLD,
        }
    }
}

/// Size and weight of a line of text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Setting {
    /// Font size (em) in pixels.
    pub size_px: f32,
    /// Regular or semi-bold.
    pub weight: Weight,
}

/// A shaped line, ready to be painted.
#[derive(Debug, Clone, Default)]
pub struct Line {
    glyphs: Vec<LayoutGlyph>,
    /// Advance width in pixels.
    pub width_px: f32,
}

/// A glyph's pixels and where they go.
pub struct GlyphImage<'a> {
    /// Left edge in pixels; may lie outside the sheet.
    pub left: i32,
    /// Top edge in pixels; may lie outside the sheet.
    pub top: i32,
    /// Coverage or, for emoji, colour.
    pub image: &'a SwashImage,
}

impl GlyphImage<'_> {
    /// Whether the pixels are RGBA (emoji) and not coverage.
    pub fn is_coloured(&self) -> bool {
        self.image.content == SwashContent::Color
    }
}

/// Shapes `text` as one line; line breaks in it become spaces.
pub fn line(text: &str, setting: Setting) -> Line {
    with_fonts(|fonts| {
        let text = fonts.showable(text);
        shape(fonts, &text, setting, None).pop().unwrap_or_default()
    })
}

/// Shapes `text` as one line of at most `width_px`; when it is longer, an ellipsis replaces its middle.
pub fn fitted(text: &str, setting: Setting, width_px: f32) -> Line {
    with_fonts(|fonts| {
        let text = fonts.showable(text);
        ellipsis::fit(fonts, &text, setting, width_px).1
    })
}

/// Shapes `text` as one line, or as two where it is longer than `width_px`; what is too long for two is shortened in its middle.
pub fn fitted_in_two(text: &str, setting: Setting, width_px: f32) -> Vec<Line> {
    with_fonts(|fonts| {
        let text = fonts.showable(text);
        ellipsis::fit_two(fonts, &text, setting, width_px)
    })
}

/// The text that [`fitted`] shows.
pub fn fitted_text(text: &str, setting: Setting, width_px: f32) -> String {
    with_fonts(|fonts| {
        let text = fonts.showable(text);
        ellipsis::fit(fonts, &text, setting, width_px).0
    })
}

/// Shapes `text` as a paragraph of lines of at most `width_px`; after `max_lines` it is cut with an ellipsis.
pub fn paragraph(text: &str, setting: Setting, width_px: f32, max_lines: usize) -> Vec<Line> {
    with_fonts(|fonts| {
        let text = fonts.showable(text);
        shape(fonts, &text, setting, Some((width_px, max_lines)))
    })
}

/// Whether every character of `text` has a glyph, in Inter or in a font of the system.
pub fn is_showable(text: &str) -> bool {
    with_fonts(|fonts| fonts.showable(text) == text)
}

/// Calls `paint` for every glyph of `line`, which starts at `x_px` and has its baseline at `baseline_px`.
pub fn for_each_glyph(line: &Line, x_px: f32, baseline_px: f32, mut paint: impl FnMut(GlyphImage<'_>)) {
    with_fonts(|fonts| {
        fonts.keep_cache_small();
        for glyph in &line.glyphs {
            let place = glyph.physical((x_px, baseline_px), 1.0);
            if let Some(image) = fonts.image(place.cache_key) {
                let left = place.x + image.placement.left;
                paint(GlyphImage { left, top: place.y - image.placement.top, image });
            }
        }
    });
}

/// Shapes within `limits` (width in pixels, number of lines), or as one line of any length.
fn shape(fonts: &mut Fonts, text: &str, setting: Setting, limits: Option<(f32, usize)>) -> Vec<Line> {
    let size = setting.size_px.max(1.0);
    let mut buffer = Buffer::new_empty(Metrics::new(size, size * 1.4));
    let attrs = attrs(fonts, text, setting);
    match limits {
        None => buffer.set_wrap(Wrap::None),
        Some((width_px, max_lines)) => {
            buffer.set_wrap(Wrap::WordOrGlyph);
            buffer.set_ellipsize(Ellipsize::End(EllipsizeHeightLimit::Lines(max_lines)));
            buffer.set_size(Some(width_px), None);
        }
    }
    let one_line = text.replace(['\n', '\r'], " ");
    buffer.set_text(if limits.is_none() { &one_line } else { text }, &attrs, Shaping::Advanced, None);
    buffer.shape_until_scroll(&mut fonts.system, false);
    let runs = buffer.layout_runs();
    runs.map(|run| Line { glyphs: from_left(run.glyphs), width_px: run.line_w }).collect()
}

/// Moves the glyphs to start at zero: right-to-left runs are laid out from the right edge.
fn from_left(glyphs: &[LayoutGlyph]) -> Vec<LayoutGlyph> {
    let left = glyphs.iter().map(|glyph| glyph.x).fold(f32::INFINITY, f32::min);
    let shifted = glyphs.iter().cloned().map(|mut glyph| {
        glyph.x -= left;
        glyph
    });
    shifted.collect()
}

/// Kerning stays on. Contextual alternates are off: Inter turns the x of `2x3.png` into a multiplication sign and `->`
/// into an arrow, but a file name must be shown as it is. Large text gets slightly tighter letter spacing.
///
/// A text with characters of which there is no bold form uses the regular weight throughout: two weights in one name look like a
/// mistake.
fn attrs(fonts: &Fonts, text: &str, setting: Setting) -> Attrs<'static> {
    let weight = if fonts.are_in_bold(text) { setting.weight } else { Weight::Regular };
    let mut features = FontFeatures::new();
    features.disable(FeatureTag::CONTEXTUAL_ALTERNATES);
    let tracking = if setting.size_px >= 24.0 { -0.014 } else { 0.0 };
    let attrs = Attrs::new().family(Family::Name(FAMILY)).weight(weight.number());
    attrs.font_features(features).letter_spacing(tracking).color(Color::rgb(0, 0, 0))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SETTING: Setting = Setting { size_px: 16.0, weight: Weight::SemiBold };

    #[test]
    fn a_longer_text_is_wider_and_kerning_is_on() {
        assert!(line("burger.jpg", SETTING).width_px > line("burger", SETTING).width_px);
        let apart = line("A", SETTING).width_px + line("V", SETTING).width_px;
        assert!(line("AV", SETTING).width_px < apart - 0.2);
    }

    #[test]
    fn a_file_name_keeps_its_letters() {
        // With contextual alternates the x would become another glyph, of another width.
        let parts = line("2", SETTING).width_px + line("x", SETTING).width_px + line("3", SETTING).width_px;
        assert!((line("2x3", SETTING).width_px - parts).abs() < 0.6);
    }

    #[test]
    fn a_paragraph_stays_within_its_width_and_number_of_lines() {
        let text = "The picture could not be read, because it ends in the middle. ".repeat(20);
        let lines = paragraph(&text, SETTING, 300.0, 4);
        assert_eq!(lines.len(), 4);
        assert!(lines.iter().all(|line| line.width_px <= 300.5 && line.width_px > 100.0));
    }

    #[test]
    fn a_character_that_no_font_has_shows_as_a_box() {
        assert_eq!(fitted_text("a\u{10fffe}.jpg", SETTING, 300.0), "a□.jpg");
        let latin_greek_cyrillic = "Ångström œuvre ωμέγα ёжик 2,5 € – “x” ↵ ⇥ □ ≠ · …";
        assert_eq!(fitted_text(latin_greek_cyrillic, SETTING, 3000.0), latin_greek_cyrillic);
        assert!(with_fonts(|fonts| latin_greek_cyrillic.chars().all(|character| fonts.in_inter(character))));
    }

    #[test]
    fn hostile_text_shapes() {
        let endless = "e\u{301}".repeat(5_000);
        for text in
            ["", "\u{200d}", "\u{202e}gpj.exe", "a\0b", "🍔👩‍👩‍👧‍👦", "שלום.jpg", "مرحبا", "汉字", "\u{10ffff}", &endless]
        {
            assert!(line(text, SETTING).width_px.is_finite());
            assert!(fitted(text, SETTING, 40.0).width_px <= 40.5);
            let _ = paragraph(text, SETTING, 100.0, 3);
        }
    }
}
