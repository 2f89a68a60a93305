//! The reasons why a file cannot be used as a picture, with messages and remedies for the person who put it there.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

/// The formats that are decoded, as a person names them.
fn read_formats() -> String {
    let avif = if cfg!(feature = "avif") { " AVIF," } else { "" };
    let heic = if cfg!(feature = "heic") { " HEIC," } else { "" };
    format!("JPEG,{heic}{avif} PNG, GIF, WebP, JPEG XL, JPEG 2000, TIFF, camera raw, BMP, TGA, QOI, PNM or ICO")
}

/// How a picture killed the process that decoded it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CrashCause {
    /// It crashed.
    Signal {
        /// The signal's number.
        number: i32,
    },
    /// It needed more memory than there was.
    Memory {
        /// The memory there was.
        megabytes: u64,
    },
    /// It did not end in time.
    Time {
        /// The limit in force.
        limit_ms: u64,
    },
}

/// Names of the signals of a crash.
const SIGNAL_NAMES: [(i32, &str); 7] = [
    (libc::SIGILL, "illegal instruction"),
    (libc::SIGTRAP, "trap"),
    (libc::SIGABRT, "aborted"),
    (libc::SIGBUS, "bus error"),
    (libc::SIGFPE, "arithmetic error"),
    (libc::SIGSEGV, "segmentation fault"),
    (libc::SIGSYS, "forbidden system call"),
];

/// Why a file is not used.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
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
    Unsupported(Cow<'static, str>),
    /// A variant of this format that is not read.
    UnsupportedVariant(Cow<'static, str>),
    /// The decoder reported this.
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
    /// Decoding it takes more memory than all workers may use together.
    NeedsMemory {
        /// What it takes.
        megabytes: u64,
        /// The limit in force.
        limit: u64,
    },
    /// A file of settings with more than so many bytes.
    SettingsTooLarge {
        /// The limit.
        limit_kilobytes: u64,
    },
    /// The part of it that is searched for lies outside.
    OutsideOfIt {
        /// Of the picture, upright.
        width: u32,
        /// Of the picture, upright.
        height: u32,
    },
    /// A network of the user's own made no features of it, for this reason.
    NoFeatures(String),
    /// It was decoded, but a smaller copy of it could not be made.
    NotShrunk,
    /// It killed the process that decoded it.
    SetAside(CrashCause),
    /// It may have killed a process; another thread will find out.
    AwaitsTrial,
    /// Its trial was ended by something else, which proves nothing.
    TrialInterrupted(String),
    /// The user who runs artificio may not read it.
    NoPermission,
    /// A link leads out of the folder in which the file was listed.
    LeadsOutside,
    /// It is no longer there.
    Gone,
    /// The operating system could not read it: the disk, the network, a limit. Nothing is wrong with the file.
    System(String),
}

impl Unusable {
    /// Whether the file may still be incomplete, so that it is worth reading again later.
    pub fn may_be_unfinished(&self) -> bool {
        matches!(
            self,
            Self::Empty
                | Self::CutOff
                | Self::Changing
                | Self::NoPermission
                | Self::Gone
                | Self::System(_)
                | Self::TrialInterrupted(_)
        )
    }

    /// Whether its content is in quarantine. That list decides, whatever else is stored about the file.
    pub fn is_set_aside(&self) -> bool {
        matches!(self, Self::SetAside(_))
    }

    /// What the person can do.
    pub fn remedy(&self) -> String {
        match self {
            Self::Empty | Self::CutOff | Self::ClaimsTooMuch { .. } => {
                "copy the picture again from its source".into()
            }
            Self::Damaged(_) => "copy the picture again from its source, or save it again as JPEG or PNG".into(),
            Self::Changing => "it is read when it stops changing".into(),
            Self::NotAPicture => format!("put a {} picture there, or remove the file", read_formats()),
            Self::Unsupported(_) | Self::UnsupportedVariant(_) => "save it as JPEG or PNG".into(),
            Self::FileTooLarge { .. } => "save it smaller, or raise max_file_megabytes in [limits]".into(),
            Self::TooManyPixels { .. } => "save it smaller, or raise max_megapixels in [limits]".into(),
            Self::NeedsMemory { .. } => "save it smaller, or raise max_memory_megabytes in [limits]".into(),
            Self::SettingsTooLarge { .. } => "leave only settings in it".into(),
            Self::OutsideOfIt { .. } => "give another `crop`: [x, y, width, height], in pixels or in shares up to 1".into(),
            Self::NoFeatures(_) => "save it again as JPEG or PNG, or choose another `network` in [model]".into(),
            Self::NotShrunk => "save it smaller, or let artificio have more memory".into(),
            Self::SetAside(CrashCause::Signal { .. }) => {
                "replace the picture, saved again as JPEG or PNG, or remove it; it is tried again when its content changes".into()
            }
            Self::SetAside(CrashCause::Memory { .. }) => {
                "save it smaller, or let artificio have more memory; it is tried again when its content changes or more memory is free at a start".into()
            }
            Self::SetAside(CrashCause::Time { .. }) => {
                "save it smaller, or again as JPEG or PNG, or raise max_decode_ms in [limits]".into()
            }
            Self::AwaitsTrial | Self::TrialInterrupted(_) => "there is nothing to do: it is tried again".into(),
            Self::NoPermission => "give the user who runs artificio permission to read it".into(),
            Self::LeadsOutside => "put the picture itself there instead of a link".into(),
            Self::Gone => "put it back".into(),
            Self::System(_) => "check that the disk is healthy and reachable".into(),
        }
    }
}

impl fmt::Display for Unusable {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => write!(out, "the file is empty"),
            Self::CutOff => write!(out, "the picture is cut off: its end is missing"),
            Self::Changing => write!(out, "the file keeps changing"),
            Self::NotAPicture => write!(out, "this is not a {} picture", read_formats()),
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
            Self::NeedsMemory { megabytes, limit } => {
                write!(out, "decoding this picture takes {megabytes} MB of memory, more than the {limit} MB allowed")
            }
            Self::SettingsTooLarge { limit_kilobytes } => {
                write!(out, "the file has more than the {limit_kilobytes} kB allowed for settings")
            }
            Self::OutsideOfIt { width, height } => {
                write!(
                    out,
                    "the part that is searched for lies outside the picture, which has {width} × {height} pixels"
                )
            }
            Self::NoFeatures(reason) => write!(out, "nothing can be searched for by it: {reason}"),
            Self::NotShrunk => {
                write!(out, "the picture could not be made smaller, most likely because memory is short")
            }
            Self::SetAside(cause) => write!(out, "{cause}; it is set aside"),
            Self::AwaitsTrial => write!(out, "the picture has yet to be decoded in a process of its own"),
            Self::TrialInterrupted(why) => {
                write!(out, "whether the picture can be decoded could not be found out: {why}")
            }
            Self::NoPermission => write!(out, "the file cannot be read: no permission"),
            Self::LeadsOutside => write!(out, "this is a link that leads out of the folder, which is not followed"),
            Self::Gone => write!(out, "the file cannot be read: it is gone"),
            Self::System(reason) => write!(out, "the file cannot be read: {reason}"),
        }
    }
}

impl fmt::Display for CrashCause {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Signal { number } => {
                let name =
                    SIGNAL_NAMES.iter().find(|(signal, _)| signal == number).map_or("a signal", |(_, name)| name);
                write!(out, "decoding this picture crashes the program that does it ({name}, signal {number})")
            }
            Self::Memory { megabytes } => {
                write!(out, "decoding this picture takes more memory than the {megabytes} MB that artificio could have")
            }
            Self::Time { limit_ms } => {
                write!(out, "decoding this picture took longer than the {limit_ms} ms allowed")
            }
        }
    }
}
