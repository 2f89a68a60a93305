//! The messages of Milvus that this client sends and reads, and of them the fields that it needs: the protocol passes over others.
//!
//! Numbers and names are those of github.com/milvus-io/milvus-proto (`milvus.proto`, `schema.proto`, `common.proto`), which is under the
//! Apache License 2.0. They are the same from Milvus 2.3 to 2.6.

use prost::{Message, Oneof};

/// Success has neither code.
#[derive(Clone, PartialEq, Message)]
pub struct WireStatus {
    /// The code of Milvus before 2.3.
    #[prost(int32, tag = "1")]
    pub error_code: i32,
    #[prost(string, tag = "2")]
    pub reason: String,
    #[prost(int32, tag = "3")]
    pub code: i32,
    #[prost(bool, tag = "4")]
    pub retriable: bool,
}

#[derive(Clone, PartialEq, Message)]
pub struct KeyValue {
    #[prost(string, tag = "1")]
    pub key: String,
    #[prost(string, tag = "2")]
    pub value: String,
}

impl KeyValue {
    pub fn new(key: &str, value: impl ToString) -> Self {
        Self { key: key.into(), value: value.to_string() }
    }
}

#[derive(Clone, PartialEq, Message)]
pub struct GetVersionRequest {}

#[derive(Clone, PartialEq, Message)]
pub struct GetVersionResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(string, tag = "2")]
    pub version: String,
}

/// Has, drop, describe and release a collection: all are asked by its name alone.
#[derive(Clone, PartialEq, Message)]
pub struct CollectionRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct CreateCollectionRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    /// A [`CollectionSchema`].
    #[prost(bytes = "vec", tag = "4")]
    pub schema: Vec<u8>,
    #[prost(int32, tag = "5")]
    pub shards_num: i32,
    #[prost(int32, tag = "6")]
    pub consistency_level: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct CollectionSchema {
    #[prost(string, tag = "1")]
    pub name: String,
    #[prost(string, tag = "2")]
    pub description: String,
    #[prost(message, repeated, tag = "4")]
    pub fields: Vec<FieldSchema>,
}

#[derive(Clone, PartialEq, Message)]
pub struct FieldSchema {
    #[prost(string, tag = "2")]
    pub name: String,
    #[prost(bool, tag = "3")]
    pub is_primary_key: bool,
    #[prost(int32, tag = "5")]
    pub data_type: i32,
    #[prost(message, repeated, tag = "6")]
    pub type_params: Vec<KeyValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct DescribeCollectionResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(message, optional, tag = "2")]
    pub schema: Option<CollectionSchema>,
    #[prost(string, tag = "12")]
    pub collection_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct ShowCollectionsRequest {}

#[derive(Clone, PartialEq, Message)]
pub struct ShowCollectionsResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(string, repeated, tag = "2")]
    pub collection_names: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct CreateIndexRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(string, tag = "4")]
    pub field_name: String,
    #[prost(message, repeated, tag = "5")]
    pub extra_params: Vec<KeyValue>,
    #[prost(string, tag = "6")]
    pub index_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct DescribeIndexRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(string, tag = "4")]
    pub field_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct DescribeIndexResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(message, repeated, tag = "2")]
    pub index_descriptions: Vec<IndexDescription>,
}

#[derive(Clone, PartialEq, Message)]
pub struct IndexDescription {
    #[prost(string, tag = "1")]
    pub index_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct LoadCollectionRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(int32, tag = "4")]
    pub replica_number: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetLoadStateRequest {
    #[prost(string, tag = "2")]
    pub collection_name: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct GetLoadStateResponse {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(int32, tag = "2")]
    pub state: i32,
}

/// Create and alter an alias.
#[derive(Clone, PartialEq, Message)]
pub struct AliasRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(string, tag = "4")]
    pub alias: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct UpsertRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(message, repeated, tag = "5")]
    pub fields_data: Vec<FieldData>,
    #[prost(uint32, tag = "7")]
    pub num_rows: u32,
}

#[derive(Clone, PartialEq, Message)]
pub struct DeleteRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(string, tag = "5")]
    pub expr: String,
}

#[derive(Clone, PartialEq, Message)]
pub struct MutationResult {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
}

#[derive(Clone, PartialEq, Message)]
pub struct WireSearch {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(string, tag = "5")]
    pub dsl: String,
    /// A [`PlaceholderGroup`].
    #[prost(bytes = "vec", tag = "6")]
    pub placeholder_group: Vec<u8>,
    #[prost(int32, tag = "7")]
    pub dsl_type: i32,
    #[prost(string, repeated, tag = "8")]
    pub output_fields: Vec<String>,
    #[prost(message, repeated, tag = "9")]
    pub search_params: Vec<KeyValue>,
    #[prost(int64, tag = "12")]
    pub nq: i64,
    #[prost(int32, tag = "14")]
    pub consistency_level: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct PlaceholderGroup {
    #[prost(message, repeated, tag = "1")]
    pub placeholders: Vec<PlaceholderValue>,
}

#[derive(Clone, PartialEq, Message)]
pub struct PlaceholderValue {
    #[prost(string, tag = "1")]
    pub tag: String,
    #[prost(int32, tag = "2")]
    pub kind: i32,
    #[prost(bytes = "vec", repeated, tag = "3")]
    pub values: Vec<Vec<u8>>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SearchResults {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(message, optional, tag = "2")]
    pub results: Option<SearchResultData>,
}

#[derive(Clone, PartialEq, Message)]
pub struct SearchResultData {
    #[prost(message, repeated, tag = "3")]
    pub fields_data: Vec<FieldData>,
}

#[derive(Clone, PartialEq, Message)]
pub struct QueryRequest {
    #[prost(string, tag = "3")]
    pub collection_name: String,
    #[prost(string, tag = "4")]
    pub expr: String,
    #[prost(string, repeated, tag = "5")]
    pub output_fields: Vec<String>,
    #[prost(int32, tag = "11")]
    pub consistency_level: i32,
}

#[derive(Clone, PartialEq, Message)]
pub struct QueryResults {
    #[prost(message, optional, tag = "1")]
    pub status: Option<WireStatus>,
    #[prost(message, repeated, tag = "2")]
    pub fields_data: Vec<FieldData>,
}

/// A column of some rows.
#[derive(Clone, PartialEq, Message)]
pub struct FieldData {
    #[prost(int32, tag = "1")]
    pub kind: i32,
    #[prost(string, tag = "2")]
    pub field_name: String,
    #[prost(oneof = "ColumnValues", tags = "3, 4")]
    pub values: Option<ColumnValues>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum ColumnValues {
    #[prost(message, tag = "3")]
    Scalars(ScalarValues),
    #[prost(message, tag = "4")]
    Vectors(VectorValues),
}

#[derive(Clone, PartialEq, Message)]
pub struct ScalarValues {
    #[prost(oneof = "ScalarKind", tags = "3, 6")]
    pub data: Option<ScalarKind>,
}

#[derive(Clone, PartialEq, Oneof)]
pub enum ScalarKind {
    #[prost(message, tag = "3")]
    Longs(LongArray),
    #[prost(message, tag = "6")]
    Texts(TextArray),
}

#[derive(Clone, PartialEq, Message)]
pub struct LongArray {
    #[prost(int64, repeated, tag = "1")]
    pub data: Vec<i64>,
}

#[derive(Clone, PartialEq, Message)]
pub struct TextArray {
    #[prost(string, repeated, tag = "1")]
    pub data: Vec<String>,
}

#[derive(Clone, PartialEq, Message)]
pub struct VectorValues {
    #[prost(int64, tag = "1")]
    pub width: i64,
    #[prost(message, optional, tag = "2")]
    pub floats: Option<FloatArray>,
}

#[derive(Clone, PartialEq, Message)]
pub struct FloatArray {
    #[prost(float, repeated, tag = "1")]
    pub data: Vec<f32>,
}

/// A reply that begins with its status, as all do.
pub trait WireReply: Message + Default {
    /// That status; without one, success.
    fn status(&self) -> Option<&WireStatus>;
}

impl WireReply for WireStatus {
    fn status(&self) -> Option<&WireStatus> {
        Some(self)
    }
}

macro_rules! replies {
    ($($reply:ty),*) => {
        $(impl WireReply for $reply {
            fn status(&self) -> Option<&WireStatus> {
                self.status.as_ref()
            }
        })*
    };
}

replies!(
    GetVersionResponse,
    DescribeCollectionResponse,
    DescribeIndexResponse,
    ShowCollectionsResponse,
    GetLoadStateResponse,
    MutationResult,
    SearchResults,
    QueryResults
);
