//! PNG. Colour profiles and texts are removed before it is decoded: decoders decompress these chunks, up to 256 MB, without
//! regard to their limits. The profile is decompressed here, within bounds.

use std::borrow::Cow;
use std::io::Read;

use flate2::read::ZlibDecoder;
use image::ImageFormat;

use super::{Bounds, Format, Opened, library};
use crate::picture::Unusable;
use crate::picture::colour::{Colours, LARGEST_PROFILE_BYTES, to_srgb};

/// PNG: of a moving one the still picture.
pub const PNG: Format = Format { name: "PNG", open };

fn open<'a>(bytes: &'a [u8], _: &Bounds) -> Result<Opened<'a>, Unusable> {
    let Opened { header, decode } = library::open(without_profiles(bytes), ImageFormat::Png, "PNG", |_| 0)?;
    let decode = Box::new(move |resolution| {
        let picture = decode(resolution)?;
        Ok(match profile(bytes) {
            Some(profile) => to_srgb(picture, &Colours::Profile(profile)),
            None => picture,
        })
    });
    Ok(Opened { header, decode })
}

/// The colour profile, unless it is larger than any is.
fn profile(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut rest = bytes.strip_prefix(SIGNATURE)?;
    loop {
        let (chunk, after) = split_chunk(rest)?;
        match &chunk[4..8] {
            b"iCCP" => {
                let data = &chunk[8..chunk.len() - 4];
                // A name that ends with zero, and the kind of compression, of which there is one.
                let start = data.iter().position(|byte| *byte == 0)? + 2;
                let mut profile = Vec::new();
                let most = LARGEST_PROFILE_BYTES as u64 + 1;
                ZlibDecoder::new(data.get(start..)?).take(most).read_to_end(&mut profile).ok()?;
                return Some(profile);
            }
            // It stands before the pixels.
            b"IDAT" => return None,
            _ => rest = after,
        }
    }
}

/// The first bytes of a file.
pub const SIGNATURE: &[u8] = b"\x89PNG\r\n\x1a\n";
/// Chunks that can decompress to any size and do not change a pixel.
const DROPPED: [&[u8; 4]; 4] = [b"iCCP", b"zTXt", b"iTXt", b"tEXt"];

/// The EXIF data, where it stands before the pixels.
pub fn exif(bytes: &[u8]) -> Option<&[u8]> {
    let mut rest = bytes.strip_prefix(SIGNATURE)?;
    loop {
        let (chunk, after) = split_chunk(rest)?;
        match &chunk[4..8] {
            b"eXIf" => return Some(&chunk[8..chunk.len() - 4]),
            b"IDAT" => return None,
            _ => rest = after,
        }
    }
}

/// Width and height.
pub fn size(bytes: &[u8]) -> Option<(u32, u32)> {
    let (header, _) = split_chunk(bytes.strip_prefix(SIGNATURE)?)?;
    let number = |at: usize| Some(u32::from_be_bytes(*header.get(at..)?.first_chunk()?));
    Some((number(8)?, number(12)?))
}

/// `bytes` without profile and text chunks; unchanged when there are none or `bytes` is no PNG.
fn without_profiles(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Some(body) = bytes.strip_prefix(SIGNATURE) else { return Cow::Borrowed(bytes) };
    let (mut kept, mut rest, mut dropped) = (SIGNATURE.to_vec(), body, false);
    while let Some((chunk, after)) = split_chunk(rest) {
        rest = after;
        if DROPPED.iter().any(|kind| &chunk[4..8] == *kind) {
            dropped = true;
        } else {
            kept.extend_from_slice(chunk);
        }
    }
    if !dropped {
        return Cow::Borrowed(bytes);
    }
    kept.extend_from_slice(rest);
    Cow::Owned(kept)
}

/// The first whole chunk (length, kind, data, checksum) and what follows it.
fn split_chunk(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = u32::from_be_bytes(bytes.get(..4)?.try_into().ok()?);
    let end = usize::try_from(length).ok()?.checked_add(12)?;
    bytes.split_at_checked(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(kind: &[u8; 4], data: &[u8]) -> Vec<u8> {
        [&(data.len() as u32).to_be_bytes()[..], kind, data, &[0; 4]].concat()
    }

    #[test]
    fn profiles_and_text_go_and_the_rest_stays_in_order() {
        let header = chunk(b"IHDR", &[1; 13]);
        let data = chunk(b"IDAT", &[2; 5]);
        let all = [SIGNATURE, &header, &chunk(b"iCCP", &[9; 99]), &data, &chunk(b"zTXt", b"x"), b"tail"].concat();
        assert_eq!(without_profiles(&all), [SIGNATURE, &header, &data, b"tail"].concat());
        let plain = [SIGNATURE, &header, &data].concat();
        assert!(matches!(without_profiles(&plain), Cow::Borrowed(_)));
        assert!(matches!(without_profiles(b"GIF89a"), Cow::Borrowed(_)));
    }
}
