//! Selects the few system fonts that add characters to those of the embedded font Inter.
//!
//! A machine may have thousands of faces, and shaping tries one after the other for every word that Inter lacks. So
//! only upright faces of about the regular weight are kept, and of these only those that add a new character.

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

/// The system's faces that add characters to `known`; adds these characters to it.
pub(super) fn useful_faces(known: &mut Characters) -> Vec<fontdb::FaceInfo> {
    let mut database = fontdb::Database::new();
    database.load_system_fonts();
    let mut faces: Vec<fontdb::FaceInfo> = database.faces().filter(|face| is_plain(face)).cloned().collect();
    faces.sort_by_cached_key(preference);
    let mut probe = FontSystem::new_with_locale_and_db("en-US".to_string(), database);
    faces.retain(|face| probe.get_font(face.id, face.weight).is_some_and(|font| known.add_all_of(&font)));
    faces
}

fn is_plain(face: &fontdb::FaceInfo) -> bool {
    face.style == fontdb::Style::Normal
        && face.stretch == fontdb::Stretch::Normal
        && (300..=500).contains(&face.weight.0)
}

/// Sort key: sans-serif fonts that match Inter come first, monospaced ones last, otherwise by name, so that the same
/// machine always draws the same sheet.
fn preference(face: &fontdb::FaceInfo) -> (usize, bool, u16, String) {
    const PREFERRED: [&str; 6] = ["NotoColorEmoji", "NotoSansCJKsc", "NotoSans", "DejaVuSans", "Liberation", "Free"];
    let name = face.post_script_name.replace('-', "");
    let place = PREFERRED.iter().position(|start| name.starts_with(start)).unwrap_or(PREFERRED.len());
    (place, face.monospaced, face.weight.0.abs_diff(400), name)
}
