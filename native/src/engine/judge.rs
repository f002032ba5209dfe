//! Judging windows of one scope: their features, the state they are in, their scores and the reasons.
//!
//! Windows are measured as they stand after each record and wait until a block of them is scored at
//! once: a tree then is read once for the block, and not once for every window.
use super::intake::View;
use super::opinion::{Opinion, joined};
use super::output::{Judged, State};
use super::own_tail::OwnTails;
use crate::feature::FeatureList;
use crate::forest::Forest;

/// Fewer rows than this are scored one by one.
const MIN_BLOCK_ROWS: usize = 8;
/// A forest's score is below it.
const HIGHEST_SCORE: f64 = 1.0;

/// What is the same for all windows.
#[derive(Debug)]
pub struct Context<'a> {
    pub features: &'a FeatureList,
    pub detecting: bool,
    pub window_ms: i64,
    pub max_reasons: usize,
}

/// A window that was measured.
#[derive(Debug, Clone, Copy)]
pub struct Measured {
    end_ms: i64,
    records: usize,
    state: State,
    rebooted: bool,
    due: bool,
    /// Its place among the rows that wait.
    row: usize,
    /// Its device's.
    slot: Option<u32>,
}

/// One scope's forest and threshold, and its windows that wait to be scored.
#[derive(Debug, Default)]
pub struct Detector {
    pub forest: Option<Forest>,
    pub threshold: Option<f64>,
    /// What is rare for each device.
    pub own: OwnTails,
    /// Its windows are all of one window that goes on, so that each hardly differs from the one before.
    following: bool,
    /// Working space of a measurement.
    table: Vec<f64>,
    rows: Vec<f64>,
    scores: Vec<f64>,
}

impl Detector {
    /// One whose windows are all of one window that goes on.
    pub fn of_one_window() -> Self {
        Self { following: true, ..Self::default() }
    }

    /// Measures a window; `None` when it is neither due nor `wanted` nor to be scored, so that nobody asks
    /// for it.
    pub fn measure(&mut self, view: &View<'_>, context: &Context<'_>, wanted: bool) -> Option<Measured> {
        let end_ms = view.window.newest_ms();
        let warm = view.first_ms.is_some_and(|first_ms| end_ms - first_ms >= context.window_ms);
        let state = match self.forest {
            _ if !warm => State::WarmingUp,
            None => State::Untrained,
            Some(_) if !context.detecting => State::Stopped,
            Some(_) => State::Scored,
        };
        if !view.due && !wanted && state != State::Scored {
            return None;
        }
        let row = self.rows.len() / context.features.as_slice().len();
        context.features.measure_more(view.window, &mut self.table, &mut self.rows);
        let (records, due) = (view.window.len(), view.due || wanted);
        Some(Measured { end_ms, records, state, rebooted: view.rebooted, due, row, slot: view.slot })
    }

    /// Scores the rows that wait.
    pub fn score(&mut self, context: &Context<'_>) {
        let columns = context.features.as_slice().len();
        let count = self.rows.len() / columns;
        self.scores.clear();
        let Some(forest) = self.forest.as_ref().filter(|_| context.detecting) else { return };
        if count < MIN_BLOCK_ROWS {
            self.scores.extend(self.rows.chunks_exact(columns).map(|row| forest.score(row)));
        } else {
            self.scores.resize(count, f64::NAN);
            if self.following {
                forest.score_following(&self.rows, &mut self.scores);
            } else {
                forest.score_rows(&self.rows, &mut self.scores, 1);
            }
        }
    }

    /// Whether a measured window is suspect, now that the rows are scored.
    pub fn is_suspect(&self, measured: &Measured) -> bool {
        matches!((self.score_of(measured), self.limit(measured)), (Some(score), Some(limit)) if score > limit)
    }

    /// What a measured window's score is held against: its device's own threshold, else the scope's; `None` when
    /// no score reaches it.
    fn limit(&self, measured: &Measured) -> Option<f64> {
        self.own.threshold(measured.slot).or(self.threshold).filter(|limit| *limit < HIGHEST_SCORE)
    }

    /// Lets a measured window tell what is rare for its device; `strange` by its last record.
    pub fn learn(&mut self, measured: &Measured, context: &Context<'_>, strange: bool) {
        let (Some(slot), Some(score)) = (measured.slot, self.score_of(measured)) else { return };
        self.own.learn(slot, (measured.end_ms, context.window_ms), score, strange);
    }

    fn score_of(&self, measured: &Measured) -> Option<f64> {
        let scored = measured.state == State::Scored;
        self.scores.get(measured.row).copied().filter(|_| scored)
    }

    /// The judgement on a measured window that is `suspect` by whoever is heard; `None` when it is quiet and
    /// not due. `opinion` is the baseline's on the record that ended it.
    pub fn judge(
        &self,
        measured: &Measured,
        context: &Context<'_>,
        suspect: bool,
        opinion: Option<&Opinion>,
    ) -> Option<Judged> {
        if !suspect && !measured.due {
            return None;
        }
        let columns = context.features.as_slice().len();
        let row = &self.rows[measured.row * columns..][..columns];
        let forest_suspect = self.is_suspect(measured);
        let forest = self.forest.as_ref().filter(|_| suspect && forest_suspect);
        let by_forest = forest.map(|forest| forest.explain(row, context.max_reasons)).unwrap_or_default();
        let by_baseline = opinion.filter(|_| suspect).map_or(&[][..], |opinion| &opinion.reasons);
        Some(Judged {
            end_ms: measured.end_ms,
            records: measured.records,
            state: measured.state,
            score: self.score_of(measured),
            threshold: self.limit(measured),
            suspect,
            forest_suspect,
            rebooted: measured.rebooted,
            baseline: opinion.cloned(),
            features: row.to_vec(),
            reasons: joined(by_forest, by_baseline, context.max_reasons),
        })
    }

    /// Forgets the rows.
    pub fn clear(&mut self) {
        self.rows.clear();
    }
}
