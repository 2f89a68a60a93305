//! The fonts for text on sheets, loaded once per process; the system's fonts are added when a text first needs them.

use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use cosmic_text::{CacheKey, FontSystem, SwashCache, SwashImage, fontdb};

use super::system_fonts::{Characters, useful_faces};

/// Inter is registered under a private name. An Inter installed on the system, perhaps of another version, must not
/// change how a sheet looks.
pub(super) const FAMILY: &str = "artificio sheet";

const REGULAR: &[u8] = include_bytes!("../../../assets/fonts/Inter-Regular.otf");
const SEMI_BOLD: &[u8] = include_bytes!("../../../assets/fonts/Inter-SemiBold.otf");

/// Limit of the glyph cache. Names in large scripts would otherwise let the cache of a long-lived daemon grow forever.
const MAX_CACHED_GLYPHS: usize = 4096;

/// Shown for a character that no font has.
const NO_GLYPH: char = '□';

/// Fonts, shaping state and glyph images.
pub(super) struct Fonts {
    /// cosmic-text's own.
    pub system: FontSystem,
    images: SwashCache,
    inter: Characters,
    /// Characters that there are in semi-bold or bold as well.
    bold: Characters,
    /// Characters of Inter and of the system's fonts; `None` until the system's fonts are needed.
    all: Option<Characters>,
}

/// Runs `work` with the fonts of the process; one caller at a time.
pub(super) fn with_fonts<Answer>(work: impl FnOnce(&mut Fonts) -> Answer) -> Answer {
    static FONTS: OnceLock<Mutex<Fonts>> = OnceLock::new();
    let fonts = FONTS.get_or_init(|| Mutex::new(Fonts::new()));
    // A panic while shaping leaves only caches behind, which are consistent or rebuilt: a poisoned lock is safe to use.
    work(&mut fonts.lock().unwrap_or_else(PoisonError::into_inner))
}

impl Fonts {
    fn new() -> Self {
        let mut database = fontdb::Database::new();
        let regular = load(&mut database, REGULAR);
        load(&mut database, SEMI_BOLD);
        let mut system = FontSystem::new_with_locale_and_db("en-US".to_string(), database);
        let mut inter = Characters::none();
        if let Some(font) = regular.and_then(|id| system.get_font(id, fontdb::Weight::NORMAL)) {
            inter.add_all_of(&font);
        }
        let bold = inter.clone();
        Self { system, images: SwashCache::new(), inter, bold, all: None }
    }

    /// Whether every character of `text` can be shown in semi-bold or bold.
    pub(super) fn are_in_bold(&self, text: &str) -> bool {
        text.chars().all(|character| character.is_control() || is_unseen(character) || self.bold.has(character))
    }

    /// Whether Inter has a glyph for `character`.
    pub(super) fn in_inter(&self, character: char) -> bool {
        self.inter.has(character)
    }

    /// `text` with a box for every character that no font has: otherwise shaping would try all fonts for it every time.
    /// Reads the system's fonts, once, if Inter alone is not enough.
    pub(super) fn showable(&mut self, text: &str) -> String {
        if text.chars().all(|character| character.is_control() || self.in_inter(character)) {
            return text.to_string();
        }
        let all = self.all.get_or_insert_with(|| {
            let mut all = self.inter.clone();
            for face in useful_faces(&mut all, &mut self.bold) {
                self.system.db_mut().push_face_info(face);
            }
            all
        });
        let shown = |character: char| character.is_control() || is_unseen(character) || all.has(character);
        text.chars().map(|character| if shown(character) { character } else { NO_GLYPH }).collect()
    }

    /// The pixels of a glyph; none for spaces.
    pub(super) fn image(&mut self, key: CacheKey) -> Option<&SwashImage> {
        self.images.get_image(&mut self.system, key).as_ref()
    }

    /// Clears the glyph cache when it is too large.
    pub(super) fn keep_cache_small(&mut self) {
        if self.images.image_cache.len() > MAX_CACHED_GLYPHS {
            self.images.image_cache.clear();
        }
    }
}

/// Registers an embedded font under [`FAMILY`].
fn load(database: &mut fontdb::Database, bytes: &'static [u8]) -> Option<fontdb::ID> {
    let id = database.load_font_source(fontdb::Source::Binary(Arc::new(bytes))).first().copied()?;
    let mut face = database.face(id)?.clone();
    face.families = vec![(FAMILY.to_string(), fontdb::Language::English_UnitedStates)];
    database.remove_face(id);
    Some(database.push_face_info(face))
}

/// Joiners and variation selectors, which change the characters next to them and need no glyph of their own.
fn is_unseen(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200d}' | '\u{2060}' | '\u{fe00}'..='\u{fe0f}' | '\u{e0100}'..='\u{e01ef}')
}
