//! Writes what is known of the inventory's pictures into a file: embeddings or features, one row a picture.
//!
//! NPY is the format of numpy: <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>. It holds numbers only, so the
//! paths stand in a file beside it.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::collection::{catalog, nothing_read, serving_model};
use crate::catalog::{Catalog, FileState, Root};
use crate::config::Config;
use crate::error::{Fatal, Trouble};
use crate::files::{move_into_place, remove_own, unfinished_path};
use crate::network::features_in_force;
use crate::picture::Hash;

/// The header of an NPY file, padded to this, so that it can be written last.
const NPY_HEADER_BYTES: usize = 128;
/// What precedes its text: magic, version 1.0, and the length of the text.
const NPY_PREFIX: &[u8] = b"\x93NUMPY\x01\x00";

/// Which rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportedRows {
    /// Of the model that serves.
    Embeddings,
    /// Of the network beneath it.
    Features,
}

/// The form of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ExportFormat {
    /// float32, `[n, width]`, with the paths in `<file>.paths`, each ended by this byte.
    Npy {
        /// A line feed, or NUL for names that have one.
        path_end: u8,
    },
    /// A heading, then a path and its numbers a line.
    Csv,
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Exported {
    /// "m3-20261127", or the version of the features.
    pub of: String,
    /// Pictures.
    pub count: usize,
    /// Numbers of each.
    pub width: usize,
    /// Pictures of the inventory that have no such row yet.
    pub without: usize,
    /// Where the paths are, if not in the same file.
    pub paths: Option<PathBuf>,
}

/// Writes all rows of the inventory, in the order of its paths; also while a service runs.
///
/// # Errors
/// When there are none, or a file cannot be written.
pub fn export(config: &Config, rows: ExportedRows, format: ExportFormat, path: &Path) -> Result<Exported, Fatal> {
    let catalog = catalog(config)?;
    let features = features_in_force(config).version.to_string();
    let model = match rows {
        ExportedRows::Embeddings => serving_model(&catalog, config)?,
        ExportedRows::Features => None,
    };
    let source = RowSource { catalog: &catalog, model, features };
    let mut pictures = Vec::new();
    for file in catalog.files(Root::Inventory)? {
        if let FileState::Read(hash) = file.state {
            pictures.push((file.path, hash));
        }
    }
    let beside = matches!(format, ExportFormat::Npy { .. }).then(|| beside(path));
    let exported = write_all(&source, &pictures, format, path, beside.as_deref())?;
    if exported.count == 0 { Err(nothing_read(&config.folders.inventory)) } else { Ok(exported) }
}

/// Where rows come from.
struct RowSource<'a> {
    catalog: &'a Catalog,
    model: Option<String>,
    features: String,
}

impl RowSource<'_> {
    fn row(&self, hash: Hash) -> Result<Option<Vec<f32>>, Trouble> {
        match &self.model {
            Some(model) => self.catalog.embedding(hash, model),
            None => self.catalog.features(hash, &self.features),
        }
    }
}

/// `embeddings.npy` has its paths in `embeddings.npy.paths`.
fn beside(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_os_string();
    name.push(".paths");
    name.into()
}

fn write_all(
    source: &RowSource<'_>,
    pictures: &[(PathBuf, Hash)],
    format: ExportFormat,
    path: &Path,
    beside: Option<&Path>,
) -> Result<Exported, Fatal> {
    let mut numbers = ExportFile::begin(path)?;
    let mut paths = beside.map(ExportFile::begin).transpose()?;
    let (mut count, mut width) = (0, 0);
    for (picture, hash) in pictures {
        let Some(row) = source.row(*hash)?.filter(|row| count == 0 || row.len() == width) else { continue };
        if count == 0 {
            width = row.len();
            numbers.write(&heading(format, width))?;
        }
        count += 1;
        match (format, &mut paths) {
            (ExportFormat::Npy { path_end }, Some(paths)) => {
                paths.write(&[picture.as_os_str().as_bytes(), &[path_end]].concat())?;
                numbers.write(&row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>())?;
            }
            _ => numbers.write(csv_line(picture, &row).as_bytes())?,
        }
    }
    if matches!(format, ExportFormat::Npy { .. }) && count > 0 {
        numbers.rewrite_start(&npy_header(count, width))?;
    }
    let of = source.model.clone().unwrap_or_else(|| source.features.clone());
    let exported = Exported { of, count, width, without: pictures.len() - count, paths: beside.map(Path::to_path_buf) };
    if count > 0 {
        numbers.finish()?;
        paths.map_or(Ok(()), ExportFile::finish)?;
    }
    Ok(exported)
}

fn heading(format: ExportFormat, width: usize) -> Vec<u8> {
    match format {
        ExportFormat::Npy { .. } => npy_header(0, width),
        ExportFormat::Csv => {
            let columns: String = (0..width).map(|column| format!(",v{column}")).collect();
            format!("path{columns}\n").into_bytes()
        }
    }
}

fn npy_header(count: usize, width: usize) -> Vec<u8> {
    let mut header = [NPY_PREFIX, &((NPY_HEADER_BYTES - NPY_PREFIX.len() - 2) as u16).to_le_bytes()].concat();
    let shape = format!("{{'descr': '<f4', 'fortran_order': False, 'shape': ({count}, {width}), }}");
    header.extend(shape.as_bytes());
    header.resize(NPY_HEADER_BYTES - 1, b' ');
    header.push(b'\n');
    header
}

/// The shortest digits that give the same float32 again.
fn csv_line(path: &Path, row: &[f32]) -> String {
    let numbers: String = row.iter().map(|value| format!(",{value}")).collect();
    format!("{}{numbers}\n", crate::base::csv::quoted(&path.to_string_lossy()))
}

/// A file that is written piece by piece, and appears when it is whole.
struct ExportFile {
    path: PathBuf,
    unfinished: PathBuf,
    file: BufWriter<File>,
    is_finished: bool,
}

impl ExportFile {
    fn begin(path: &Path) -> Result<Self, Trouble> {
        let unfinished = unfinished_path(path)?;
        let file = File::create_new(&unfinished).map_err(|error| Trouble::system("write", path, &error))?;
        Ok(Self { path: path.to_path_buf(), unfinished, file: BufWriter::new(file), is_finished: false })
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        self.file.write_all(bytes).map_err(|error| self.failed(&error))
    }

    fn rewrite_start(&mut self, bytes: &[u8]) -> Result<(), Trouble> {
        let rewritten = self.file.seek(SeekFrom::Start(0)).and_then(|_| self.file.write_all(bytes));
        rewritten.map_err(|error| self.failed(&error))
    }

    fn finish(mut self) -> Result<(), Trouble> {
        let flushed = self.file.flush().and_then(|()| self.file.get_ref().sync_all());
        flushed.map_err(|error| self.failed(&error))?;
        move_into_place(&self.unfinished, &self.path)?;
        self.is_finished = true;
        Ok(())
    }

    fn failed(&self, error: &io::Error) -> Trouble {
        Trouble::system("write", &self.path, error)
    }
}

impl Drop for ExportFile {
    fn drop(&mut self) {
        if !self.is_finished {
            let _ = remove_own(&self.unfinished);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A catalog with three contents, of which one has no features.
    fn with_source<T>(test: impl FnOnce(&Path, &RowSource<'_>, &[(PathBuf, Hash)]) -> T) -> T {
        let folder = tempfile::tempdir().unwrap();
        let catalog = Catalog::open(folder.path()).unwrap().catalog;
        let pictures = ["a, b.jpg", "c.jpg", "d.jpg"].map(|path| (PathBuf::from(path), Hash::of(path.as_bytes())));
        catalog.put_features(pictures[0].1, "f1", &[1.0, -127.0]).unwrap();
        catalog.put_features(pictures[2].1, "f1", &[127.0, 25.0]).unwrap();
        catalog.put_embedding(pictures[2].1, "m1", &[0.1]).unwrap();
        test(folder.path(), &RowSource { catalog: &catalog, model: None, features: "f1".into() }, &pictures)
    }

    #[test]
    fn an_npy_file_is_what_numpy_reads_with_its_paths_beside_it() {
        with_source(|folder, source, pictures| {
            let path = folder.join("out.npy");
            let format = ExportFormat::Npy { path_end: 0 };
            let exported = write_all(source, pictures, format, &path, Some(&beside(&path))).unwrap();
            assert_eq!((exported.of.as_str(), exported.count, exported.width, exported.without), ("f1", 2, 2, 1));
            let bytes = std::fs::read(&path).unwrap();
            let (header, numbers) = bytes.split_at(NPY_HEADER_BYTES);
            assert!(header.starts_with(b"\x93NUMPY\x01\x00\x76\x00{'descr': '<f4', "), "{header:?}");
            let text = String::from_utf8(header[10..].to_vec()).unwrap();
            let shape = "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 2), }";
            assert_eq!((text.trim_end(), text.ends_with(" \n")), (shape, true));
            assert_eq!(numbers, [1.0_f32, -127.0, 127.0, 25.0].map(f32::to_le_bytes).concat());
            assert_eq!(std::fs::read(folder.join("out.npy.paths")).unwrap(), b"a, b.jpg\0d.jpg\0");
        });
    }

    #[test]
    fn a_csv_file_holds_paths_and_numbers_and_nothing_is_left_of_one_without_rows() {
        with_source(|folder, source, pictures| {
            let path = folder.join("out.csv");
            write_all(source, pictures, ExportFormat::Csv, &path, None).unwrap();
            let text = std::fs::read_to_string(&path).unwrap();
            assert_eq!(text, "path,v0,v1\n\"a, b.jpg\",1,-127\nd.jpg,127,25\n");
            let of_model = RowSource { model: Some("m1".into()), features: String::new(), ..*source };
            let exported = write_all(&of_model, pictures, ExportFormat::Csv, &path, None).unwrap();
            assert_eq!((exported.of.as_str(), exported.count, exported.width), ("m1", 1, 1));
            assert_eq!(std::fs::read_to_string(&path).unwrap(), "path,v0\nd.jpg,0.1\n");
            let none = RowSource { model: Some("m2".into()), features: String::new(), ..*source };
            let before = std::fs::read_dir(folder).unwrap().count();
            assert_eq!(write_all(&none, pictures, ExportFormat::Csv, &folder.join("no.csv"), None).unwrap().count, 0);
            assert_eq!(std::fs::read_dir(folder).unwrap().count(), before, "no file, and no unfinished one");
        });
    }
}
