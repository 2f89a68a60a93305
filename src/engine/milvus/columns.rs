//! Rows of pictures as Milvus keeps them: column by column, in a collection with one vector field.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use percent_encoding::{AsciiSet, CONTROLS, percent_decode_str, percent_encode};

use super::wire::{
    CollectionSchema, ColumnValues, FieldData, FieldSchema, FloatArray, KeyValue, LongArray, ScalarKind, ScalarValues,
    TextArray, VectorValues,
};
use crate::clock::WallTime;
use crate::engine::{EngineError, EngineGeneration, EngineRow};
use crate::picture::Hash;

/// The primary key.
pub const KEY: &str = "key";
pub const NODE: &str = "node";
/// See [`path_text`].
pub const PATH: &str = "path";
/// Of the content, in hexadecimal digits.
pub const HASH: &str = "hash";
/// Seconds, as [`WallTime`] counts.
pub const TAKEN: &str = "taken";
/// The embedding.
pub const CODE: &str = "code";
/// What a row is made of, but for its key, which follows from the others.
pub const ALL_BUT_KEY: [&str; 5] = [NODE, PATH, HASH, TAKEN, CODE];

const INT64: i32 = 5;
const VARCHAR: i32 = 21;
pub const FLOAT_VECTOR: i32 = 101;

/// The longest path that Linux knows, each byte as three letters.
const LONGEST_PATH: usize = 3 * 4_096;
/// What would end a text in an expression, or is part of the encoding.
const ENCODED: &AsciiSet = &CONTROLS.add(b'%').add(b'"').add(b'\'').add(b'\\');

/// A path as text: bytes that are not plain ASCII as `%C3`. Folders stay beginnings of what lies in them.
pub fn path_text(path: &Path) -> String {
    percent_encode(path.as_os_str().as_bytes(), ENCODED).to_string()
}

fn path_of(text: &str) -> PathBuf {
    OsString::from_vec(percent_decode_str(text).collect()).into()
}

/// The schema of a generation's collection.
pub fn schema(collection: &str, generation: &EngineGeneration) -> CollectionSchema {
    let text = |name: &str, most: usize| FieldSchema {
        name: name.into(),
        is_primary_key: name == KEY,
        data_type: VARCHAR,
        type_params: vec![KeyValue::new("max_length", most)],
    };
    let field = |name: &str, data_type, type_params| FieldSchema {
        name: name.into(),
        is_primary_key: false,
        data_type,
        type_params,
    };
    let fields = vec![
        text(KEY, 32),
        text(NODE, 64),
        text(PATH, LONGEST_PATH),
        text(HASH, 64),
        field(TAKEN, INT64, Vec::new()),
        field(CODE, FLOAT_VECTOR, vec![KeyValue::new("dim", generation.width)]),
    ];
    CollectionSchema { name: collection.into(), description: "artificio: pictures of all nodes".into(), fields }
}

/// The width of the embeddings in a collection.
pub fn width_of(schema: &CollectionSchema) -> Option<usize> {
    let code = schema.fields.iter().find(|field| field.name == CODE)?;
    code.type_params.iter().find(|pair| pair.key == "dim")?.value.parse().ok()
}

/// The columns of `rows`.
pub fn columns(rows: &[&EngineRow], width: usize) -> Vec<FieldData> {
    let texts = |name: &str, text: &dyn Fn(&EngineRow) -> String| {
        let data = rows.iter().map(|row| text(row)).collect();
        column(VARCHAR, name, ColumnValues::Scalars(ScalarValues { data: Some(ScalarKind::Texts(TextArray { data })) }))
    };
    let taken = LongArray { data: rows.iter().map(|row| row.date.seconds()).collect() };
    let codes = FloatArray { data: rows.iter().flat_map(|row| row.embedding.iter().copied()).collect() };
    vec![
        texts(KEY, &|row| row.key().to_string()),
        texts(NODE, &|row| row.node.clone()),
        texts(PATH, &|row| path_text(&row.path)),
        texts(HASH, &|row| row.content.to_hex()),
        column(INT64, TAKEN, ColumnValues::Scalars(ScalarValues { data: Some(ScalarKind::Longs(taken)) })),
        column(FLOAT_VECTOR, CODE, ColumnValues::Vectors(VectorValues { width: width as i64, floats: Some(codes) })),
    ]
}

fn column(kind: i32, name: &str, values: ColumnValues) -> FieldData {
    FieldData { kind, field_name: name.into(), values: Some(values) }
}

/// The rows of columns that hold [`ALL_BUT_KEY`].
pub fn rows(columns: &[FieldData]) -> Result<Vec<EngineRow>, EngineError> {
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let (nodes, paths, hashes) = (texts(columns, NODE)?, texts(columns, PATH)?, texts(columns, HASH)?);
    let (taken, codes) = (longs(columns, TAKEN)?, codes(columns)?);
    let width = codes.width as usize;
    let values = codes.floats.as_ref().map_or(&[][..], |floats| &floats.data);
    let count = nodes.len();
    let is_even = [paths.len(), hashes.len(), taken.len()].iter().all(|len| *len == count);
    if !is_even || values.len() != count * width {
        return Err(unlike("columns of different lengths"));
    }
    let row = |at: usize| {
        Ok(EngineRow {
            node: nodes[at].clone(),
            path: path_of(&paths[at]),
            content: Hash::from_hex(&hashes[at]).ok_or_else(|| unlike("a hash that is none"))?,
            date: WallTime::of_seconds(taken[at]),
            embedding: values[at * width..][..width].to_vec(),
        })
    };
    (0..count).map(row).collect()
}

/// A column of texts.
pub fn texts<'a>(columns: &'a [FieldData], name: &str) -> Result<&'a [String], EngineError> {
    match scalars(columns, name)? {
        ScalarKind::Texts(texts) => Ok(&texts.data),
        ScalarKind::Longs(_) => Err(unlike(name)),
    }
}

/// A column of numbers.
pub fn longs<'a>(columns: &'a [FieldData], name: &str) -> Result<&'a [i64], EngineError> {
    match scalars(columns, name)? {
        ScalarKind::Longs(longs) => Ok(&longs.data),
        ScalarKind::Texts(_) => Err(unlike(name)),
    }
}

fn scalars<'a>(columns: &'a [FieldData], name: &str) -> Result<&'a ScalarKind, EngineError> {
    match find(columns, name) {
        Some(ColumnValues::Scalars(ScalarValues { data: Some(data) })) => Ok(data),
        _ => Err(unlike(name)),
    }
}

fn codes(columns: &[FieldData]) -> Result<&VectorValues, EngineError> {
    match find(columns, CODE) {
        Some(ColumnValues::Vectors(vectors)) => Ok(vectors),
        _ => Err(unlike(CODE)),
    }
}

fn find<'a>(columns: &'a [FieldData], name: &str) -> Option<&'a ColumnValues> {
    columns.iter().find(|column| column.field_name == name)?.values.as_ref()
}

fn unlike(what: &str) -> EngineError {
    EngineError::Refused(format!("it answered with other columns than these rows have: {what}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_are_the_same_after_a_journey_as_columns() {
        let row = |number: usize, path: PathBuf| EngineRow {
            node: "a".into(),
            path,
            content: Hash::of(&[number as u8]),
            date: if number == 1 { WallTime::UNKNOWN } else { WallTime::of_seconds(7) },
            embedding: vec![number as f32, -0.5],
        };
        let unreadable = OsString::from_vec(vec![b'x', 0xff, b'/', b'%', b'"']);
        let all = [row(0, "é/b'c\\d.jpg".into()), row(1, unreadable.into()), row(2, "new\nline 100%.jpg".into())];
        let columns = columns(&all.iter().collect::<Vec<_>>(), 2);
        assert_eq!(rows(&columns).unwrap(), all);
        assert!(texts(&columns, PATH).unwrap().iter().all(|text| text.is_ascii() && !text.contains(['"', '\n'])));
        assert!(rows(&columns[1..4]).is_err() && rows(&[]).unwrap().is_empty());
    }

    #[test]
    fn a_schema_tells_its_width() {
        let schema = schema("c", &EngineGeneration { name: "m1".into(), width: 192 });
        assert_eq!(width_of(&schema), Some(192));
    }
}
