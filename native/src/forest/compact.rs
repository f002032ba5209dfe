//! A forest of shallow trees laid out for speed: two bytes a split, every tree a full tree of eight levels.
//!
//! All thresholds that the forest has on a column are sorted once; a value then is its rank among them,
//! and a split is `rank | direction of unknown values | column` in 16 bits. A value whose rank stands in
//! the same bits goes right exactly when it is greater as a whole, so one integer comparison decides
//! just as the f32 comparison of the plain tree does. A path that ends early goes on to the left. Fits
//! forests of at most 8 levels, 32 used columns and about 65,536 / 2 / columns thresholds a column: the
//! published 100 trees of 256 rows nearly always. Others are walked by [`super::flat`].
//!
//! Limits, as measured: one row is bound by the loads of dependent splits (five or six instructions a
//! split, 800 splits a row); a block by the AVX-512 kernel's choice of a column for each lane.
use std::hint::select_unpredictable;

use super::Forest;
use super::tree::Tree;

/// Levels of every tree; deeper ones do not fit.
pub const MAX_DEPTH: u32 = 8;
/// Most columns in use.
pub const MAX_COLUMNS: usize = 32;
/// Places of a tree: splits from 1 on, level by level; leaves from 0 on.
pub const PLACES: usize = 256;
/// Most thresholds of a column.
const MAX_RANKS: usize = 2047;
/// The kernel looks at 32 keys at once.
pub const MIN_KEYS: usize = 32;
/// The kernel's smallest choice is among eight columns.
const MIN_COLUMN_BITS: u32 = 3;
/// A split that sends everything left; no real split looks like it.
const ALWAYS_LEFT: u16 = u16::MAX;
/// An unknown value: greater than every split.
pub const UNKNOWN: u16 = u16::MAX;
/// Trees walked at once for one row, so that their loads overlap.
const ABREAST: usize = 8;

/// A column in use: where it stands in a row, and its thresholds in ascending order.
#[derive(Debug, Clone)]
pub struct Column {
    pub source: usize,
    /// Filled up with the largest integer to a power of two.
    pub keys: Vec<i32>,
}

impl Column {
    /// How many thresholds are at most `key`.
    pub fn rank(&self, key: i32) -> usize {
        let (mut rank, mut half) = (0, self.keys.len() / 2);
        while half > 0 {
            // A branch would be guessed wrong every other time.
            let passed = self.keys[rank + half - 1] <= key;
            rank += select_unpredictable(passed, half, 0);
            half /= 2;
        }
        rank
    }
}

/// The forest's splits and leaves.
#[derive(Debug, Clone)]
pub struct Compact {
    pub columns: Vec<Column>,
    /// Bits that name the column.
    pub column_bits: u32,
    pub splits: Vec<[u16; PLACES]>,
    /// What a tree adds to the sum when a row ends there.
    pub leaves: Vec<[f64; PLACES]>,
}

/// A column of the rows, and its distinct thresholds in ascending order.
type SortedKeys = (usize, Vec<i32>);

/// One row as ranks.
type Ranks = [u16; MAX_COLUMNS];

/// An integer that orders as the number does; 0 and −0 are one.
pub fn order_key(value: f32) -> i32 {
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed()
}

impl Compact {
    /// The forest in this layout, or `None` when it does not fit.
    pub fn of(forest: &Forest) -> Option<Self> {
        let depth = forest.trees.iter().map(|tree| tree.depths().into_iter().max()).max()??;
        if depth > MAX_DEPTH || forest.trees.iter().any(Tree::is_extended) {
            return None;
        }
        let (columns, places) = used_columns(forest)?;
        let column_bits = columns.len().next_power_of_two().ilog2().max(MIN_COLUMN_BITS);
        let most = usize::from(u16::MAX >> (column_bits + 1)) - 1;
        if columns.iter().any(|(_, keys)| keys.len() > most.min(MAX_RANKS)) {
            return None;
        }
        let ranked = Ranked { columns: &columns, places: &places, column_bits };
        let (mut splits, mut leaves) = (Vec::new(), Vec::new());
        for (tree, &factor) in forest.trees.iter().zip(&forest.factors) {
            let mut tree_leaves = [0.0; PLACES];
            let leaf = |at: usize, level, size| {
                tree_leaves[(at << (MAX_DEPTH - level)) - PLACES] = forest.leaf_value(level, size, factor);
            };
            splits.push(ranked.place(tree, leaf)?);
            leaves.push(tree_leaves);
        }
        let columns = columns.into_iter().map(|(source, keys)| padded(source, keys)).collect();
        Some(Self { columns, column_bits, splits, leaves })
    }

    /// The sum over all trees for one row.
    pub fn sum(&self, row: &[f64]) -> f64 {
        let (ranks, unknown) = self.ranks(row);
        if unknown { self.walk::<true>(&ranks) } else { self.walk::<false>(&ranks) }
    }

    /// The row's ranks, and whether any value is unknown.
    #[allow(clippy::cast_possible_truncation)] // Trees compare f32; ranks fit.
    fn ranks(&self, row: &[f64]) -> (Ranks, bool) {
        let (mut ranks, mut unknown) = ([0; MAX_COLUMNS], false);
        for (rank, column) in ranks.iter_mut().zip(&self.columns) {
            let value = row.get(column.source).map_or(f32::NAN, |&value| value as f32);
            *rank = self.word(column, value);
            unknown |= value.is_nan();
        }
        (ranks, unknown)
    }

    /// A value as splits compare it.
    #[allow(clippy::cast_possible_truncation)] // Ranks fit.
    pub fn word(&self, column: &Column, value: f32) -> u16 {
        let rank = (column.rank(order_key(value)) as u16) << (self.column_bits + 1);
        if value.is_nan() { UNKNOWN } else { rank }
    }

    fn walk<const SOME_UNKNOWN: bool>(&self, ranks: &Ranks) -> f64 {
        let mut sum = 0.0;
        let (groups, rest) = self.splits.as_chunks::<ABREAST>();
        let (leaves, rest_leaves) = self.leaves.as_chunks::<ABREAST>();
        for (splits, leaves) in groups.iter().zip(leaves) {
            let places = self.places::<SOME_UNKNOWN, ABREAST>(splits, ranks);
            for (place, leaves) in places.iter().zip(leaves) {
                sum += leaves[place & (PLACES - 1)];
            }
        }
        for (splits, leaves) in rest.iter().zip(rest_leaves) {
            let [place] = self.places::<SOME_UNKNOWN, 1>(std::array::from_ref(splits), ranks);
            sum += leaves[place & (PLACES - 1)];
        }
        sum
    }

    /// Where the row ends in each of `N` trees, in the low bits.
    #[inline(always)]
    #[allow(clippy::inline_always)] // The loop over trees must unroll into the loop over groups.
    fn places<const SOME_UNKNOWN: bool, const N: usize>(
        &self,
        trees: &[[u16; PLACES]; N],
        ranks: &Ranks,
    ) -> [usize; N] {
        let mut places = [1_usize; N];
        let column_mask = (1_u16 << self.column_bits) - 1;
        let direction = 1_u16 << self.column_bits;
        for _ in 0..MAX_DEPTH {
            for (place, splits) in places.iter_mut().zip(trees) {
                let split = splits[*place & (PLACES - 1)];
                let value = ranks[usize::from(split & column_mask) & (MAX_COLUMNS - 1)];
                let mut right = value > split;
                if SOME_UNKNOWN && value == UNKNOWN {
                    right &= split & direction != 0;
                }
                *place = 2 * *place + usize::from(right);
            }
        }
        places
    }
}

/// All thresholds, for turning splits into words.
struct Ranked<'a> {
    columns: &'a [SortedKeys],
    /// Of each column of a row, its place among those in use.
    places: &'a [usize],
    column_bits: u32,
}

impl Ranked<'_> {
    /// A tree's splits by place; `leaf` is told the place, level and size of each leaf.
    #[allow(clippy::cast_possible_truncation)] // At most 32 columns, 2,047 ranks.
    fn place(&self, tree: &Tree, mut leaf: impl FnMut(usize, u32, u32)) -> Option<[u16; PLACES]> {
        let mut splits = [ALWAYS_LEFT; PLACES];
        // Each node's place and level; children are behind their parents.
        let mut placed = vec![(1_usize, 0_u32); tree.nodes().len()];
        for (index, node) in tree.nodes().iter().enumerate() {
            let (at, level) = placed[index];
            if node.is_leaf() {
                leaf(at, level, node.size);
                continue;
            }
            let column = self.places[usize::from(node.feature)];
            let rank = self.columns[column].1.binary_search(&order_key(node.threshold)).ok()? as u16;
            let direction = u16::from(node.missing_right);
            splits[at] = (rank << 1 | direction) << self.column_bits | column as u16;
            let left = node.left as usize;
            (placed[left], placed[left + 1]) = ((2 * at, level + 1), (2 * at + 1, level + 1));
        }
        Some(splits)
    }
}

/// The columns in use with their distinct thresholds, and for every column of a row its place among them.
fn used_columns(forest: &Forest) -> Option<(Vec<SortedKeys>, Vec<usize>)> {
    let mut keys = vec![Vec::new(); forest.features().len()];
    for node in forest.trees.iter().flat_map(Tree::nodes).filter(|node| !node.is_leaf()) {
        keys[usize::from(node.feature)].push(order_key(node.threshold));
    }
    let (mut columns, mut places) = (Vec::new(), vec![0; keys.len()]);
    for (source, mut keys) in keys.into_iter().enumerate().filter(|(_, keys)| !keys.is_empty()) {
        keys.sort_unstable();
        keys.dedup();
        places[source] = columns.len();
        columns.push((source, keys));
    }
    (!columns.is_empty() && columns.len() <= MAX_COLUMNS).then_some((columns, places))
}

fn padded(source: usize, mut keys: Vec<i32>) -> Column {
    keys.resize((keys.len() + 1).next_power_of_two().max(MIN_KEYS), i32::MAX);
    Column { source, keys }
}
