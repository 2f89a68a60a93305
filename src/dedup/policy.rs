//! What counts as a near-duplicate and which pairs are compared to find out: the thresholds, with what they were chosen by.
//!
//! Training has a rule of its own for pictures that are nearly the same, `model::sample_weights`: there a pair too many costs
//! next to nothing, so it needs no pixels.

/// From this similarity of an [`Alignment`](super::Alignment) on, two pictures are near-duplicates.
///
/// Measured (`benches/duplicates.py` on 1,326 pictures of three sets and as many altered copies): it is reached by 99 % and
/// more of the copies of quality 30, of half the size, mirrored, turned, brighter, of more contrast or colour, grey, framed,
/// with a caption, and trimmed to 75 % of both sides; by 97 % of those trimmed to 75 % and grey, 94 % of those trimmed to 60 %,
/// 92 % of those of other hues. Of the 29,879 pairs of different files in these sets that are among the 32 nearest by features,
/// 52 reach it and were checked by eye: about half are copies and edits that lie in the sets; of the others nearly all are
/// packages of one design, drawings of one symbol, or photographs of one thing taken one after the other. From 0.96 on there
/// are a third fewer wrong pairs, and 72 % of the copies trimmed to 60 %.
pub const NEAR_DUPLICATE: f32 = 0.92;

/// The features of two near-duplicates have at least this cosine. Of 20 ways of changing a picture the hardest, trimmed to
/// three quarters and drained of colour, leaves 0.52.
const LEAST_COSINE: f32 = 0.5;

/// The outlines of two near-duplicates have at least this cosine, in one of their poses. It rules out little, and serves where
/// the backbone's features are not known.
const LEAST_OUTLINE: f32 = 0.3;

/// Which pairs are worth a comparison of their pixels.
#[derive(Debug, Clone, Copy)]
pub struct Candidates {
    /// Those of at least this cosine ...
    pub least: f32,
    /// ... and of each picture the nearest so many.
    pub nearest: usize,
}

/// All pairs of a collection, by features: even the hardest copy is among the 32 nearest 98 times in 100.
pub const OF_ALL_BY_FEATURES: Candidates = Candidates { least: LEAST_COSINE, nearest: 32 };
/// ... by outlines in addition, as they are and mirrored: they do not depend on colours, and need no network.
pub const OF_ALL_BY_OUTLINES: Candidates = Candidates { least: 0.8, nearest: 8 };
/// ... by outlines where there are no features.
pub const OF_ALL_BY_OUTLINES_ALONE: Candidates = Candidates { least: LEAST_OUTLINE, nearest: 32 };

/// ... by their details, which takes their files: of 120 strongly altered copies 111 are among the 8 nearest by features, 113
/// among the 32 nearest.
pub const OF_ALL_IN_DETAIL: Candidates = Candidates { least: 0.4, nearest: 8 };
/// ... the same among many, by folded rows around the mean.
pub const OF_MANY_IN_DETAIL: Candidates = Candidates { least: 0.3, nearest: 2 };
/// ... by outlines: none, they say too little.
pub const NONE_IN_DETAIL: Candidates = Candidates { least: 1.0, nearest: 0 };
/// So many pictures are looked at in detail, at most: those of pairs to be confirmed, then those nearest to one another. A
/// picture takes some 10 CPU-ms and the time to read and decode its file, and 50 kB.
pub const MOST_IN_DETAIL: usize = 4_096;
/// In detail, two pictures are copies where so many corners agree on how one lies in the other, and the pixels correlate so
/// far; or where fewer corners do, and the pixels further. Measured on 12 strong alterations (rotated by 12°, tilted, in a
/// screenshot, a collage, with letters all over, and so on) of 120 pictures, half of them and 1,005 others to choose it by: 97
/// of 120 found and none wrong; of the 1,005, in which products, stamps and packages differ in little, 287 right and 8 that are
/// two pictures of one thing. Two pictures under the same letters reach 0.93 with 16 corners, two stamps of one series 0.89
/// with 39.
pub const COPY_IN_DETAIL: [(usize, f32); 2] = [(20, 0.9), (8, 0.96)];
/// Of two pictures that have so many corners each, of which fewer than those 8 agree, neither is a copy. One of two wrong pairs
/// of the first set is refuted so, and none that is right.
pub const MANY_CORNERS: usize = 100;
/// The share of either picture that lies in the other, at least.
pub const COVERED_IN_DETAIL: f32 = 0.8;
/// From this similarity of miniatures on a pair is certain without a look at its details. Products of two kinds reach 0.972.
pub const CERTAIN: f32 = 0.98;

/// Up to so many pictures all pairs are compared. Among more, candidates come from cells, and from codes in place of features:
/// all pairs would take n² time, and features 5 kB a picture.
pub const ALL_PAIRS_UP_TO: usize = 16_384;

/// How candidates among many pictures are found.
#[derive(Debug, Clone, Copy)]
pub struct CellSearch {
    /// A cell has about so many members; of larger ones ...
    pub members: usize,
    /// ... so many are compared.
    pub most: usize,
    /// So many cells are searched for a picture.
    pub probes: usize,
}

/// By features: both pictures of 99.9 % of the hardest copies see each other's cell.
pub const CELLS_OF_FEATURES: CellSearch = CellSearch { members: 512, most: 2048, probes: 16 };
/// ... by outlines, of which only near ones are candidates.
pub const CELLS_OF_OUTLINES: CellSearch = CellSearch { members: 512, most: 2048, probes: 8 };
/// Values in a folded row of features. Among 25,000 pictures 99.5 % of the copies are among the 32 nearest, as by the features
/// themselves: what folding loses is won back by leaving out the mean, which all pictures have in common.
pub const FOLDED_VALUES: usize = 256;
/// [`OF_ALL_BY_FEATURES`] for folded rows, around the mean: 998 of 1000 copies have at least this cosine.
pub const OF_ALL_BY_FOLDED_FEATURES: Candidates = Candidates { least: 0.3, nearest: OF_ALL_BY_FEATURES.nearest };

/// One picture among a few, such as the matches of a query: a copy that is among the 32 nearest of a whole inventory is among
/// the first of some fifty matches. A comparison takes a fifth of a millisecond, and an answer waits for it.
pub const OF_ONE_BY_FEATURES: Candidates = Candidates { least: LEAST_COSINE, nearest: 8 };
/// ... by outlines where the features are not known.
pub const OF_ONE_BY_OUTLINES: Candidates = Candidates { least: LEAST_OUTLINE, nearest: OF_ONE_BY_FEATURES.nearest };
/// Once there are as many matches as were asked for, copies of them are only counted, and those that are nearly as similar to
/// the query as their original come soon after it: one comparison, with the nearest match, is enough.
pub const COMPARED_TO_COUNT: usize = 1;

/// Where copies are only left out of a statistic, pictures whose features have a lower cosine are not compared by their pixels:
/// one picture in twenty is compared instead of all, and the copies that are missed are not much nearer than other pictures.
pub const COPIES_LOOK_ALIKE: f32 = 0.8;

/// Where the outline of a window agrees less with that of the other picture, nothing finer is compared. Of copies trimmed to
/// 60 % of both sides one in a hundred has less than 0.77. Other than `LEAST_OUTLINE`, which compares whole pictures, this
/// compares the window that a trimmed copy shows.
pub const LEAST_WINDOW_OUTLINE: f32 = 0.7;
/// Where relief agrees less at the start, the window is not refined.
pub const LEAST_RELIEF: f32 = 0.25;
