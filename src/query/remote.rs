//! Pictures of other nodes: what a node tells of them, and what their files tell where they can be opened.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::encoded::{EncodedPicture, KeptPicture};
use super::{Query, WorkerContext};
use crate::answer::EnginePart;
use crate::base::rows::Rows;
use crate::config::SearchScope;
use crate::files::FileAt;
use crate::index::{RemotePicture, RemoteRow, SHORTLIST, SearchMode, members};
use crate::isolation::Outputs;
use crate::nodes::OthersFound;
use crate::picture::{self, Bounds, Hash, Miniature};
use crate::serving::View;

/// More are asked for than are ranked: those that count for several pictures of a query are asked for once.
const MARGIN: usize = 50;

/// What other nodes have that is near to a query, as far as it was asked for.
pub struct Others<'a> {
    context: &'a WorkerContext,
    view: &'a View,
    members: Rows,
    scope: &'a SearchScope,
    found: Vec<RemoteRow>,
    asked: usize,
    engine: Option<EnginePart>,
}

impl<'a> Others<'a> {
    /// Nothing is asked for yet. `embeddings` are what is searched for.
    pub fn of(
        context: &'a WorkerContext,
        view: &'a View,
        embeddings: &Rows,
        mode: SearchMode,
        scope: &'a SearchScope,
    ) -> Self {
        let mut rows = Rows::empty(embeddings.width());
        members(embeddings, mode).iter().for_each(|member| _ = rows.push(member));
        Self { context, view, members: rows, scope, found: Vec::new(), asked: 0, engine: None }
    }

    /// All that may be among the first `count` of a query; none where this node is alone.
    pub fn among(&mut self, count: usize) -> &[RemoteRow] {
        let Some(nodes) = &self.context.nodes else { return &[] };
        let wanted = count.max(SHORTLIST) + MARGIN;
        // Fewer than were asked for: there are no more.
        let is_all = self.asked > 0 && self.found.len() < self.asked;
        if !self.members.is_empty() && wanted > self.asked && !is_all {
            let OthersFound { rows, engine } = nodes.near(self.view.model.id(), &self.members, self.scope, wanted);
            (self.found, self.asked, self.engine) = (rows, wanted, Some(engine));
        }
        &self.found
    }

    /// What was asked, for the record.
    pub fn into_engine(self) -> Option<EnginePart> {
        self.engine
    }
}

/// Where the picture of a node lies: in the inventory, or in that of another node; `None` where that is not mounted.
pub fn root_of(query: &Query, node: Option<&str>) -> Option<PathBuf> {
    match node {
        None => Some(query.config.folders.inventory.to_path_buf()),
        Some(node) => query.config.node.inventory_of(node),
    }
}

/// A picture of another node as its file is, if it can be opened and is still the one that was found. Kept, because a sheet or another
/// query may show it again.
pub fn open(
    picture: &RemotePicture,
    path: &Path,
    query: &Query,
    context: &WorkerContext,
) -> Option<Arc<EncodedPicture>> {
    let content = Hash(picture.content);
    let extractor = context.serving.extractor();
    let kind = extractor.kind();
    if let Some(kept) = context.set_pictures.get(content).filter(|kept| kept.encoded.kind == kind) {
        return Some(kept.encoded);
    }
    // The same picture may lie here as well.
    let features = context.catalog.features(content, &kind.version).ok().flatten();
    let miniature = context.catalog.miniature(content).ok().flatten();
    if let (Some(features), Some(miniature)) = (features, miniature) {
        return Some(Arc::new(EncodedPicture { content, features, kind, miniature }));
    }
    let root = root_of(query, Some(&picture.node))?;
    let (place, bounds) = (FileAt::below(&root, path), Bounds::from(&query.config.limits));
    let contents = picture::read_still(&place, &bounds).ok().filter(|contents| contents.hash == content)?;
    let outputs = Outputs { square: true, features: true, longest_px: None, crop: None };
    let seen = context.guard.extract(&contents, &place.absolute(), &bounds, outputs, &extractor).ok()?;
    let encoded =
        Arc::new(EncodedPicture { content, features: seen.features?, kind, miniature: Miniature::of(&seen.square?) });
    context.set_pictures.put(KeptPicture { encoded: Arc::clone(&encoded), tile: None });
    Some(encoded)
}
