//! Many embeddings compared with all rows in one pass: the scan of `scan`, for a block of them at a time.

use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

use pulp::{Arch, Simd, WithSimd};

use super::averaging::{COPY, prepared};
use super::quantised::QuantisedQuery;
use super::sample::{RowId, SampledPicture};
use super::segment::{Name, Segment, place};
use crate::base::parallel;
use crate::config::Metric;

/// Columns compared in one pass: with 192 values each they stay in a core's nearest cache.
const BLOCK: usize = 64;
/// Columns that share what is loaded of a row.
const GROUP: usize = 4;

/// A row near to a column.
#[derive(Debug, Clone, PartialEq)]
pub struct NearestOther {
    /// Its row.
    pub id: RowId,
    /// Its path.
    pub name: Name,
    /// The cosine of both embeddings, by coarse values of this one.
    pub cosine: f32,
}

impl NearestOther {
    /// The nearer first, of equal ones by path.
    fn order(&self, cosine: f32, name: &Name) -> Ordering {
        cosine.total_cmp(&self.cosine).then_with(|| self.name.cmp(name))
    }
}

/// The nearest others of a picture: of all that are not in this list none would come before its last.
#[derive(Debug, Clone)]
pub struct NearList {
    near: Vec<NearestOther>,
    /// Whether every other is in it.
    is_whole: bool,
}

impl NearList {
    /// Of which nothing is known yet, so that all rows have to be offered.
    pub fn unknown() -> Self {
        Self { near: Vec::new(), is_whole: true }
    }

    /// Those in it, the nearest first.
    pub fn near(&self) -> &[NearestOther] {
        &self.near
    }

    /// Whether its first `count` are the nearest of all.
    pub fn holds(&self, count: usize) -> bool {
        self.is_whole || self.near.len() >= count
    }

    /// Drops those that `is_gone` names.
    pub fn forget(&mut self, is_gone: impl Fn(RowId) -> bool) {
        self.near.retain(|near| !is_gone(near.id));
    }
}

/// A picture of the sample in a scan.
struct SampleColumn {
    own: RowId,
    query: QuantisedQuery,
    list: NearList,
    most: usize,
}

impl SampleColumn {
    fn new(segments: &[Arc<Segment>], member: &SampledPicture, list: NearList, most: usize) -> Self {
        let (segment, row) = place(member.position);
        let embedding = prepared(segments[segment].embedding(row), Metric::Cosine);
        Self { own: member.id, query: QuantisedQuery::new(&embedding), list, most }
    }

    /// What a cosine must reach to be listed.
    fn floor(&self) -> f32 {
        match self.list.near.last() {
            Some(last) if !self.list.is_whole || self.list.near.len() == self.most => last.cosine,
            _ => f32::NEG_INFINITY,
        }
    }

    fn offer(&mut self, cosine: f32, segment: &Segment, row: usize) {
        let (id, name) = (RowId::of(&segment.heads()[row]), segment.name(row));
        let list = &mut self.list;
        let rank = list.near.partition_point(|near| near.order(cosine, name).is_lt());
        if id == self.own || (rank == list.near.len() && !list.is_whole) {
            return;
        }
        list.near.insert(rank, NearestOther { id, name: Arc::clone(name), cosine });
        if list.near.len() > self.most {
            list.near.pop();
            list.is_whole = false;
        }
    }
}

/// The lists of `members`, after all rows of `runs`, given by segment, were offered to them; at most `most` are listed. On all
/// cores, a block of members at a time.
pub fn scan(
    segments: &[Arc<Segment>],
    runs: &[(usize, Range<usize>)],
    members: &[(&SampledPicture, NearList)],
    most: usize,
) -> Vec<NearList> {
    let blocks: Vec<_> = members.chunks(BLOCK).collect();
    let scanned = parallel::map(blocks.len(), |at| {
        let column =
            |(member, list): &(&SampledPicture, NearList)| SampleColumn::new(segments, member, list.clone(), most);
        let mut columns: Vec<SampleColumn> = blocks[at].iter().map(column).collect();
        for (segment, rows) in runs {
            Arch::new().dispatch(RunScan { segment: &segments[*segment], rows: rows.clone(), columns: &mut columns });
        }
        columns.into_iter().map(|column| column.list).collect::<Vec<_>>()
    });
    scanned.into_iter().flatten().collect()
}

/// Rows of a segment to be scanned. Not a closure: those are not compiled for the vectors of the dispatch.
struct RunScan<'a> {
    segment: &'a Segment,
    rows: Range<usize>,
    columns: &'a mut [SampleColumn],
}

impl WithSimd for RunScan<'_> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { segment, rows, columns } = self;
        let mut wide = vec![0_i16; segment.width()];
        let mut floors: Vec<f32> = columns.iter().map(SampleColumn::floor).collect();
        for (row, (coarse, head)) in segment.coarse().enumerate().take(rows.end).skip(rows.start) {
            let factor = if head.length > 0.0 { head.scale / head.length } else { 0.0 };
            wide.iter_mut().zip(coarse).for_each(|(wide, coarse)| *wide = i16::from(*coarse));
            for (group, floors) in columns.chunks_mut(GROUP).zip(floors.chunks_mut(GROUP)) {
                // The last group may be smaller: the rest of it is compared once more, and not looked at.
                let queries = std::array::from_fn(|at| &group[at.min(group.len() - 1)].query);
                let cosines: [f32; GROUP] = QuantisedQuery::dots(queries, &wide, factor);
                for ((column, floor), cosine) in group.iter_mut().zip(floors).zip(cosines) {
                    // Copies say nothing of how near other pictures are.
                    if cosine >= *floor && cosine < COPY {
                        column.offer(cosine, segment, row);
                        *floor = column.floor();
                    }
                }
            }
        }
    }
}
