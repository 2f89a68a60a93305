//! Smaller copies of pictures whose decoding takes long (HEIC, AVIF, JPEG XL), for sheets and the page: each costs a second once, and not
//! again for every answer that shows it.
//!
//! A file for each content in the state folder, in one of 256 folders by its hash. All can be made again: a copy that is damaged, or cannot
//! be read or written, counts as missing, and deleting the folder loses time, nothing else.

use std::fs::{self, DirEntry};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use image::codecs::jpeg::JpegEncoder;
use image::{DynamicImage, RgbaImage};

use crate::config::Config;
use crate::error::Trouble;
use crate::files::{make_readable_folder, read_own, remove_own, replace_quick};
use crate::picture::{self, Bounds, Hash};

/// The folder's name in the state folder.
const FOLDER: &str = "thumbnails";
/// Pixels that a slow decoder needs a tenth of a second for.
const LEAST_PIXELS: u64 = 1_000_000;
/// Pixels along the longer side of a copy.
pub const THUMBNAIL_PX: u32 = 512;
/// A copy is enlarged by this factor at most: on a sheet of five matches only the first is, and by less.
const MOST_ENLARGED: f64 = 1.4;
/// Quality of the JPEG file, of 100.
const QUALITY: u8 = 80;
/// No copy is larger than this.
const MOST_BYTES: u64 = 1 << 20;
/// Part of every checksum: copies that another version made otherwise count as damaged, and are made again.
const VERSION: &[u8] = b"artificio thumbnail 1";
/// Bytes of the checksum in front of the JPEG file.
const CHECKSUM: usize = 16;
/// Folders, by the first byte of the hash: each may take an equal share of the whole.
const FOLDERS: u64 = 256;

/// The copies that are kept.
#[derive(Debug, Clone)]
pub struct ThumbnailStore {
    folder: PathBuf,
    /// In all; 0: none are kept.
    most_bytes: u64,
}

impl ThumbnailStore {
    /// As the settings say.
    pub fn of(config: &Config) -> Self {
        let most_bytes = config.limits.thumbnail_megabytes.get() << 20;
        Self { folder: config.folders.state.join(FOLDER), most_bytes }
    }

    /// Makes the folder, at the start: later it may be missing because the disk is away.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn prepare(&self) -> Result<(), Trouble> {
        if self.most_bytes == 0 { Ok(()) } else { make_readable_folder(&self.folder) }
    }

    /// Whether a copy of `contents`, as read from the file at `path`, is to be kept, if the picture is [large](Self::is_large) enough.
    pub fn wants(&self, contents: &[u8], path: &Path) -> bool {
        self.most_bytes > 0 && picture::is_of_slow_format(contents, path)
    }

    /// Whether decoding so many pixels takes a noticeable time.
    pub fn is_large([width, height]: [u32; 2]) -> bool {
        u64::from(width) * u64::from(height) >= LEAST_PIXELS
    }

    /// Whether there is a copy of this content.
    pub fn has(&self, content: Hash) -> bool {
        self.path(content).is_file()
    }

    /// The copy of this content, if it is large enough to be shown `side` pixels large: a JPEG file.
    pub fn jpeg(&self, content: Hash, side: u32) -> Option<Vec<u8>> {
        if f64::from(side) > f64::from(THUMBNAIL_PX) * MOST_ENLARGED {
            return None;
        }
        let mut file = read_own(&self.path(content), MOST_BYTES).ok()?;
        let jpeg = file.get(CHECKSUM..)?;
        if file[..CHECKSUM] != checksum(content, jpeg) {
            return None;
        }
        file.drain(..CHECKSUM);
        Some(file)
    }

    /// The same, decoded.
    pub fn picture(&self, content: Hash, side: u32, bounds: &Bounds) -> Option<RgbaImage> {
        let jpeg = self.jpeg(content, side)?;
        picture::decode(&jpeg, Path::new("thumbnail.jpg"), bounds).ok().map(DynamicImage::into_rgba8)
    }

    /// Keeps a copy of a picture, which is given with [`THUMBNAIL_PX`] pixels at least along its longer side. Those that were kept longest make room.
    /// Nothing is kept of a picture with transparent parts, nor where it cannot be written.
    pub fn keep(&self, content: Hash, picture: &RgbaImage) {
        let Some(jpeg) = encoded(picture).filter(|_| self.most_bytes > 0) else { return };
        let (path, bytes) = (self.path(content), [&checksum(content, &jpeg)[..], &jpeg].concat());
        let Some(folder) = path.parent().filter(|_| self.folder.is_dir()) else { return };
        let kept = make_readable_folder(folder)
            .and_then(|()| make_room(folder, (self.most_bytes / FOLDERS).saturating_sub(bytes.len() as u64)))
            .and_then(|()| replace_quick(&path, &bytes, "keep a smaller copy"));
        if let Err(trouble) = kept {
            log::debug!("{trouble}");
        }
    }

    /// Removes the copy of a content that is not known any more.
    pub fn forget(&self, content: Hash) {
        // Most contents have none.
        let _ = remove_own(&self.path(content));
    }

    fn path(&self, content: Hash) -> PathBuf {
        let name = content.to_hex();
        let (folder, name) = name.split_at(2);
        self.folder.join(folder).join(name)
    }
}

/// Of the content as well, so that no file under another's name is taken for it.
fn checksum(content: Hash, jpeg: &[u8]) -> [u8; CHECKSUM] {
    let hash = Hash::of(&[VERSION, &content.0, jpeg].concat());
    std::array::from_fn(|at| hash.0[at])
}

fn encoded(picture: &RgbaImage) -> Option<Vec<u8>> {
    if picture.pixels().any(|pixel| pixel.0[3] < 255) {
        return None;
    }
    let copy = picture::shrink(&DynamicImage::ImageRgba8(picture.clone()), THUMBNAIL_PX)?;
    let mut jpeg = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut jpeg, QUALITY);
    DynamicImage::ImageRgba8(copy).into_rgb8().write_with_encoder(encoder).ok()?;
    Some(jpeg)
}

/// Removes the oldest files of a folder until `most_bytes` are left of them. A folder holds a few hundred at most.
fn make_room(folder: &Path, most_bytes: u64) -> Result<(), Trouble> {
    let entries = fs::read_dir(folder).map_err(|error| Trouble::system("list", folder, &error))?;
    let found = |entry: DirEntry| {
        let metadata = entry.metadata().ok().filter(fs::Metadata::is_file)?;
        Some((metadata.modified().unwrap_or(SystemTime::UNIX_EPOCH), metadata.len(), entry.path()))
    };
    let mut files: Vec<_> = entries.flatten().filter_map(found).collect();
    files.sort_unstable();
    let mut bytes: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
    for (_, size, path) in files {
        if bytes <= most_bytes {
            break;
        }
        remove_own(&path)?;
        bytes -= size;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use image::Rgba;

    use super::*;

    fn store(most_bytes: u64) -> (tempfile::TempDir, ThumbnailStore) {
        let state = tempfile::tempdir().unwrap();
        let store = ThumbnailStore { folder: state.path().join(FOLDER), most_bytes };
        store.prepare().unwrap();
        (state, store)
    }

    fn photograph() -> RgbaImage {
        RgbaImage::from_fn(600, 800, |x, y| Rgba([(x / 3) as u8, (y / 4) as u8, 90, 255]))
    }

    #[test]
    fn a_copy_comes_back_as_large_as_it_was_made_and_no_larger() {
        let (_state, store) = store(1 << 30);
        let (content, bounds) = (Hash::of(b"picture"), Bounds::from(&Config::default().limits));
        assert!(!store.has(content) && store.jpeg(content, 100).is_none());
        store.keep(content, &photograph());
        let copy = store.picture(content, 700, &bounds).unwrap();
        assert_eq!(copy.dimensions(), (384, 512));
        let ([red, green, ..], [of_red, of_green, ..]) =
            (copy.get_pixel(200, 300).0, photograph().get_pixel(313, 469).0);
        assert!(red.abs_diff(of_red) < 6 && green.abs_diff(of_green) < 6);
        assert!(store.jpeg(content, 800).is_none(), "too small for that");
        store.forget(content);
        assert!(!store.has(content));
    }

    #[test]
    fn what_was_changed_or_is_of_another_content_counts_as_missing() {
        let (_state, store) = store(1 << 30);
        let [one, other] = [b"one", b"two"].map(|content| Hash::of(content));
        store.keep(one, &photograph());
        let whole = fs::read(store.path(one)).unwrap();
        make_readable_folder(store.path(other).parent().unwrap()).unwrap();
        fs::write(store.path(other), &whole).unwrap();
        assert!(store.jpeg(one, 100).is_some() && store.jpeg(other, 100).is_none());
        for at in [0, CHECKSUM, whole.len() / 2, whole.len() - 1] {
            let mut damaged = whole.clone();
            damaged[at] ^= 4;
            fs::write(store.path(one), &damaged).unwrap();
            assert!(store.jpeg(one, 100).is_none(), "byte {at}");
        }
        for cut in [0, 5, CHECKSUM, whole.len() - 1] {
            fs::write(store.path(one), &whole[..cut]).unwrap();
            assert!(store.jpeg(one, 100).is_none(), "{cut} bytes");
        }
    }

    #[test]
    fn the_oldest_of_a_folder_make_room() {
        let bytes = encoded(&photograph()).unwrap().len() as u64 + CHECKSUM as u64;
        let (_state, store) = store(FOLDERS * (2 * bytes + 1));
        let of = |last: u8| Hash(std::array::from_fn(|at| if at == 31 { last } else { 7 }));
        for number in 0..4_u8 {
            store.keep(of(number), &photograph());
            let written = SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(1_000 + u64::from(number));
            fs::File::options().write(true).open(store.path(of(number))).unwrap().set_modified(written).unwrap();
        }
        assert_eq!([0, 1, 2, 3].map(|number| store.has(of(number))), [false, false, true, true]);
        assert!(!store.has(Hash([8; 32])), "others are in folders of their own");
    }

    #[test]
    fn nothing_is_kept_of_transparent_pictures_nor_where_there_is_no_folder() {
        let (state, store) = store(1 << 30);
        let mut glass = photograph();
        glass.get_pixel_mut(3, 3).0[3] = 254;
        store.keep(Hash::of(b"glass"), &glass);
        assert!(!store.has(Hash::of(b"glass")));
        fs::remove_dir_all(state.path().join(FOLDER)).unwrap();
        store.keep(Hash::of(b"picture"), &photograph());
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0, "the disk may be away");
        let none = ThumbnailStore { most_bytes: 0, ..store };
        none.prepare().unwrap();
        none.keep(Hash::of(b"picture"), &photograph());
        assert_eq!(fs::read_dir(state.path()).unwrap().count(), 0);
    }
}
