//! Milvus, from 2.3 on: a collection for each generation, and an alias for the one that serves.

mod columns;
mod connection;
mod filter;
mod wire;

use std::collections::HashSet;
use std::thread;
use std::time::{Duration, Instant};

use prost::Message;

use super::{Engine, EngineError, EngineGeneration, EngineRow, KeyPrefix, NearRequest, PictureKey};
use crate::error::Trouble;
use crate::picture::Hash;
use columns::{ALL_BUT_KEY, CODE, FLOAT_VECTOR, HASH, KEY};
use connection::MilvusConnection;
use wire::{
    AliasRequest, CollectionRequest, CreateCollectionRequest, CreateIndexRequest, DeleteRequest,
    DescribeCollectionResponse, DescribeIndexRequest, DescribeIndexResponse, GetLoadStateRequest, GetLoadStateResponse,
    GetVersionRequest, GetVersionResponse, KeyValue, LoadCollectionRequest, MutationResult, PlaceholderGroup,
    PlaceholderValue, QueryRequest, QueryResults, SearchResults, ShowCollectionsRequest, ShowCollectionsResponse,
    UpsertRequest, WireSearch, WireStatus,
};

pub use connection::MilvusAccess;

/// Values in one request: 8 MB.
const VALUES_AT_ONCE: usize = 2 << 20;
/// Keys in one request to delete.
const KEYS_AT_ONCE: usize = 1_000;
/// Embeddings in one search; of a set with more, these are a sample.
const MEMBERS_AT_ONCE: usize = 64;
/// Of each member of a set, so many at least.
const LEAST_OF_A_MEMBER: usize = 30;
/// Milvus finds no more at once.
const MOST_FOUND: usize = 16_384;
/// Links of a picture in the graph (HNSW), and how many are looked at to make and to follow them. Measured by others and here: recall@10
/// over .99.
const GRAPH_LINKS: usize = 16;
const GRAPH_BUILT_FROM: usize = 200;
const LEAST_LOOKED_AT: usize = 64;
/// The names of its states: all rows can be searched.
const LOADED: i32 = 3;
const LOAD_PAUSE: Duration = Duration::from_millis(100);
/// A collection of a billion rows takes minutes.
const LOAD_TIMEOUT: Duration = Duration::from_secs(600);

/// How much of what was acknowledged a reader sees: all of it; all but the last seconds.
const STRONG: i32 = 0;
const BOUNDED: i32 = 2;
/// An expression, as `filter` writes them.
const EXPRESSION: i32 = 1;

/// A Milvus.
pub struct MilvusEngine {
    connection: MilvusConnection,
    prefix: String,
}

impl MilvusEngine {
    /// Sends nothing yet.
    ///
    /// # Errors
    /// When a file cannot be read, or the address is none.
    pub fn new(access: &MilvusAccess) -> Result<Self, Trouble> {
        Ok(Self { connection: MilvusConnection::new(access)?, prefix: access.prefix.clone() })
    }

    fn collection(&self, generation: &str) -> String {
        format!("{}_{generation}", self.prefix)
    }

    fn generation<'a>(&self, collection: &'a str) -> Option<&'a str> {
        collection.strip_prefix(&self.prefix)?.strip_prefix('_')
    }

    fn describe(&self, collection: String) -> Result<Option<DescribeCollectionResponse>, EngineError> {
        let described = self.connection.call("DescribeCollection", CollectionRequest { collection_name: collection });
        match described {
            Err(EngineError::NoGeneration(_)) => Ok(None),
            described => described.map(Some),
        }
    }

    fn create(&self, collection: &str, generation: &EngineGeneration) -> Result<(), EngineError> {
        let request = CreateCollectionRequest {
            collection_name: collection.into(),
            schema: columns::schema(collection, generation).encode_to_vec(),
            shards_num: 1,
            consistency_level: BOUNDED,
        };
        self.connection.call::<_, WireStatus>("CreateCollection", request).map(drop)
    }

    /// Makes the index, unless there is one: another kind may have been made by hand.
    fn make_index(&self, collection: &str) -> Result<(), EngineError> {
        let request = DescribeIndexRequest { collection_name: collection.into(), field_name: CODE.into() };
        let present = self.connection.call::<_, DescribeIndexResponse>("DescribeIndex", request);
        // Without one, it is an error.
        if present.is_ok_and(|reply| !reply.index_descriptions.is_empty()) {
            return Ok(());
        }
        let params = format!("{{\"M\": {GRAPH_LINKS}, \"efConstruction\": {GRAPH_BUILT_FROM}}}");
        let index = CreateIndexRequest {
            collection_name: collection.into(),
            field_name: CODE.into(),
            extra_params: vec![
                KeyValue::new("index_type", "HNSW"),
                KeyValue::new("metric_type", "COSINE"),
                KeyValue::new("params", params),
            ],
            index_name: CODE.into(),
        };
        self.connection.call::<_, WireStatus>("CreateIndex", index).map(drop)
    }

    /// Makes the index, and waits until all rows can be searched.
    fn load(&self, collection: &str) -> Result<(), EngineError> {
        self.make_index(collection)?;
        let load = LoadCollectionRequest { collection_name: collection.into(), replica_number: 1 };
        self.connection.call::<_, WireStatus>("LoadCollection", load)?;
        let deadline = Instant::now() + LOAD_TIMEOUT;
        loop {
            let request = GetLoadStateRequest { collection_name: collection.into() };
            let reply: GetLoadStateResponse = self.connection.call("GetLoadState", request)?;
            if reply.state == LOADED {
                return Ok(());
            }
            if Instant::now() > deadline {
                return Err(EngineError::Outage(format!("{collection} is still being loaded")));
            }
            thread::sleep(LOAD_PAUSE);
        }
    }

    fn query(&self, generation: &str, expr: String, fields: &[&str]) -> Result<QueryResults, EngineError> {
        let request = QueryRequest {
            collection_name: self.collection(generation),
            expr,
            output_fields: fields.iter().map(ToString::to_string).collect(),
            consistency_level: STRONG,
        };
        self.connection.call("Query", request)
    }
}

impl Engine for MilvusEngine {
    fn version(&self) -> Result<String, EngineError> {
        let reply: GetVersionResponse = self.connection.call("GetVersion", GetVersionRequest {})?;
        Ok(format!("Milvus {}", reply.version))
    }

    fn serving(&self) -> Result<Option<String>, EngineError> {
        let described = self.describe(self.prefix.clone())?;
        // Asked by the alias, some versions answer with it, but the schema has the collection's own name.
        let names = described
            .into_iter()
            .flat_map(|reply| [reply.schema.map(|schema| schema.name), Some(reply.collection_name)]);
        Ok(names.flatten().find_map(|name| self.generation(&name).map(ToString::to_string)))
    }

    fn serve(&self, generation: &str) -> Result<(), EngineError> {
        let request = AliasRequest { collection_name: self.collection(generation), alias: self.prefix.clone() };
        let method = match self.serving()? {
            Some(serving) if serving == generation => return Ok(()),
            Some(_) => "AlterAlias",
            None => "CreateAlias",
        };
        self.connection.call::<_, WireStatus>(method, request).map(drop)
    }

    fn generations(&self) -> Result<Vec<String>, EngineError> {
        let reply: ShowCollectionsResponse = self.connection.call("ShowCollections", ShowCollectionsRequest {})?;
        let mut names: Vec<String> =
            reply.collection_names.iter().filter_map(|name| self.generation(name).map(ToString::to_string)).collect();
        names.sort_unstable();
        Ok(names)
    }

    fn prepare(&self, generation: &EngineGeneration) -> Result<(), EngineError> {
        let collection = self.collection(&generation.name);
        let described = match self.describe(collection.clone())? {
            Some(described) => Some(described),
            None => {
                // Another node may make it at the same moment.
                let created = self.create(&collection, generation);
                let described = self.describe(collection.clone())?;
                if described.is_none() {
                    created?;
                }
                described
            }
        };
        let present = described.and_then(|reply| columns::width_of(&reply.schema?));
        match present {
            Some(present) if present != generation.width => {
                let (name, expected) = (generation.name.clone(), generation.width);
                Err(EngineError::OtherWidth { generation: name, present, expected })
            }
            Some(_) => self.load(&collection),
            None => Err(EngineError::Refused(format!("{collection} is a collection of another program"))),
        }
    }

    fn retire(&self, generation: &str) -> Result<(), EngineError> {
        if self.serving()?.as_deref() == Some(generation) {
            return Err(EngineError::Refused(format!("{generation} serves")));
        }
        let request = CollectionRequest { collection_name: self.collection(generation) };
        match self.connection.call::<_, WireStatus>("DropCollection", request) {
            Err(EngineError::NoGeneration(_)) => Ok(()),
            dropped => dropped.map(drop),
        }
    }

    fn put(&self, generation: &str, rows: &[EngineRow]) -> Result<(), EngineError> {
        // Of several rows of a key the last one counts.
        let mut seen = HashSet::new();
        let mut rows: Vec<&EngineRow> = rows.iter().rev().filter(|row| seen.insert(row.key())).collect();
        rows.reverse();
        let Some(width) = rows.first().map(|row| row.embedding.len()) else { return Ok(()) };
        for some in rows.chunks((VALUES_AT_ONCE / width.max(1)).max(1)) {
            let request = UpsertRequest {
                collection_name: self.collection(generation),
                fields_data: columns::columns(some, width),
                num_rows: some.len() as u32,
            };
            self.connection.call::<_, MutationResult>("Upsert", request)?;
        }
        Ok(())
    }

    fn remove(&self, generation: &str, keys: &[PictureKey]) -> Result<(), EngineError> {
        for some in keys.chunks(KEYS_AT_ONCE) {
            let request = DeleteRequest { collection_name: self.collection(generation), expr: filter::of_keys(some) };
            self.connection.call::<_, MutationResult>("Delete", request)?;
        }
        Ok(())
    }

    fn near(&self, generation: &str, request: &NearRequest<'_>) -> Result<Vec<EngineRow>, EngineError> {
        let step = request.members.len().div_ceil(MEMBERS_AT_ONCE).max(1);
        let bytes = |row: &[f32]| row.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
        let values: Vec<Vec<u8>> = request.members.iter().step_by(step).map(bytes).collect();
        let members = values.len();
        if members == 0 || request.count == 0 {
            return Ok(Vec::new());
        }
        let of_each = match members {
            1 => request.count,
            _ => (4 * request.count / members).max(LEAST_OF_A_MEMBER),
        };
        let count = of_each.min(MOST_FOUND);
        let looked_at = (count + count / 2).max(LEAST_LOOKED_AT);
        let placeholders = vec![PlaceholderValue { tag: "$0".into(), kind: FLOAT_VECTOR, values }];
        let search = WireSearch {
            collection_name: self.collection(generation),
            dsl: filter::in_scope(request.asker, request.scope),
            placeholder_group: PlaceholderGroup { placeholders }.encode_to_vec(),
            dsl_type: EXPRESSION,
            output_fields: ALL_BUT_KEY.iter().map(ToString::to_string).collect(),
            search_params: vec![
                KeyValue::new("anns_field", CODE),
                KeyValue::new("topk", count),
                KeyValue::new("metric_type", "COSINE"),
                KeyValue::new("params", format!("{{\"ef\": {looked_at}}}")),
                KeyValue::new("round_decimal", -1),
            ],
            nq: members as i64,
            consistency_level: BOUNDED,
        };
        let reply: SearchResults = self.connection.call("Search", search)?;
        let mut rows = columns::rows(&reply.results.unwrap_or_default().fields_data)?;
        let mut seen = HashSet::new();
        rows.retain(|row| seen.insert(row.key()));
        Ok(rows)
    }

    fn count(&self, generation: &str) -> Result<usize, EngineError> {
        const COUNT: &str = "count(*)";
        let reply = self.query(generation, String::new(), &[COUNT])?;
        Ok(columns::longs(&reply.fields_data, COUNT)?.first().map_or(0, |count| *count as usize))
    }

    fn sample(&self, generation: &str, prefix: KeyPrefix) -> Result<Vec<EngineRow>, EngineError> {
        columns::rows(&self.query(generation, filter::of_prefix(prefix), &ALL_BUT_KEY)?.fields_data)
    }

    fn keys(&self, generation: &str, node: &str, prefix: KeyPrefix) -> Result<Vec<(PictureKey, Hash)>, EngineError> {
        let expression = format!("{} and {}", filter::of_node(node), filter::of_prefix(prefix));
        let reply = self.query(generation, expression, &[KEY, HASH])?;
        if reply.fields_data.is_empty() {
            return Ok(Vec::new());
        }
        let (keys, hashes) = (columns::texts(&reply.fields_data, KEY)?, columns::texts(&reply.fields_data, HASH)?);
        let mut found = Vec::with_capacity(keys.len());
        for (key, hash) in keys.iter().zip(hashes) {
            let pair = PictureKey::parse(key).zip(Hash::from_hex(hash));
            found.push(pair.ok_or_else(|| EngineError::Refused(format!("it has a row with the key {key}")))?);
        }
        found.sort_unstable();
        Ok(found)
    }
}

#[cfg(test)]
mod tests;
