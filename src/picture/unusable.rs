//! Why a file cannot be used as a picture, in words for the person who put it there.

use std::fmt;

/// The formats that are decoded, as a person names them.
const READ_FORMATS: &str = "JPEG, PNG, GIF, WebP, BMP, TIFF, TGA or QOI";

/// Why a file is not used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// Nothing in it (yet).
    Empty,
    /// The end is missing: cut off, or still being written.
    CutOff,
    /// It changed while it was read.
    Changing,
    /// Not the beginning of any picture format.
    NotAPicture,
    /// A known format that is not read.
    Unsupported(&'static str),
    /// A variant of this format that is not read.
    UnsupportedVariant(&'static str),
    /// The decoder found this.
    Damaged(String),
    /// The file is larger than `max_file_megabytes`.
    FileTooLarge {
        /// Its size.
        megabytes: u64,
        /// The limit in force.
        limit: u64,
    },
    /// More pixels than its bytes can hold.
    ClaimsTooMuch {
        /// As the header says.
        width: u32,
        /// As the header says.
        height: u32,
    },
    /// More pixels than allowed.
    TooManyPixels {
        /// As the header says.
        width: u32,
        /// As the header says.
        height: u32,
        /// The limit in force.
        limit_megapixels: u64,
    },
    /// It was decoded, but a smaller copy of it could not be made.
    NotShrunk,
    /// The process ended while it alone was decoded.
    Deadly {
        /// How often the process ended over it.
        deaths: u32,
    },
    /// Its decoding was given up.
    TooSlow {
        /// The limit in force then.
        limit_ms: u64,
    },
    /// The user who runs artificio may not read it.
    NoPermission,
    /// It is no longer there.
    Gone,
    /// The operating system could not give it out: the disk, the network, a limit; nothing is wrong with the file.
    System(String),
}

impl Unusable {
    /// Whether the file may still be on its way, so that another look in a while is worth it.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(self, Self::Empty | Self::CutOff | Self::Changing | Self::NoPermission | Self::Gone | Self::System(_))
    }

    /// Whether its content is set aside: the list of those says so, whatever else is remembered of the file.
    pub fn is_set_aside(&self) -> bool {
        matches!(self, Self::Deadly { .. } | Self::TooSlow { .. })
    }

    /// What the person can do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty | Self::CutOff | Self::ClaimsTooMuch { .. } => {
                "copy the picture again from where it came".into()
            }
            Self::Damaged(_) => "copy the picture again from where it came, or save it anew as JPEG or PNG".into(),
            Self::Changing => "it is read when it stands still".into(),
            Self::NotAPicture => format!("put a {READ_FORMATS} picture there, or take the file away"),
            Self::Unsupported(_) | Self::UnsupportedVariant(_) => "save it as JPEG or PNG".into(),
            Self::FileTooLarge { .. } => "save it smaller, or raise max_file_megabytes in [limits]".into(),
            Self::TooManyPixels { .. } => "save it smaller, or raise max_megapixels in [limits]".into(),
            Self::NotShrunk => "save it smaller, or let artificio have more memory".into(),
            Self::Deadly { .. } => {
                "replace the picture, saved anew as JPEG or PNG, or remove it; it is tried again when its content changes"
                    .into()
            }
            Self::TooSlow { .. } => "save it smaller or anew as JPEG or PNG, or raise max_decode_ms in [limits]".into(),
            Self::NoPermission => "give the user who runs artificio permission to read it".into(),
            Self::Gone => "put it back".into(),
            Self::System(_) => "see whether the disk is healthy and reachable".into(),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the file is empty"),
            Self::CutOff => write!(out, "the picture is cut off: its end is missing"),
            Self::Changing => write!(out, "the file keeps changing"),
            Self::NotAPicture => write!(out, "this is not a {READ_FORMATS} picture"),
            Self::Unsupported(format) => write!(out, "{format} files are not supported"),
            Self::UnsupportedVariant(format) => write!(out, "this kind of {format} is not supported"),
            Self::ClaimsTooMuch { width, height } => {
                write!(out, "the picture claims {width} × {height} pixels, more than its bytes can hold")
            }
            Self::Damaged(reason) => write!(out, "the picture is damaged: {reason}"),
            Self::FileTooLarge { megabytes, limit } => {
                write!(out, "the file has {megabytes} MB, more than the {limit} MB allowed")
            }
            Self::TooManyPixels { width, height, limit_megapixels } => write!(
                out,
                "the picture has {width} × {height} pixels, more than the {limit_megapixels} megapixels allowed"
            ),
            Self::NotShrunk => {
                write!(out, "the picture could not be made smaller to be looked at, for want of memory most likely")
            }
            Self::Deadly { deaths } => {
                write!(out, "decoding this picture ended the whole program {deaths} times; it is set aside")
            }
            Self::TooSlow { limit_ms } => {
                write!(out, "decoding this picture took longer than the {limit_ms} ms allowed; it is set aside")
            }
            Self::NoPermission => write!(out, "the file cannot be read: no permission"),
            Self::Gone => write!(out, "the file cannot be read: it is gone"),
            Self::System(reason) => write!(out, "the file cannot be read: {reason}"),
        }
    }
}
