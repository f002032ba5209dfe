//! Scoring rows of which each hardly differs from the one before, as the windows of one gateway do.
//!
//! A row's values are ranks among the forest's thresholds ([`super::compact`]). A value that has passed no
//! threshold since the last row changes nothing; one that has passed a few can only change the trees where
//! those splits are on the row's way, and these alone are walked again. What a tree added is taken out and what it adds
//! now put in; sums of parts are exact, so that the bits are those of any other path. Of thirty thousand records a second's gateway window one record passes about one threshold.
//!
//! Rows that differ more are left to the caller, who scores them many abreast.
use super::compact::{Column, Compact, MAX_COLUMNS, Ranks};

/// A row that passes more thresholds than this is not followed.
const MAX_PASSED: usize = 24;
/// Nor is one that leads more trees over other ways.
const MAX_TOUCHED: usize = 64;
/// Forests of more trees are not followed: what is kept of a row has its place on the stack.
pub const MAX_TREES: usize = 128;

/// A split: its tree, and whose way leads over it, which are the ends that have `value` where `mask` has ones.
#[derive(Debug, Clone, Copy)]
pub struct Split {
    pub tree: u16,
    pub mask: u8,
    pub value: u8,
}

/// The splits at each threshold of each column.
#[derive(Debug, Clone)]
pub struct Users {
    /// Of each column in use, where its thresholds' entries begin in `starts`.
    columns: Vec<usize>,
    /// Of each threshold, where its splits begin; the next one's beginning is their end.
    starts: Vec<u32>,
    splits: Vec<Split>,
}

impl Users {
    /// Of a layout's splits.
    #[allow(clippy::cast_possible_truncation)] // So are 256 splits each fewer than 2³².
    pub fn of(compact: &Compact) -> Self {
        let mut columns = vec![0];
        for column in &compact.columns {
            columns.push(columns[columns.len() - 1] + column.count);
        }
        let mut all: Vec<(usize, Split)> = Vec::new();
        compact.for_each_split(|split, column, rank| all.push((columns[column] + rank, split)));
        all.sort_by_key(|(threshold, _)| *threshold);
        let starts = (0..=columns[columns.len() - 1])
            .map(|threshold| all.partition_point(|(other, _)| *other < threshold) as u32);
        Self { starts: starts.collect(), splits: all.iter().map(|(_, split)| *split).collect(), columns }
    }

    /// The splits at the threshold of this rank.
    fn at(&self, column: usize, rank: usize) -> &[Split] {
        let place = self.columns[column] + rank;
        &self.splits[self.starts[place] as usize..self.starts[place + 1] as usize]
    }
}

/// Where the last row stood.
#[derive(Debug)]
pub struct Follower<'a> {
    compact: &'a Compact,
    users: &'a Users,
    /// Of each column, the thresholds around its value, low ≤ value < high; NaN of an unknown one.
    low: [f32; MAX_COLUMNS],
    high: [f32; MAX_COLUMNS],
    at: [usize; MAX_COLUMNS],
    ranks: Ranks,
    /// Where the row ends in each tree.
    ends: [u8; MAX_TREES],
    /// What the trees add up to.
    sum: f64,
    /// Trees where a split on the row's way has changed its mind, and how many they are.
    touched: [u16; MAX_TOUCHED],
    touches: usize,
}

impl<'a> Follower<'a> {
    /// Follows from this row on; `None` when the forest has too many trees.
    #[allow(clippy::cast_possible_truncation)] // A tree has 256 ends.
    pub fn start(compact: &'a Compact, row: &[f64]) -> Option<Self> {
        if compact.leaves.len() > MAX_TREES {
            return None;
        }
        let mut follower = Self {
            compact,
            users: compact.users(),
            low: [f32::NAN; MAX_COLUMNS],
            high: [f32::NAN; MAX_COLUMNS],
            at: [0; MAX_COLUMNS],
            ranks: Ranks::new(),
            ends: [0; MAX_TREES],
            sum: 0.0,
            touched: [0; MAX_TOUCHED],
            touches: 0,
        };
        for (place, column) in compact.columns.iter().enumerate() {
            let rank = compact.rank(column, column.value(row));
            compact.put(&mut follower.ranks, place, rank);
            if let Some(rank) = rank {
                let around = (follower.below(column, rank), follower.above(column, rank));
                (follower.low[place], follower.high[place]) = around;
                follower.at[place] = rank;
            }
        }
        let (ends, sum) = (&mut follower.ends, &mut follower.sum);
        compact.visit(row, |tree, end| {
            ends[tree] = end as u8;
            *sum += compact.leaves[tree][end];
        });
        Some(follower)
    }

    /// The sum of the last row.
    pub fn sum(&self) -> f64 {
        self.sum
    }

    /// Goes on to the next row; false when it is too far, and nothing can follow then.
    pub fn follow(&mut self, row: &[f64]) -> bool {
        self.touches = 0;
        let mut passed = 0;
        for (place, column) in self.compact.columns.iter().enumerate() {
            let value = column.value(row);
            let (low, high) = (self.low[place], self.high[place]);
            if low <= value && value < high || value.is_nan() && low.is_nan() {
                continue;
            }
            // Of an infinite one there is no threshold above.
            if !value.is_finite() || low.is_nan() || !self.pass(place, value, &mut passed) {
                return false;
            }
        }
        self.walk_touched();
        true
    }

    /// Moves a column's rank past thresholds, whose splits may touch trees; false when there are too many.
    fn pass(&mut self, place: usize, value: f32, passed: &mut usize) -> bool {
        let column = &self.compact.columns[place];
        let (mut rank, mut low, mut high) = (self.at[place], self.low[place], self.high[place]);
        while !(low <= value && value < high) {
            *passed += 1;
            if *passed > MAX_PASSED {
                return false;
            }
            let threshold = if value < low {
                rank -= 1;
                (low, high) = (self.below(column, rank), low);
                rank
            } else {
                rank += 1;
                (low, high) = (high, self.above(column, rank));
                rank - 1
            };
            for split in self.users.at(place, threshold) {
                if self.ends[usize::from(split.tree)] & split.mask == split.value {
                    let Some(place) = self.touched.get_mut(self.touches) else { return false };
                    *place = split.tree;
                    self.touches += 1;
                }
            }
        }
        (self.at[place], self.low[place], self.high[place]) = (rank, low, high);
        self.compact.put(&mut self.ranks, place, Some(rank));
        true
    }

    /// The threshold below a rank.
    fn below(&self, column: &Column, rank: usize) -> f32 {
        if rank == 0 { f32::NEG_INFINITY } else { self.compact.key(column, rank - 1) }
    }

    /// The threshold above a rank.
    fn above(&self, column: &Column, rank: usize) -> f32 {
        if rank == column.count { f32::INFINITY } else { self.compact.key(column, rank) }
    }

    /// Walks the touched trees; one that is touched twice changes nothing the second time.
    #[allow(clippy::cast_possible_truncation)] // A tree has 256 ends.
    fn walk_touched(&mut self) {
        for tree in self.touched[..self.touches].iter().map(|&tree| usize::from(tree)) {
            let end = self.compact.end(tree, &self.ranks) as u8;
            let leaves = &self.compact.leaves[tree];
            self.sum += leaves[usize::from(end)] - leaves[usize::from(self.ends[tree])];
            self.ends[tree] = end;
        }
    }
}
