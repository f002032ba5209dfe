//! Scoring many rows: blocks of rows against one tree at a time, on one or more threads.
//!
//! Every path adds the same terms, and their sums are exact in any order, so one row, a block, the AVX-512
//! kernel and any number of threads give the same bits. Threads live for one call; a batch too small to
//! be worth one is done by the caller.
use super::compact::Compact;
use super::follow::Follower;
#[cfg(target_arch = "x86_64")]
use super::wide::Row;
use super::{Forest, score_of};

/// Rows of a block: their working space fits the first-level cache beside a tree.
const BLOCK_ROWS: usize = 16;
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

    /// Scores of rows of which each hardly differs from the one before, as the windows of one gateway do; the
    /// same as [`Self::score_rows`] on one thread, and faster where that is so.
    pub fn score_following(&self, rows: &[f64], scores: &mut [f64]) {
        let Some(compact) = self.compact() else { return self.score_chunk(rows, scores) };
        let columns = self.features().len();
        let (mut next, mut pause) = (0, 1);
        while next < scores.len() {
            let near = follow(compact, &rows[next * columns..], columns, &mut scores[next..]);
            next += near;
            // Rows that differ much will do so for a while.
            pause = if near > 0 { 1 } else { pause * 2 };
            let end = scores.len().min(next + pause * BLOCK_ROWS);
            self.score_chunk(&rows[next * columns..], &mut scores[next..end]);
            next = end;
        }
    }

    fn score_chunk(&self, rows: &[f64], scores: &mut [f64]) {
        let columns = self.features().len();
        #[cfg(target_arch = "x86_64")]
        if let Some((compact, wide)) = self.compact().and_then(|compact| compact.wide.map(|w| (compact, w)))
        {
            let mut work = [const { Row::new() }; BLOCK_ROWS];
            for (rows, scores) in rows.chunks(BLOCK_ROWS * columns).zip(scores.chunks_mut(BLOCK_ROWS)) {
                wide.sums(compact, rows.chunks_exact(columns), &mut work[..scores.len()]);
                for (score, row) in scores.iter_mut().zip(&work) {
                    *score = score_of(row.sum());
                }
            }
            return;
        }
        for (row, score) in rows.chunks_exact(columns).zip(scores) {
            *score = self.score(row);
        }
    }
}

/// Scores rows as long as each is near the one before; how many those are, 0 when the second is not near.
fn follow(compact: &Compact, rows: &[f64], columns: usize, scores: &mut [f64]) -> usize {
    let mut rows = rows.chunks_exact(columns);
    let (Some(first), Some(second)) = (rows.next(), rows.next()) else { return 0 };
    let Some(mut follower) = Follower::start(compact, first) else { return 0 };
    let first_sum = follower.sum();
    if scores.len() < 2 || !follower.follow(second) {
        return 0;
    }
    let mut last = (first_sum, score_of(first_sum));
    scores[0] = last.1;
    let mut count = 1;
    for score in &mut scores[1..] {
        if follower.sum().to_bits() != last.0.to_bits() {
            last = (follower.sum(), score_of(follower.sum()));
        }
        *score = last.1;
        count += 1;
        if !rows.next().is_some_and(|row| follower.follow(row)) {
            break;
        }
    }
    count
}
