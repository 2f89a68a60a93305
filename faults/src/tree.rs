//! The files of a disk as they are read, and as they would be after a power failure.
//!
//! A file's content is durable once the file was flushed, its name once its folder was: the least that a file system promises.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

/// Number of a file or folder.
pub type Inode = u64;
/// The folder that contains all others.
pub const ROOT: Inode = 1;

type Names = BTreeMap<OsString, Inode>;

/// What a node is, now and on the disk.
#[derive(Debug, Clone)]
pub enum Content {
    File { bytes: Arc<Vec<u8>>, flushed: Arc<Vec<u8>> },
    Folder { names: Names, flushed: Names },
}

/// A file or folder.
#[derive(Debug, Clone)]
pub struct Node {
    pub content: Content,
    /// Where it was made or moved to: for messages.
    pub path: PathBuf,
    pub mode: u32,
    pub owner: (u32, u32),
    pub modified: SystemTime,
    pub changed: SystemTime,
}

impl Node {
    fn new(content: Content, path: PathBuf, mode: u32, owner: (u32, u32)) -> Self {
        let now = SystemTime::now();
        Self { content, path, mode, owner, modified: now, changed: now }
    }

    /// The names in a folder; `None` for a file.
    pub fn names(&self) -> Option<&Names> {
        match &self.content {
            Content::Folder { names, .. } => Some(names),
            Content::File { .. } => None,
        }
    }

    /// The bytes of a file; nothing for a folder.
    pub fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::File { bytes, .. } => bytes,
            Content::Folder { .. } => &[],
        }
    }

    /// Changes a file's bytes.
    pub fn change(&mut self, change: impl FnOnce(&mut Vec<u8>)) {
        if let Content::File { bytes, .. } = &mut self.content {
            change(Arc::make_mut(bytes));
        }
        self.modified = SystemTime::now();
        self.changed = self.modified;
    }

    /// What is there now is there after a power failure.
    pub fn flush(&mut self) {
        match &mut self.content {
            Content::File { bytes, flushed } => flushed.clone_from(bytes),
            Content::Folder { names, flushed } => flushed.clone_from(names),
        }
    }
}

/// All files. Numbers are not used again, and what was removed stays: somebody may have it open.
#[derive(Debug, Clone)]
pub struct Tree {
    nodes: BTreeMap<Inode, Node>,
    next: Inode,
}

impl Tree {
    /// Nothing but a root folder.
    pub fn new() -> Self {
        let content = Content::Folder { names: Names::new(), flushed: Names::new() };
        let root = Node::new(content, PathBuf::new(), 0o755, (0, 0));
        // FUSE calls the root of each mount 1.
        Self { nodes: BTreeMap::from([(ROOT, root)]), next: 1_000 }
    }

    pub fn node(&self, inode: Inode) -> Option<&Node> {
        self.nodes.get(&inode)
    }

    pub fn node_mut(&mut self, inode: Inode) -> Option<&mut Node> {
        self.nodes.get_mut(&inode)
    }

    /// The file or folder of a name.
    pub fn child(&self, folder: Inode, name: &OsStr) -> Option<Inode> {
        self.node(folder)?.names()?.get(name).copied()
    }

    /// The path of a name, for messages.
    pub fn path_of(&self, folder: Inode, name: &OsStr) -> PathBuf {
        self.node(folder).map(|node| node.path.join(name)).unwrap_or_default()
    }

    /// Makes a file, or a folder.
    pub fn make(&mut self, folder: Inode, name: &OsStr, is_folder: bool, mode: u32, owner: (u32, u32)) -> Inode {
        let content = match is_folder {
            true => Content::Folder { names: Names::new(), flushed: Names::new() },
            false => Content::File { bytes: Arc::default(), flushed: Arc::default() },
        };
        let (inode, path) = (self.next, self.path_of(folder, name));
        self.next += 1;
        self.nodes.insert(inode, Node::new(content, path, mode, owner));
        self.put_name(folder, name, inode);
        inode
    }

    /// Gives a file a name, in the place of what had that name.
    pub fn put_name(&mut self, folder: Inode, name: &OsStr, inode: Inode) {
        let path = self.path_of(folder, name);
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.path = path;
            node.changed = SystemTime::now();
        }
        self.change_names(folder, |names| {
            names.insert(name.into(), inode);
        });
    }

    /// Takes a name away.
    pub fn remove_name(&mut self, folder: Inode, name: &OsStr) {
        self.change_names(folder, |names| {
            names.remove(name);
        });
    }

    fn change_names(&mut self, folder: Inode, change: impl FnOnce(&mut Names)) {
        if let Some(Node { content: Content::Folder { names, .. }, modified, changed, .. }) =
            self.nodes.get_mut(&folder)
        {
            change(names);
            *modified = SystemTime::now();
            *changed = *modified;
        }
    }

    /// All of it becomes durable.
    pub fn flush_all(&mut self) {
        self.nodes.values_mut().for_each(Node::flush);
    }

    /// The disk after a power failure. `survives` decides for each file and folder whether what was not flushed of it is
    /// there all the same, as it may be.
    pub fn after_power_cut(&self, mut survives: impl FnMut(Inode) -> bool) -> Self {
        let mut left = self.clone();
        for (inode, node) in &mut left.nodes {
            if survives(*inode) {
                node.flush();
                continue;
            }
            match &mut node.content {
                Content::File { bytes, flushed } => bytes.clone_from(flushed),
                Content::Folder { names, flushed } => names.clone_from(flushed),
            }
        }
        left
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

    use super::*;

    fn content(tree: &Tree, name: &str) -> Option<String> {
        let inode = tree.child(ROOT, OsStr::new(name))?;
        Some(String::from_utf8(tree.node(inode).unwrap().bytes().to_vec()).unwrap())
    }

    fn write(tree: &mut Tree, name: &str, text: &str) -> Inode {
        let inode = tree.make(ROOT, OsStr::new(name), false, 0o644, (0, 0));
        tree.node_mut(inode).unwrap().change(|bytes| bytes.extend_from_slice(text.as_bytes()));
        inode
    }

    #[test]
    fn a_power_cut_leaves_what_was_flushed_under_the_names_that_were() {
        let mut tree = Tree::new();
        let old = write(&mut tree, "answer", "old");
        tree.flush_all();
        let new = write(&mut tree, "temporary", "new");
        let lost = |tree: &Tree| tree.after_power_cut(|_| false);
        // Neither content nor name.
        assert_eq!(content(&lost(&tree), "temporary"), None);
        tree.remove_name(ROOT, OsStr::new("temporary"));
        tree.put_name(ROOT, OsStr::new("answer"), new);
        assert_eq!(content(&tree, "answer").as_deref(), Some("new"));
        assert_eq!(content(&lost(&tree), "answer").as_deref(), Some("old"));
        // A name without content: what comes of a rename without a flush of the file.
        tree.node_mut(ROOT).unwrap().flush();
        assert_eq!(content(&lost(&tree), "answer").as_deref(), Some(""));
        tree.node_mut(new).unwrap().flush();
        assert_eq!(content(&lost(&tree), "answer").as_deref(), Some("new"));
        tree.node_mut(new).unwrap().change(|bytes| bytes.push(b'!'));
        assert_eq!(content(&lost(&tree), "answer").as_deref(), Some("new"));
        assert_eq!(content(&tree.after_power_cut(|_| true), "answer").as_deref(), Some("new!"));
        assert_eq!(tree.node(old).unwrap().bytes(), b"old", "somebody may have it open");
    }
}
