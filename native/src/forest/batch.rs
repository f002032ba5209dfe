//! Scoring many rows: blocks of rows against one tree at a time, on one or more threads.
//!
//! Every path adds the same terms in the same order, tree after tree, so one row, a block, the AVX-512
//! kernel and any number of threads give the same bits. Threads live for one call; a batch too small to
//! be worth one is done by the caller.
use super::compact::{Compact, PLACES};
use super::{Forest, score_of};

/// Rows of a block: their ranks and sums fit the first-level cache beside a tree.
const BLOCK_ROWS: usize = 128;
/// A thread takes this many rows at a time.
const CHUNK_ROWS: usize = 4096;
/// Fewer rows than this for each thread are not worth starting it.
const MIN_ROWS_PER_THREAD: usize = 2048;
/// Most threads of one call.
pub const MAX_THREADS: usize = 64;

impl Forest {
    /// Scores of row-major rows into `scores`, one each, on at most `threads` threads. A last incomplete
    /// row is left out.
    pub fn score_rows(&self, rows: &[f64], scores: &mut [f64], threads: usize) {
        let count = scores.len();
        let threads = threads.clamp(1, MAX_THREADS).min((count / MIN_ROWS_PER_THREAD).max(1));
        if threads == 1 {
            return self.score_chunk(rows, scores);
        }
        let columns = self.features().len();
        let chunks = rows.chunks(CHUNK_ROWS * columns).zip(scores.chunks_mut(CHUNK_ROWS));
        let queue = std::sync::Mutex::new(chunks);
        // A lock that a panic poisoned ends the others as well; the scope passes the panic on.
        let next = || queue.lock().ok()?.next();
        let work = || {
            while let Some((rows, scores)) = next() {
                self.score_chunk(rows, scores);
            }
        };
        std::thread::scope(|scope| {
            for _ in 1..threads {
                scope.spawn(work);
            }
            work();
        });
    }

    fn score_chunk(&self, rows: &[f64], scores: &mut [f64]) {
        let columns = self.features().len();
        #[cfg(target_arch = "x86_64")]
        if let (Some(compact), Some(wide)) = (self.compact(), super::wide::Wide::detect()) {
            let mut block = Block::new(compact);
            for (rows, scores) in rows.chunks(BLOCK_ROWS * columns).zip(scores.chunks_mut(BLOCK_ROWS)) {
                block.score(compact, wide, rows, columns, scores);
            }
            return;
        }
        for (row, score) in rows.chunks_exact(columns).zip(scores) {
            *score = self.score(row);
        }
    }
}

/// Working space for a block of rows.
#[cfg(target_arch = "x86_64")]
struct Block {
    /// Of each 32 rows, a lane for each column.
    ranks: Vec<super::wide::Lane>,
    unknown: [bool; BLOCK_ROWS / super::wide::LANES],
    sums: [f64; BLOCK_ROWS],
}

#[cfg(target_arch = "x86_64")]
impl Block {
    fn new(compact: &Compact) -> Self {
        use super::wide::LANES;
        Self {
            ranks: vec![[0; LANES]; compact.columns.len() * (BLOCK_ROWS / LANES)],
            unknown: [false; BLOCK_ROWS / LANES],
            sums: [0.0; BLOCK_ROWS],
        }
    }

    #[allow(clippy::cast_possible_truncation)] // Trees compare f32.
    fn score(
        &mut self,
        compact: &Compact,
        wide: super::wide::Wide,
        rows: &[f64],
        columns: usize,
        scores: &mut [f64],
    ) {
        use super::wide::{LANES, Walk};
        let groups = scores.len().div_ceil(LANES);
        let used = compact.columns.len();
        for group in 0..groups {
            let rows = &rows[group * LANES * columns..];
            let ranks = &mut self.ranks[group * used..(group + 1) * used];
            self.unknown[group] = false;
            let shift = compact.column_bits + 1;
            let mut values = [0.0; LANES];
            for (lane, column) in ranks.iter_mut().zip(&compact.columns) {
                for (value, row) in values.iter_mut().zip(rows.chunks_exact(columns)) {
                    *value = row[column.source] as f32;
                }
                self.unknown[group] |= wide.ranks(&column.keys, shift, &values, lane);
            }
        }
        self.sums = [0.0; BLOCK_ROWS];
        let mut places = [[0; LANES]; BLOCK_ROWS / LANES];
        for (splits, leaves) in compact.splits.iter().zip(&compact.leaves) {
            for (group, places) in places[..groups].iter_mut().enumerate() {
                let ranks = &self.ranks[group * used..(group + 1) * used];
                let walk = Walk { ranks, column_bits: compact.column_bits, unknown: self.unknown[group] };
                wide.places(splits, &walk, places);
            }
            for (sum, place) in self.sums.iter_mut().zip(places.as_flattened()) {
                *sum += leaves[usize::from(*place) & (PLACES - 1)];
            }
        }
        for (score, sum) in scores.iter_mut().zip(self.sums) {
            *score = score_of(sum);
        }
    }
}
