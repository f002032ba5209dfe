//! A forest of shallow trees laid out for speed: two bytes a split, every tree a full tree of eight levels.
//!
//! All thresholds that the forest has on a column are sorted once; a value then is its rank among them,
//! and a split is `rank | direction of unknown values | column` in 16 bits. A value whose rank stands in
//! the same bits goes right exactly when it is greater as a whole, so one integer comparison decides
//! just as the f32 comparison of the plain tree does. A value is looked up by the split's column and
//! direction together, so an unknown one is there twice: as smaller and as greater than every split. A
//! path that ends early goes on to the left. Fits forests of at most 8 levels, 32 used columns and about
//! 65,536 / 2 / columns thresholds a column: the published 100 trees of 256 rows nearly always. Others
//! are walked by [`super::flat`].
//!
//! A tree is cut in the middle: four levels of fifteen splits, and below each of their sixteen ends four
//! levels more. So cut, [`super::wide`] decides all splits of a part at once. Without AVX-512 a walk is
//! bound by its dependent loads (five or six instructions a split, 800 splits a row).
use std::sync::OnceLock;

use super::Forest;
use super::follow::{Split, Users};
use super::tree::Tree;
#[cfg(target_arch = "x86_64")]
use super::wide::Wide;

/// Levels of every tree; deeper ones do not fit.
pub const MAX_DEPTH: u32 = 8;
/// Ends of a part of four levels, and words of its splits, of which the first is not used.
pub const PART: usize = 16;
/// Ends of a tree.
pub const ENDS: usize = PART * PART;
/// Most columns in use.
pub const MAX_COLUMNS: usize = 32;
/// Most thresholds of a column.
const MAX_KEYS: usize = 2047;
/// Keys that are compared at once.
pub const LANES: usize = 16;
/// Keys behind one pivot.
pub const BLOCK_KEYS: usize = 2 * LANES;
/// The smallest choice of a value is among eight columns.
const MIN_COLUMN_BITS: u32 = 3;
/// A split that sends everything left; no real split looks like it.
const ALWAYS_LEFT: u16 = u16::MAX;
/// An unknown value that goes right: greater than every split.
const UNKNOWN_RIGHT: u16 = u16::MAX;
/// Trees walked at once for one row, so that their loads overlap.
const ABREAST: usize = 8;

/// The upper parts of two trees.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct TopPair(pub [[u16; PART]; 2]);

/// The sixteen lower parts of a tree.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Below(pub [[u16; PART]; PART]);

/// Thresholds beside one another.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Keys(pub [f32; LANES]);

/// A row as its splits look it up: by direction and column, or by column alone when all is known.
#[derive(Debug, Clone)]
#[repr(align(64))]
pub struct Ranks(pub [[u16; MAX_COLUMNS]; 2]);

impl Ranks {
    /// Ranks to be written.
    pub const fn new() -> Self {
        Self([[0; MAX_COLUMNS]; 2])
    }
}

/// A column in use: where it stands in a row, and where its thresholds begin.
///
/// First stand the pivots, every 32nd threshold, then all of them in ascending order; the rest is NaN.
#[derive(Debug, Clone)]
pub struct Column {
    pub source: usize,
    pub start: usize,
    /// Thresholds.
    pub count: usize,
}

impl Column {
    /// Its value in a row, as trees compare it.
    pub fn value(&self, row: &[f64]) -> f32 {
        narrow(row, self.source)
    }
}

/// The forest's splits and leaves.
#[derive(Debug, Clone)]
pub struct Compact {
    pub columns: Vec<Column>,
    pub keys: Vec<Keys>,
    /// Groups of pivots that every column has: 1, 2 or 4.
    pub pivots: usize,
    /// Bits that name the column.
    pub column_bits: u32,
    /// An odd number of trees has an empty one at the end here, and in `below`.
    pub tops: Vec<TopPair>,
    pub below: Vec<Below>,
    /// What a tree adds to the sum when a row ends there.
    pub leaves: Vec<[f64; ENDS]>,
    /// Made when first asked for.
    users: OnceLock<Users>,
    #[cfg(target_arch = "x86_64")]
    pub wide: Option<Wide>,
}

/// A column of the rows, and its distinct thresholds in ascending order.
type SortedKeys = (usize, Vec<f32>);

impl Compact {
    /// The forest in this layout, or `None` when it does not fit.
    pub fn of(forest: &Forest) -> Option<Self> {
        if forest.trees.iter().map(Tree::depth).max()? > MAX_DEPTH
            || forest.trees.iter().any(Tree::is_extended)
        {
            return None;
        }
        let (sorted, places) = used_columns(forest)?;
        let column_bits = sorted.len().next_power_of_two().ilog2().max(MIN_COLUMN_BITS);
        let most = usize::from(u16::MAX >> (column_bits + 1)) - 1;
        let longest = sorted.iter().map(|(_, keys)| keys.len()).max()?;
        if longest > most.min(MAX_KEYS) {
            return None;
        }
        let count = forest.trees.len();
        let (mut tops, mut below) = (Vec::with_capacity(count + 1), Vec::with_capacity(count + 1));
        let mut leaves = Vec::with_capacity(count);
        let ranked = Ranked { columns: &sorted, places: &places, column_bits };
        for (tree, &factor) in forest.trees.iter().zip(&forest.factors) {
            let mut ends = [0.0; ENDS];
            let leaf = |at: usize, level, size| {
                ends[(at << (MAX_DEPTH - level)) - ENDS] = forest.leaf_value(level, size, factor);
            };
            let (top, lower) = ranked.place(tree, leaf)?;
            tops.push(top);
            below.push(lower);
            leaves.push(ends);
        }
        if !tops.len().is_multiple_of(2) {
            tops.push([ALWAYS_LEFT; PART]);
            below.push(Below([[ALWAYS_LEFT; PART]; PART]));
        }
        let tops = tops.as_chunks::<2>().0.iter().map(|&pair| TopPair(pair)).collect();
        let pivots = (longest / BLOCK_KEYS).div_ceil(LANES).next_power_of_two();
        let mut compact = Self {
            columns: Vec::new(),
            keys: Vec::new(),
            pivots,
            column_bits,
            tops,
            below,
            leaves,
            users: OnceLock::new(),
            #[cfg(target_arch = "x86_64")]
            wide: Wide::detect(),
        };
        for (source, keys) in &sorted {
            compact.add_column(*source, keys);
        }
        Some(compact)
    }

    fn add_column(&mut self, source: usize, keys: &[f32]) {
        self.columns.push(Column { source, start: self.keys.len(), count: keys.len() });
        let pivots: Vec<f32> = keys.iter().copied().skip(BLOCK_KEYS - 1).step_by(BLOCK_KEYS).collect();
        let blocks = keys.len() / BLOCK_KEYS + 1;
        for (values, groups) in [(&pivots[..], self.pivots), (keys, blocks * (BLOCK_KEYS / LANES))] {
            let at = |place: usize| values.get(place).copied().unwrap_or(f32::NAN);
            let group = |index: usize| Keys(std::array::from_fn(|lane| at(index * LANES + lane)));
            self.keys.extend((0..groups).map(group));
        }
    }

    /// The sum over all trees for one row.
    pub fn sum(&self, row: &[f64]) -> f64 {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.wide {
            return wide.sum(self, row);
        }
        self.plain_sum(row)
    }

    fn plain_sum(&self, row: &[f64]) -> f64 {
        let mut sum = 0.0;
        self.walk(row, |tree, end| sum += self.leaves[tree][end]);
        sum
    }

    /// Calls `visit` with each tree, in their order, and where the row ends in it.
    pub fn visit(&self, row: &[f64], visit: impl FnMut(usize, usize)) {
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = self.wide {
            return wide.visit(self, row, visit);
        }
        self.walk(row, visit);
    }

    /// The same, one split after the other.
    fn walk(&self, row: &[f64], mut visit: impl FnMut(usize, usize)) {
        let mut ranks = Ranks::new();
        for (place, column) in self.columns.iter().enumerate() {
            self.put(&mut ranks, place, self.rank(column, column.value(row)));
        }
        let (count, mut ends) = (self.leaves.len(), [0_usize; ABREAST]);
        for first in (0..count).step_by(ABREAST) {
            let some = (count - first).min(ABREAST);
            self.ends(first, some, ranks.0.as_flattened(), &mut ends);
            ends[..some].iter().enumerate().for_each(|(tree, &end)| visit(first + tree, end & (ENDS - 1)));
        }
    }

    /// Which trees have which thresholds.
    pub fn users(&self) -> &Users {
        self.users.get_or_init(|| Users::of(self))
    }

    /// Calls `visit` with every split, its column's place among those in use and its threshold's rank.
    #[allow(clippy::cast_possible_truncation)] // At most 10,000 trees, 256 ends.
    pub fn for_each_split(&self, mut visit: impl FnMut(Split, usize, usize)) {
        let column_mask = (1_u16 << self.column_bits) - 1;
        for tree in 0..self.leaves.len() {
            let top = (&self.tops[tree / 2].0[tree % 2], 0, 0);
            let below = self.below[tree].0.iter().enumerate();
            let below = below.map(|(end, words)| (words, MAX_DEPTH / 2, end * PART));
            for (words, above, end) in std::iter::once(top).chain(below) {
                for (place, &word) in words.iter().enumerate().filter(|(_, word)| **word != ALWAYS_LEFT) {
                    let level = place.ilog2();
                    let rest = MAX_DEPTH - above - level;
                    let value = end | (place - (1 << level)) << rest;
                    let mask = (ENDS - 1) >> rest << rest;
                    let split = Split { tree: tree as u16, mask: mask as u8, value: value as u8 };
                    visit(split, (word & column_mask).into(), (word >> (self.column_bits + 1)).into());
                }
            }
        }
    }

    /// The threshold of a rank that a column has.
    pub fn key(&self, column: &Column, rank: usize) -> f32 {
        self.keys[column.start + self.pivots + rank / LANES].0[rank % LANES]
    }

    /// Where a row ends in one tree.
    pub fn end(&self, tree: usize, ranks: &Ranks) -> usize {
        let (ranks, mask) = (ranks.0.as_flattened(), (1_u16 << (self.column_bits + 1)) - 1);
        let walk = |part: &[u16; PART]| {
            (0..MAX_DEPTH / 2).fold(1, |place, _| step(ranks, mask, part[place & (PART - 1)], place))
                & (PART - 1)
        };
        let upper = walk(&self.tops[tree / 2].0[tree % 2]);
        upper * PART + walk(&self.below[tree].0[upper])
    }

    /// How many thresholds are at most the value, or none for an unknown one.
    pub fn rank(&self, column: &Column, value: f32) -> Option<usize> {
        let start = column.start + self.pivots;
        let keys: &[Keys] = &self.keys[start..start + column.count.div_ceil(LANES)];
        let (mut rank, mut size) = (0, column.count);
        while size > 0 {
            let half = size / 2;
            let key = keys[(rank + half) / LANES].0[(rank + half) % LANES];
            // A branch would be guessed wrong every other time.
            rank += std::hint::select_unpredictable(key <= value, size - half, 0);
            size = half;
        }
        (!value.is_nan()).then_some(rank)
    }

    /// Writes a column's rank as splits compare it, for both directions.
    #[inline(always)]
    #[allow(clippy::inline_always, clippy::cast_possible_truncation)] // Part of the kernel; ranks fit.
    pub fn put(&self, ranks: &mut Ranks, place: usize, rank: Option<usize>) {
        let ranks = ranks.0.as_flattened_mut();
        let word = rank.map(|rank| (rank as u16) << (self.column_bits + 1));
        ranks[place] = word.unwrap_or(0);
        ranks[place + (1 << self.column_bits)] = word.unwrap_or(UNKNOWN_RIGHT);
    }

    /// Where the row ends in each of `count` trees from `first` on.
    #[inline]
    fn ends(&self, first: usize, count: usize, ranks: &[u16], ends: &mut [usize; ABREAST]) {
        let mask = (1_u16 << (self.column_bits + 1)) - 1;
        let step = |split: u16, place: usize| step(ranks, mask, split, place);
        let tops = |tree: usize| &self.tops[tree / 2].0[tree % 2];
        let mut places = [1_usize; ABREAST];
        for _ in 0..MAX_DEPTH / 2 {
            for (tree, place) in places[..count].iter_mut().enumerate() {
                let top = tops(first + tree);
                *place = step(top[*place & (PART - 1)], *place);
            }
        }
        *ends = places.map(|place| (place & (PART - 1)) * PART);
        places = [1; ABREAST];
        for _ in 0..MAX_DEPTH / 2 {
            for (tree, place) in places[..count].iter_mut().enumerate() {
                let part = &self.below[first + tree].0[ends[tree] / PART];
                *place = step(part[*place & (PART - 1)], *place);
            }
        }
        for (end, place) in ends.iter_mut().zip(places) {
            *end += place & (PART - 1);
        }
    }
}

/// The place after a split's.
#[inline(always)]
#[allow(clippy::inline_always)] // Most of a walk.
fn step(ranks: &[u16], mask: u16, split: u16, place: usize) -> usize {
    let value = ranks[usize::from(split & mask) & (2 * MAX_COLUMNS - 1)];
    2 * place + usize::from(value > split)
}

/// A value of a row as trees compare it; one beyond the row's end is unknown.
#[allow(clippy::cast_possible_truncation)] // Trees compare f32.
fn narrow(row: &[f64], column: usize) -> f32 {
    row.get(column).map_or(f32::NAN, |&value| value as f32)
}

/// All thresholds, for turning splits into words.
struct Ranked<'a> {
    columns: &'a [SortedKeys],
    /// Of each column of a row, its place among those in use.
    places: &'a [usize],
    column_bits: u32,
}

impl Ranked<'_> {
    /// A tree's splits; `leaf` is told the place, level and size of each leaf, places being counted level
    /// by level from 1 on.
    #[allow(clippy::cast_possible_truncation)] // At most 32 columns, 2,047 ranks.
    fn place(&self, tree: &Tree, mut leaf: impl FnMut(usize, u32, u32)) -> Option<([u16; PART], Below)> {
        let (mut top, mut below) = ([ALWAYS_LEFT; PART], Below([[ALWAYS_LEFT; PART]; PART]));
        // Each node's place; children are behind their parents.
        let mut placed = vec![1_usize; tree.nodes().len()];
        for (index, node) in tree.nodes().iter().enumerate() {
            let (at, level) = (placed[index], placed[index].ilog2());
            if node.is_leaf() {
                leaf(at, level, node.size);
                continue;
            }
            let column = self.places[usize::from(node.feature)];
            let order = |key: &f32| key.total_cmp(&(node.threshold + 0.0));
            let rank = self.columns[column].1.binary_search_by(order).ok()? as u16;
            let direction = u16::from(node.missing_right);
            let split = (rank << 1 | direction) << self.column_bits | column as u16;
            if let Some(deeper) = level.checked_sub(MAX_DEPTH / 2) {
                let part = &mut below.0[(at >> deeper) - PART];
                part[1 << deeper | at & ((1 << deeper) - 1)] = split;
            } else {
                top[at] = split;
            }
            let left = node.left as usize;
            (placed[left], placed[left + 1]) = (2 * at, 2 * at + 1);
        }
        Some((top, below))
    }
}

/// The columns in use with their distinct thresholds, and for every column of a row its place among them.
fn used_columns(forest: &Forest) -> Option<(Vec<SortedKeys>, Vec<usize>)> {
    let mut keys = vec![Vec::new(); forest.features().len()];
    for node in forest.trees.iter().flat_map(Tree::nodes).filter(|node| !node.is_leaf()) {
        // Adding 0 makes one of 0 and −0.
        keys[usize::from(node.feature)].push(node.threshold + 0.0);
    }
    let (mut columns, mut places) = (Vec::new(), vec![0; keys.len()]);
    for (source, mut keys) in keys.into_iter().enumerate().filter(|(_, keys)| !keys.is_empty()) {
        keys.sort_unstable_by(f32::total_cmp);
        keys.dedup();
        places[source] = columns.len();
        columns.push((source, keys));
    }
    (!columns.is_empty() && columns.len() <= MAX_COLUMNS).then_some((columns, places))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::forest::fit::fit;
    use crate::forest::params::ForestParams;
    use crate::forest::{FeatureName, score_of};
    use crate::random::Random;

    /// The kernel is what runs where there is one, so the plain walk is asked for by name.
    #[test]
    fn the_walk_without_vectors_gives_the_bits_of_the_definition() {
        let mut random = Random::new(9);
        for (columns, trees) in [(1, 5), (8, 9), (9, 130), (16, 100), (17, 33), (32, 100)] {
            let mut value = || if random.below(9) == 0 { f64::NAN } else { random.normal() };
            let rows: Vec<f64> = (0..400 * columns).map(|_| value()).collect();
            let name = |index| FeatureName { name: format!("f{index}"), unit: String::new() };
            let mut params = ForestParams::new("f", (0..columns).map(name).collect());
            params.trees = f64::from(trees);
            let forest = fit(&rows, params.check().unwrap()).unwrap().forest;
            let compact = Compact::of(&forest).unwrap();
            for row in rows.chunks_exact(columns) {
                let expected = forest.reference_score(row).to_bits();
                assert_eq!(score_of(compact.plain_sum(row)).to_bits(), expected);
                assert_eq!(score_of(compact.sum(row)).to_bits(), expected);
            }
        }
    }
}
