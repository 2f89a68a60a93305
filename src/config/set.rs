//! `query.toml` in a query set's folder: settings for this set alone.

use std::path::Path;

use serde::Deserialize;

use super::{Config, Metric, SetMode, Share, Within, report};

/// The file's name.
pub const SET_FILE_NAME: &str = "query.toml";

/// What a set may settle by itself; what is not there is as in the configuration.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SetSettings {
    /// Matches on the sheet; also spelled `k`.
    #[serde(alias = "k")]
    pub results: Option<Within<1, 50>>,
    /// How two codes are compared.
    pub metric: Option<Metric>,
    /// How the set is ranked.
    pub set_mode: Option<SetMode>,
    /// Matches closer than fewer than this share of inventory pairs are left out.
    pub min_score: Option<Share>,
}

impl SetSettings {
    /// The settings in `text`, or what is wrong with them, with line and column; `path` only serves the message.
    pub fn parse(path: &Path, text: &str) -> Result<Self, String> {
        toml::from_str(text).map_err(|error| report::describe(path, text, &error))
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
    fn a_set_settles_what_it_names_and_nothing_else() {
        let set = SetSettings::parse(Path::new("query.toml"), "k = 12\nset_mode = \"nearest\"\n").unwrap();
        let config = set.over(&Config::default());
        assert_eq!((config.answer.results.get(), config.similarity.set_mode), (12, SetMode::Nearest));
        assert_eq!(config.similarity.metric, Metric::Cosine);
    }

    #[test]
    fn a_mistake_is_shown_where_it_is() {
        let message = SetSettings::parse(Path::new("query.toml"), "min_scor = 0.5\n").unwrap_err();
        assert!(message.contains("query.toml:1:1") && message.contains("did you mean `min_score`"), "{message}");
        let message = SetSettings::parse(Path::new("query.toml"), "results = 90\n").unwrap_err();
        assert!(message.contains("out of range: from 1 to 50"), "{message}");
    }
}
