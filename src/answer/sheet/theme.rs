//! The colours of a sheet, for its light and its dark theme.

use crate::config::Theme;

/// Red, green, blue.
pub(super) type Rgb = [u8; 3];

/// Every colour of a sheet: one accent colour, otherwise text on background.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    /// The background.
    pub page: Rgb,
    /// Behind letterboxed pictures and notices.
    pub panel: Rgb,
    /// Hairlines.
    pub line: Rgb,
    /// Titles and names.
    pub ink: Rgb,
    /// Scores and details.
    pub soft_ink: Rgb,
    /// Footer and placeholders.
    pub quiet_ink: Rgb,
    /// The query's label, the score bars, the first rank.
    pub accent: Rgb,
    /// Text on the accent.
    pub on_accent: Rgb,
    /// The unfilled part of a score bar.
    pub track: Rgb,
    /// Rank badges after the first.
    pub badge: Rgb,
    /// Text on these badges.
    pub on_badge: Rgb,
    /// Marks a notice about something that went wrong.
    pub warning: Rgb,
    /// The two squares behind transparent pictures.
    pub checker: [Rgb; 2],
}

const LIGHT: Palette = Palette {
    page: [251, 250, 248],
    panel: [240, 238, 234],
    line: [226, 223, 217],
    ink: [26, 28, 31],
    soft_ink: [84, 88, 94],
    quiet_ink: [108, 112, 119],
    accent: [11, 116, 110],
    on_accent: [255, 255, 255],
    track: [226, 223, 217],
    badge: [255, 255, 255],
    on_badge: [26, 28, 31],
    warning: [176, 112, 16],
    checker: [[247, 246, 243], [233, 231, 226]],
};

const DARK: Palette = Palette {
    page: [21, 23, 26],
    panel: [32, 35, 39],
    line: [49, 53, 58],
    ink: [242, 242, 240],
    soft_ink: [181, 185, 190],
    quiet_ink: [141, 146, 152],
    accent: [86, 205, 194],
    on_accent: [10, 30, 28],
    track: [49, 53, 58],
    badge: [21, 23, 26],
    on_badge: [242, 242, 240],
    warning: [226, 178, 92],
    checker: [[46, 50, 55], [36, 39, 44]],
};

/// The colours of `theme`.
pub(super) fn palette(theme: Theme) -> &'static Palette {
    match theme {
        Theme::Light => &LIGHT,
        Theme::Dark => &DARK,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Relative luminance as WCAG 2.1 defines it, 0 to 1.
    fn luminance(colour: Rgb) -> f64 {
        let linear = colour.map(|value| {
            let value = f64::from(value) / 255.0;
            if value <= 0.04045 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        });
        0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    }

    fn contrast(one: Rgb, other: Rgb) -> f64 {
        let (one, other) = (luminance(one), luminance(other));
        (one.max(other) + 0.05) / (one.min(other) + 0.05)
    }

    #[test]
    fn all_text_has_enough_contrast() {
        for palette in [&LIGHT, &DARK] {
            for ink in [palette.ink, palette.soft_ink, palette.quiet_ink, palette.accent] {
                assert!(contrast(ink, palette.page) >= 4.5, "{ink:?} on the page: {}", contrast(ink, palette.page));
            }
            assert!(contrast(palette.soft_ink, palette.panel) >= 4.5);
            assert!(contrast(palette.on_accent, palette.accent) >= 4.5);
            assert!(contrast(palette.on_badge, palette.badge) >= 7.0);
            assert!(contrast(palette.warning, palette.page) >= 3.0);
        }
    }
}
