//! A network of the user's own: where its file lies, and the TOML file beside it, which says how pictures are put into it and what is
//! taken out.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::de::{Deserializer, Error};
use serde::{Deserialize, Serialize};

use super::cause::Cause;
use super::choices::Encoder;
use super::error::ConfigError;
use super::{Bounded, ModelSettings, Share, read};

/// The end of the name of the TOML file that describes a network, in place of its own.
const DESCRIPTION_EXTENSION: &str = "toml";

/// Where the description of the network in the file `network` lies.
pub fn description_of(network: &Path) -> PathBuf {
    network.with_extension(DESCRIPTION_EXTENSION)
}

/// The path of a network's file, relative or not, or nothing. What cannot be meant is refused.
pub fn file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<PathBuf, D::Error> {
    let name = String::deserialize(deserializer)?;
    let wrong = match name.as_str() {
        "" => None,
        name if name == "~" || name.starts_with("~/") => Some("`~` is not your home here: write the whole path"),
        name if name.contains('\0') => Some("no file has a NUL in its name"),
        name if !name.ends_with(".onnx") => Some("a network is a file that ends in .onnx"),
        _ => None,
    };
    wrong.map_or_else(|| Ok(name.into()), |wrong| Err(D::Error::custom(wrong)))
}

/// The convolutional encoder has a network of its own.
pub fn must_suit_the_encoder(path: &Path, text: &str, model: &ModelSettings) -> Result<(), ConfigError> {
    if !model.has_own_network() || model.encoder == Encoder::Pretrained {
        return Ok(());
    }
    let cause = Cause::Refused(
        "`network` takes the place of the pretrained network, and the convolutional encoder uses none; leave out one of the two".into(),
    );
    Err(match place_of(text) {
        Some(span) => ConfigError::at(path, text, vec![(span, cause)]),
        None => ConfigError::of_file(path, cause),
    })
}

/// Where the file names the network.
fn place_of(text: &str) -> Option<Range<usize>> {
    #[derive(Deserialize)]
    struct NamedNetwork {
        model: ModelWithNetwork,
    }
    #[derive(Deserialize)]
    struct ModelWithNetwork {
        network: toml::Spanned<String>,
    }
    toml::from_str::<NamedNetwork>(text).ok().map(|named| named.model.network.span())
}

/// What a network takes and gives: the file `NAME.toml` beside `NAME.onnx`.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NetworkDescription {
    version: Option<Bounded<1, 1>>,
    side: Option<Bounded<32, 1024>>,
    mean: Option<[Share; 3]>,
    deviation: Option<[Deviation; 3]>,
    /// In which order the numbers of a picture stand.
    pub layout: InputLayout,
    /// In which order the colours of a pixel stand.
    pub channels: ChannelOrder,
    /// The output that is taken; the first one, if there is no name.
    pub output: Option<String>,
    /// What becomes of an output that has several rows, or places.
    pub pooling: OutputPooling,
}

/// In which order the numbers of a picture stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InputLayout {
    /// A plane of each colour: `[1, 3, side, side]`, as PyTorch has it.
    #[default]
    Nchw,
    /// Pixel after pixel: `[1, side, side, 3]`, as TensorFlow has it.
    Nhwc,
}

/// In which order the colours of a pixel stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ChannelOrder {
    /// Red first.
    #[default]
    Rgb,
    /// Blue first, as OpenCV has it.
    Bgr,
}

/// What becomes of an output that is more than one row of numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OutputPooling {
    /// It is one row.
    #[default]
    None,
    /// The mean over tokens `[1, tokens, width]`, or over places `[1, width, height, width of the map]`.
    Mean,
    /// The first token of `[1, tokens, width]`, which stands for the whole picture in a vision transformer.
    First,
}

/// What a number is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Deviation(f32);

impl<'de> Deserialize<'de> for Deviation {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = f64::deserialize(deserializer)?;
        match (0.001..=1.0).contains(&value) {
            true => Ok(Self(value as f32)),
            false => {
                Err(D::Error::invalid_value(serde::de::Unexpected::Float(value), &"from 0.001 to 1, of bytes / 255"))
            }
        }
    }
}

impl NetworkDescription {
    /// Reads the `text` of the file at `path`, which only serves the message.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        let description: Self = read::read(path, text)?;
        let missing = [
            ("version = 1", description.version.is_none()),
            ("side = 224", description.side.is_none()),
            ("mean = [0.485, 0.456, 0.406]", description.mean.is_none()),
            ("deviation = [0.229, 0.224, 0.225]", description.deviation.is_none()),
        ];
        let missing: Vec<&str> = missing.into_iter().filter_map(|(key, lacks)| lacks.then_some(key)).collect();
        match missing.is_empty() {
            true => Ok(description),
            false => {
                let sentence = format!("it must also say, each as the network was trained: {}", missing.join(", "));
                Err(ConfigError::of_file(path, Cause::Refused(sentence)))
            }
        }
    }

    /// Side of the squares that it takes, in pixels.
    pub fn side(&self) -> usize {
        self.side.map_or(0, Bounded::count)
    }

    /// What each colour of a byte / 255, red first, is made: less the first, divided by the second.
    pub fn scaling(&self) -> [(f32, f32); 3] {
        let mean = self.mean.unwrap_or([Share::new(0.0); 3]);
        let deviation = self.deviation.unwrap_or([Deviation(1.0); 3]);
        [0, 1, 2].map(|at| (mean[at].get(), deviation[at].0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: &str = "version = 1\nside = 224\nmean = [0.5, 0, 0.25]\ndeviation = [0.5, 1, 0.25]\n";

    fn message(text: &str) -> String {
        NetworkDescription::parse(Path::new("n.toml"), text).unwrap_err().to_string()
    }

    #[test]
    fn a_description_says_what_the_network_takes() {
        let text = format!("{WHOLE}layout = \"nhwc\"\nchannels = \"bgr\"\noutput = \"pooled\"\npooling = \"mean\"\n");
        let found = NetworkDescription::parse(Path::new("n.toml"), &text).unwrap();
        assert_eq!((found.side(), found.scaling()), (224, [(0.5, 0.5), (0.0, 1.0), (0.25, 0.25)]));
        assert_eq!((found.layout, found.channels), (InputLayout::Nhwc, ChannelOrder::Bgr));
        assert_eq!((found.output.as_deref(), found.pooling), (Some("pooled"), OutputPooling::Mean));
        let least = NetworkDescription::parse(Path::new("n.toml"), WHOLE).unwrap();
        assert_eq!((least.layout, least.channels, least.output), (InputLayout::Nchw, ChannelOrder::Rgb, None));
    }

    #[test]
    fn what_is_wrong_with_a_description_is_said_with_its_place() {
        assert!(message("").contains("it must also say"), "{}", message(""));
        let missing = message(&WHOLE.replace("side = 224\n", ""));
        assert!(missing.contains("side = 224") && !missing.contains("mean"), "{missing}");
        for (from, to, said) in [
            ("224", "8", "n.toml:2:8: 8 is out of range: from 32 to 1024"),
            ("[0.5, 0, 0.25]", "[123.7, 116.3, 103.5]", "n.toml:3:"),
            ("[0.5, 1, 0.25]", "[0.5, 0, 0.25]", "0 is out of range: from 0.001 to 1"),
            ("version = 1", "version = 2", "n.toml:1:11: 2 is out of range"),
            ("side", "sides", "unknown key `sides`"),
            ("mean = [0.5, 0, 0.25]", "mean = [0.5]", "n.toml:3:"),
        ] {
            let found = message(&WHOLE.replace(from, to));
            assert!(found.contains(said), "{found}");
        }
    }

    #[test]
    fn a_network_and_the_convolutional_encoder_are_a_mistake_and_so_is_another_kind_of_file() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("artificio.toml");
        let source = super::super::Source { path: path.clone(), required: true };
        let load = |text: &str| {
            std::fs::write(&path, text).unwrap();
            super::super::load(&source, root.path())
        };
        let both = load("[model]\nencoder = \"convolutional\"\nnetwork = \"n.onnx\"\n").unwrap_err().to_string();
        assert!(both.contains(":3:11: `network` takes the place of") && both.ends_with('^'), "{both}");
        for (name, said) in [("n.pt", "ends in .onnx"), ("~/n.onnx", "not your home"), ("n\\u0000.onnx", "NUL")] {
            let found = load(&format!("[model]\nnetwork = \"{name}\"\n")).unwrap_err().to_string();
            assert!(found.contains(said), "{found}");
        }
        let config = load("[model]\nnetwork = \"nets/n.onnx\"\n").unwrap();
        assert_eq!(config.model.network, root.path().join("nets/n.onnx"));
        assert_eq!(description_of(&config.model.network), root.path().join("nets/n.toml"));
        assert_eq!(load("").unwrap().model.network, PathBuf::new());
    }
}
