//! Checks the network that the settings name, by trying it.

use super::Findings;
use crate::config::ModelSettings;
use crate::network::NetworkFile;

pub(super) fn look(settings: &ModelSettings, found: &mut Findings) {
    if !settings.has_own_network() {
        return;
    }
    let tried = NetworkFile::read(&settings.network).and_then(NetworkFile::load);
    found.problems.extend(tried.err());
}
