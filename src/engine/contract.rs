//! What every engine promises, as one test that each of them passes.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use artificio_random::Random;

use super::*;
use crate::base::dot::dot;
use crate::base::rows::to_unit_length;
use crate::config::{InventoryFolders, SearchScope};

const WIDTH: usize = 32;
/// What was put is found, and what was removed is found no more, after this long at most.
const VISIBLE: Duration = Duration::from_secs(10);
const NODES: [&str; 3] = ["a", "b", "cellar-2"];

/// An engine with a generation of rows of three nodes.
struct Case<'a> {
    engine: &'a dyn Engine,
    name: String,
    rows: Vec<EngineRow>,
}

/// Goes through all promises, on generations that are dropped at the end.
pub fn holds_for(engine: &dyn Engine) {
    let name = format!("contract_{}", crate::clock::now_us());
    let generation = EngineGeneration { name: name.clone(), width: WIDTH };
    assert!(!engine.version().unwrap().is_empty());
    nothing_is_there_before_it_is_prepared(engine, &generation);
    engine.prepare(&generation).unwrap();
    engine.prepare(&generation).unwrap();
    let other = EngineGeneration { width: WIDTH + 1, ..generation };
    assert!(matches!(engine.prepare(&other), Err(EngineError::OtherWidth { present: WIDTH, .. })));
    let case = Case { engine, name, rows: rows(450) };
    case.rows_are_put_once_however_often();
    case.keys_are_told_by_node_and_slice();
    case.near_are_those_of_others_with_their_rows();
    case.scopes_hold();
    case.several_members_find_what_is_near_to_one();
    case.a_row_is_replaced();
    case.rows_are_removed();
    case.generations_serve_and_retire();
}

fn nothing_is_there_before_it_is_prepared(engine: &dyn Engine, generation: &EngineGeneration) {
    let is_unknown = |error: EngineError| assert!(matches!(error, EngineError::NoGeneration(_)), "{error:?}");
    assert!(!engine.generations().unwrap().contains(&generation.name));
    is_unknown(engine.count(&generation.name).unwrap_err());
    is_unknown(engine.put(&generation.name, &rows(1)).unwrap_err());
    is_unknown(engine.keys(&generation.name, "a", KeyPrefix::ALL).unwrap_err());
    engine.retire(&generation.name).unwrap();
}

/// Around a few directions; their lengths differ. Some of the paths are unusual.
fn rows(count: usize) -> Vec<EngineRow> {
    let mut random = Random::new(3);
    let mut direction = |size: f32| (0..WIDTH).map(|_| size * random.normal()).collect::<Vec<f32>>();
    let centres: Vec<Vec<f32>> = (0..9).map(|_| direction(1.0)).collect();
    let path = |number: usize| match number {
        7 => PathBuf::from(OsString::from_vec(b"not utf-8 \xff\xfe/7.jpg".to_vec())),
        8 => "quotes \"'\\ and 100%/8.jpg".into(),
        9 => "new\nline/ümläut 料理.jpg".into(),
        _ => format!("{}/{number}.jpg", ["shirts", "shirts/old", "shoes", "shirts2"][number % 4]).into(),
    };
    let row = |number: usize| EngineRow {
        node: NODES[number % 3].into(),
        path: path(number),
        content: Hash::of(&number.to_le_bytes()),
        date: if number % 5 == 0 { WallTime::UNKNOWN } else { WallTime::of_seconds(number as i64 * 1_000) },
        embedding: centres[number % 9]
            .iter()
            .zip(direction(0.5))
            .map(|(centre, other)| 3.0 * (centre + other))
            .collect(),
    };
    (0..count).map(row).collect()
}

fn within(deadline: Duration, what: &str, mut holds: impl FnMut() -> bool) {
    let started = Instant::now();
    while !holds() {
        assert!(started.elapsed() < deadline, "not within {deadline:?}: {what}");
        thread::sleep(Duration::from_millis(50));
    }
}

fn cosine(one: &[f32], other: &[f32]) -> f32 {
    let (mut one, mut other) = (one.to_vec(), other.to_vec());
    to_unit_length(&mut one);
    to_unit_length(&mut other);
    dot(&one, &other)
}

fn members(embeddings: &[&[f32]]) -> Rows {
    Rows::from_values(WIDTH, embeddings.concat()).unwrap()
}

fn sorted_keys(rows: &[EngineRow]) -> Vec<PictureKey> {
    let mut keys: Vec<PictureKey> = rows.iter().map(EngineRow::key).collect();
    keys.sort_unstable();
    keys
}

impl Case<'_> {
    fn near(&self, members: &Rows, asker: &str, scope: &SearchScope, count: usize) -> Vec<EngineRow> {
        self.engine.near(&self.name, &NearRequest { members, asker, scope, count }).unwrap()
    }

    /// The exact answer to the same question.
    fn exact(&self, member: &[f32], asker: &str, count: usize) -> Vec<PictureKey> {
        let others = self.rows.iter().filter(|row| row.node != asker);
        let mut others: Vec<(f32, PictureKey)> =
            others.map(|row| (cosine(member, &row.embedding), row.key())).collect();
        others.sort_by(|one, other| other.0.total_cmp(&one.0));
        others.into_iter().take(count).map(|(_, key)| key).collect()
    }

    fn rows_are_put_once_however_often(&self) {
        for _ in 0..2 {
            self.rows.chunks(200).for_each(|some| self.engine.put(&self.name, some).unwrap());
            assert_eq!(self.engine.count(&self.name).unwrap(), self.rows.len());
        }
        let twice = [self.rows[0].clone(), self.rows[0].clone()];
        self.engine.put(&self.name, &twice).unwrap();
        assert_eq!(self.engine.count(&self.name).unwrap(), self.rows.len());
        self.engine.put(&self.name, &[]).unwrap();
        let narrow = EngineRow { embedding: vec![1.0; 3], ..self.rows[0].clone() };
        assert!(self.engine.put(&self.name, &[narrow]).is_err());
    }

    fn keys_are_told_by_node_and_slice(&self) {
        for node in NODES {
            let own: Vec<EngineRow> = self.rows.iter().filter(|row| row.node == node).cloned().collect();
            let slices = KeyPrefix::slices(own.len(), 20);
            let keys = slices.flat_map(|slice| self.engine.keys(&self.name, node, slice).unwrap());
            let mut expected: Vec<_> = own.iter().map(|row| (row.key(), row.content)).collect();
            expected.sort_unstable();
            assert_eq!(keys.collect::<Vec<_>>(), expected);
        }
        assert!(self.engine.keys(&self.name, "nobody", KeyPrefix::ALL).unwrap().is_empty());
        let slice = KeyPrefix::slices(self.rows.len(), 50).nth(5).unwrap();
        let mut expected: Vec<EngineRow> = self.rows.iter().filter(|row| slice.has(row.key())).cloned().collect();
        let mut sample = self.engine.sample(&self.name, slice).unwrap();
        [&mut expected, &mut sample].into_iter().for_each(|rows| rows.sort_by_key(EngineRow::key));
        assert!(!sample.is_empty());
        assert_eq!(sorted_keys(&sample), sorted_keys(&expected));
        sample.iter().zip(&expected).for_each(|(one, other)| assert_same(one, other));
    }

    fn near_are_those_of_others_with_their_rows(&self) {
        let everything = SearchScope::default();
        within(VISIBLE, "all rows can be found", || {
            let all = self.near(&members(&[&self.rows[0].embedding]), "nobody", &everything, self.rows.len());
            all.len() == self.rows.len()
        });
        let mut found = 0;
        for asked in self.rows.iter().step_by(30) {
            let near = self.near(&members(&[&asked.embedding]), "a", &everything, 10);
            assert!(near.len() == 10 && near.iter().all(|row| row.node != "a"));
            let exact = self.exact(&asked.embedding, "a", 10);
            found += near.iter().filter(|row| exact.contains(&row.key())).count();
            for row in &near {
                assert_same(row, self.rows.iter().find(|other| other.key() == row.key()).unwrap());
            }
        }
        let recall = found as f32 / 150.0;
        assert!(recall >= 0.99, "recall@10 {recall}");
        let wrong = Rows::from_values(WIDTH + 1, vec![1.0; WIDTH + 1]).unwrap();
        let request = NearRequest { members: &wrong, asker: "a", scope: &everything, count: 3 };
        assert!(self.engine.near(&self.name, &request).is_err());
    }

    fn scopes_hold(&self) {
        let folders = |names: &[&str]| InventoryFolders::of(names.iter().map(PathBuf::from)).unwrap();
        let mut scopes = vec![
            SearchScope { within: folders(&["shirts"]), ..SearchScope::default() },
            SearchScope {
                within: folders(&["shirts", "shoes"]),
                not_within: folders(&["shirts/old"]),
                ..SearchScope::default()
            },
            SearchScope { within: folders(&["quotes \"'\\ and 100%"]), ..SearchScope::default() },
            SearchScope { not_within: folders(&["shirts2"]), ..SearchScope::default() },
        ];
        for (after, before) in
            [(Some("1970-01-02"), None), (None, Some("1970-01-03")), (Some("1970-01-02"), Some("1970-01-03"))]
        {
            let mut scope = SearchScope { not_within: folders(&["shoes"]), ..SearchScope::default() };
            scope.taken.after = after.map(|text| text.parse().unwrap());
            scope.taken.before = before.map(|text| text.parse().unwrap());
            scopes.push(scope);
        }
        for scope in scopes {
            let near = self.near(&members(&[&self.rows[1].embedding]), "b", &scope, self.rows.len());
            let is_in = |row: &&EngineRow| row.node != "b" && scope.has(&row.path, row.date);
            let expected: Vec<EngineRow> = self.rows.iter().filter(is_in).cloned().collect();
            assert!(!expected.is_empty() && expected.len() < 300, "{scope}");
            assert_eq!(sorted_keys(&near), sorted_keys(&expected), "{scope}");
        }
    }

    fn several_members_find_what_is_near_to_one(&self) {
        let asked = [&self.rows[0], &self.rows[1], &self.rows[2]];
        let members = members(&asked.map(|row| &row.embedding[..]));
        let near = self.near(&members, "nobody", &SearchScope::default(), 30);
        let keys = sorted_keys(&near);
        assert!(keys.windows(2).all(|pair| pair[0] != pair[1]), "each once");
        for row in asked {
            assert!(keys.contains(&row.key()));
        }
    }

    fn a_row_is_replaced(&self) {
        let moved = EngineRow {
            content: Hash::of(b"another"),
            date: WallTime::of_seconds(5),
            embedding: self.rows[4].embedding.iter().map(|value| -value).collect(),
            ..self.rows[3].clone()
        };
        self.engine.put(&self.name, std::slice::from_ref(&moved)).unwrap();
        assert_eq!(self.engine.count(&self.name).unwrap(), self.rows.len());
        let keys = self.engine.keys(&self.name, &moved.node, KeyPrefix::ALL).unwrap();
        assert!(keys.contains(&(moved.key(), moved.content)));
        within(VISIBLE, "the new row is found", || {
            let near = self.near(&members(&[&moved.embedding]), "nobody", &SearchScope::default(), 3);
            near.iter().any(|row| row.key() == moved.key() && row.content == moved.content)
        });
        self.engine.put(&self.name, &self.rows[3..4]).unwrap();
    }

    fn rows_are_removed(&self) {
        let gone: Vec<PictureKey> = self.rows[10..40].iter().map(EngineRow::key).collect();
        for _ in 0..2 {
            self.engine.remove(&self.name, &gone).unwrap();
            assert_eq!(self.engine.count(&self.name).unwrap(), self.rows.len() - gone.len());
        }
        let node = &self.rows[10].node;
        let keys = self.engine.keys(&self.name, node, KeyPrefix::ALL).unwrap();
        assert!(!keys.iter().any(|(key, _)| gone.contains(key)));
        within(VISIBLE, "what was removed is found no more", || {
            let near =
                self.near(&members(&[&self.rows[10].embedding]), "nobody", &SearchScope::default(), self.rows.len());
            near.len() == self.rows.len() - gone.len()
        });
    }

    fn generations_serve_and_retire(&self) {
        let Self { engine, name, .. } = self;
        let next = EngineGeneration { name: format!("{name}_next"), width: 2 };
        assert!(engine.serve(&next.name).is_err(), "it is not prepared");
        engine.serve(name).unwrap();
        engine.serve(name).unwrap();
        assert_eq!(engine.serving().unwrap().as_ref(), Some(name));
        engine.prepare(&next).unwrap();
        let both = engine.generations().unwrap();
        assert!(both.contains(name) && both.contains(&next.name), "{both:?}");
        assert!(engine.retire(name).is_err(), "it serves");
        engine.serve(&next.name).unwrap();
        assert_eq!(engine.serving().unwrap().as_ref(), Some(&next.name));
        let count = engine.count(name).unwrap();
        assert_eq!(count, self.rows.len() - 30, "the one before is still there");
        engine.retire(name).unwrap();
        engine.retire(name).unwrap();
        assert!(matches!(engine.count(name), Err(EngineError::NoGeneration(_))));
        let everything = SearchScope::default();
        let asked = members(&[&self.rows[0].embedding]);
        let request = NearRequest { members: &asked, asker: "a", scope: &everything, count: 3 };
        assert!(matches!(engine.near(name, &request), Err(EngineError::NoGeneration(_))));
        assert_eq!(engine.serving().unwrap(), Some(next.name));
    }
}

/// The values to a thousandth: engines may keep them in fewer bits.
fn assert_same(one: &EngineRow, other: &EngineRow) {
    let without_values = |row: &EngineRow| EngineRow { embedding: Vec::new(), ..row.clone() };
    assert_eq!(without_values(one), without_values(other));
    for (one, other) in one.embedding.iter().zip(&other.embedding) {
        assert!((one - other).abs() < 0.01, "{one} and {other}");
    }
}

/// Where nobody listens, everything is an outage.
#[cfg(feature = "milvus")]
pub fn is_an_outage(engine: &dyn Engine) {
    let everything = SearchScope::default();
    let asked = members(&[&[1.0; WIDTH]]);
    let request = NearRequest { members: &asked, asker: "a", scope: &everything, count: 3 };
    let errors = [
        engine.version().unwrap_err(),
        engine.serving().unwrap_err(),
        engine.near("m1", &request).unwrap_err(),
        engine.put("m1", &rows(1)).unwrap_err(),
        engine.remove("m1", &[PictureKey::of("a", std::path::Path::new("b"))]).unwrap_err(),
    ];
    assert!(errors.iter().all(EngineError::is_outage), "{errors:?}");
}
