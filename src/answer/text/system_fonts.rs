//! Selects the few system fonts that add characters to those of the embedded font Inter.
//!
//! A machine may have thousands of faces, and shaping tries one after the other for every word that Inter lacks. So
//! only upright faces of about the regular weight are kept, and of these only those that add a new character; each with the bold
//! face of its family, if there is one.

use cosmic_text::{FontSystem, fontdb};

/// A set of characters.
#[derive(Clone)]
pub(super) struct Characters(Vec<u64>);

impl Characters {
    /// No characters.
    pub fn none() -> Self {
        Self(vec![0; 0x11_0000 / 64])
    }

    /// Whether it is in the set.
    pub fn has(&self, character: char) -> bool {
        let code = character as usize;
        self.0[code / 64] >> (code % 64) & 1 == 1
    }

    /// Adds a code point; returns whether it is new.
    fn add(&mut self, code: u32) -> bool {
        let (place, bit) = (code as usize / 64, 1 << (code % 64));
        let Some(word) = self.0.get_mut(place) else { return false };
        let new = *word & bit == 0;
        *word |= bit;
        new
    }

    /// Adds all characters of `font`; returns whether any is new.
    pub fn add_all_of(&mut self, font: &cosmic_text::Font) -> bool {
        let mut new = false;
        font.as_swash().charmap().enumerate(|code, glyph| new |= glyph != 0 && self.add(code));
        new
    }
}

/// The system's faces that add characters to `known`; adds these characters to it, and those there are in bold to `bold`.
pub(super) fn useful_faces(known: &mut Characters, bold: &mut Characters) -> Vec<fontdb::FaceInfo> {
    let mut database = fontdb::Database::new();
    database.load_system_fonts();
    let of_weight = |least: u16, most: u16| -> Vec<fontdb::FaceInfo> {
        let faces = database.faces().filter(|face| is_plain(face) && (least..=most).contains(&face.weight.0));
        faces.cloned().collect()
    };
    let (mut regular, bold_faces) = (of_weight(300, 500), of_weight(600, 800));
    regular.sort_by_cached_key(preference);
    let mut probe = FontSystem::new_with_locale_and_db("en-US".to_string(), database);
    let mut useful = Vec::new();
    for face in regular {
        let Some(font) = probe.get_font(face.id, face.weight) else { continue };
        if !known.add_all_of(&font) {
            continue;
        }
        let partner = bold_partner(&face, &bold_faces);
        if let Some(partner) = partner.and_then(|partner| probe.get_font(partner.id, partner.weight)) {
            bold.add_all_of(&partner);
        } else if is_coloured(&face) {
            bold.add_all_of(&font);
        }
        // Shaping takes only faces of the very weight that is asked for, and of these the first.
        useful.extend(partner.map(as_semi_bold));
        useful.push(as_semi_bold(&face));
        useful.push(face);
    }
    useful
}

fn bold_partner<'a>(face: &fontdb::FaceInfo, bold: &'a [fontdb::FaceInfo]) -> Option<&'a fontdb::FaceInfo> {
    let family = &face.families.first()?.0;
    let partners = bold.iter().filter(|other| other.families.first().is_some_and(|first| first.0 == *family));
    partners.min_by_key(|other| other.weight.0.abs_diff(fontdb::Weight::SEMIBOLD.0))
}

fn as_semi_bold(face: &fontdb::FaceInfo) -> fontdb::FaceInfo {
    fontdb::FaceInfo { weight: fontdb::Weight::SEMIBOLD, ..face.clone() }
}

fn is_plain(face: &fontdb::FaceInfo) -> bool {
    face.style == fontdb::Style::Normal && face.stretch == fontdb::Stretch::Normal
}

/// Whether its glyphs are pictures, which have no weight.
fn is_coloured(face: &fontdb::FaceInfo) -> bool {
    face.post_script_name.contains("Emoji")
}

/// Sort key: sans-serif fonts that match Inter come first, monospaced ones last, otherwise by name, so that the same
/// machine always draws the same sheet.
fn preference(face: &fontdb::FaceInfo) -> (usize, bool, u16, String) {
    const PREFERRED: [&str; 6] = ["NotoColorEmoji", "NotoSansCJKsc", "NotoSans", "DejaVuSans", "Liberation", "Free"];
    let name = face.post_script_name.replace('-', "");
    let place = PREFERRED.iter().position(|start| name.starts_with(start)).unwrap_or(PREFERRED.len());
    (place, face.monospaced, face.weight.0.abs_diff(400), name)
}
