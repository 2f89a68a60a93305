//! `query.toml` in a query set's folder: settings for this set alone.

use std::path::Path;

use serde::Deserialize;

use super::error::ConfigError;
use super::{Bounded, Config, Crop, DateBound, DateRange, InventoryFolders, Metric, SearchScope, SetMode, Share, read};

/// The file's name.
pub const SET_FILE_NAME: &str = "query.toml";
/// A longer file is not read. What people write there has a few lines; a broken line of three bytes takes two kilobytes of memory to
/// report, so that a file of this size takes up to 50 MB.
pub const LONGEST_SET_FILE_BYTES: u64 = 64 << 10;

/// What a set may set for itself; everything else is as in the configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetSettings {
    /// The part of its pictures that is searched for, not of its examples.
    pub crop: Option<Crop>,
    /// Matches on the sheet; also spelled `k`.
    #[serde(alias = "k")]
    pub results: Option<Bounded<1, 50>>,
    /// How two embeddings are compared.
    pub metric: Option<Metric>,
    /// How the set is ranked.
    pub set_mode: Option<SetMode>,
    /// Matches below this score are hidden.
    pub min_score: Option<Share>,
    /// Only pictures in these folders of the inventory are found.
    #[serde(default)]
    pub within: InventoryFolders,
    /// No pictures in these folders of the inventory are found.
    #[serde(default)]
    pub not_within: InventoryFolders,
    /// Only pictures taken then or later are found.
    pub after: Option<DateBound>,
    /// Only pictures taken earlier are found.
    pub before: Option<DateBound>,
}

impl SetSettings {
    /// The settings in `text`; `path` only serves the message.
    pub fn parse(path: &Path, text: &str) -> Result<Self, ConfigError> {
        read::read(path, text)
    }

    /// Which pictures the set may find.
    pub fn scope(&self) -> SearchScope {
        let taken = DateRange { after: self.after, before: self.before };
        SearchScope { within: self.within.clone(), not_within: self.not_within.clone(), taken }
    }

    /// `config` with these settings in force.
    pub fn over(&self, config: &Config) -> Config {
        let mut config = config.clone();
        config.answer.results = self.results.unwrap_or(config.answer.results);
        config.answer.min_score = self.min_score.unwrap_or(config.answer.min_score);
        config.similarity.metric = self.metric.unwrap_or(config.similarity.metric);
        config.similarity.set_mode = self.set_mode.unwrap_or(config.similarity.set_mode);
        config
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_changes_what_it_names_and_nothing_else() {
        let set =
            SetSettings::parse(Path::new("query.toml"), "k = 12\nset_mode = \"nearest\"\ncrop = [0, 10, 20.5, 40]\n")
                .unwrap();
        let config = set.over(&Config::default());
        assert_eq!((config.answer.results.get(), config.similarity.set_mode), (12, SetMode::Nearest));
        assert_eq!(config.similarity.metric, Metric::Cosine);
        assert_eq!(set.crop.unwrap().to_string(), "0,10,20.5,40");
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let message = |text| SetSettings::parse(Path::new("query.toml"), text).unwrap_err().to_string();
        let misspelt = message("min_scor = 0.5\n");
        assert!(misspelt.contains("query.toml:1:1") && misspelt.contains("did you mean `min_score`"), "{misspelt}");
        let large = message("results = 90\n");
        assert!(large.contains("out of range: from 1 to 50"), "{large}");
        let outside = message("crop = [1.0, 0, 0.5, 1]\n");
        assert!(outside.contains("lies outside") && outside.contains("query.toml:1:8"), "{outside}");
        let short = message("crop = [0, 0, 50]\n");
        assert!(short.contains("[x, y, width, height]"), "{short}");
        let twice = message("results = 5\nmetric = \"cosine\"\nk = 3\n");
        assert!(twice.starts_with("query.toml:3:1: `results` is set a second time, by another name"), "{twice}");
    }
}
