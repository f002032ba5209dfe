//! Windows that wait to be scored together, and what comes of them.
//!
//! Forests score many rows several times as fast as one by one, so features are collected as each record
//! leaves them and judged by the block. A line that has something to put out is parsed once more for its
//! texts; most have nothing.
use std::ops::Range;
use std::sync::Arc;

use super::options::{CheckedOptions, PublishRecords};
use super::output::{GATEWAY_DEVICE, Judged, Labels, Push, RecordOutput, Scope, State};
use crate::feature::FeatureList;
use crate::forest::Forest;
use crate::parse::canonical;
use crate::window::Window;

/// Most records of a block; a forest's own blocks are as large.
const MAX_RECORDS: usize = 128;

/// What belongs to one scope: its forest and threshold.
#[derive(Debug, Default)]
pub struct Detector {
    pub forest: Option<Forest>,
    pub threshold: Option<f64>,
}

/// What judging needs to know.
pub struct Context<'a> {
    /// The bytes that the block's lines are in.
    pub chunk: &'a [u8],
    pub options: &'a CheckedOptions,
    pub device: &'a Detector,
    pub gateway: &'a Detector,
}

/// A window when a record had joined it.
#[derive(Debug, Clone, Copy)]
pub struct Look {
    end_ms: i64,
    records: usize,
    state: State,
    due: bool,
    /// Place of its features among the scope's.
    row: usize,
}

/// A record whose windows wait.
#[derive(Debug)]
pub struct Seen {
    pub time_ms: i64,
    pub device: Arc<str>,
    /// The device's window and the gateway's.
    pub looks: [Option<Look>; 2],
    /// Its line in the chunk, line feed included.
    pub text: Range<usize>,
}

/// Features of one scope, row by row, and their scores.
#[derive(Debug, Default)]
pub struct Rows {
    features: Vec<f64>,
    scores: Vec<f64>,
    count: usize,
    any_scored: bool,
}

impl Rows {
    /// Measures a window that is scored or due.
    pub fn look(
        &mut self,
        features: &FeatureList,
        window: &Window,
        state: State,
        due: bool,
    ) -> Option<Look> {
        let scored = state == State::Scored;
        if !scored && !due {
            return None;
        }
        features.append(window, &mut self.features);
        self.any_scored |= scored;
        self.count += 1;
        let (end_ms, records) = (window.newest_ms(), window.len());
        Some(Look { end_ms, records, state, due, row: self.count - 1 })
    }

    fn score(&mut self, detector: &Detector) {
        self.scores.clear();
        self.scores.resize(self.count, f64::NAN);
        if let Some(forest) = detector.forest.as_ref().filter(|_| self.any_scored) {
            forest.score_rows(&self.features, &mut self.scores, 1);
        }
    }

    fn clear(&mut self) {
        self.features.clear();
        (self.count, self.any_scored) = (0, false);
    }

    /// A window as judged; `None` when it is quiet and not due, so that nothing need be put out.
    fn judge(&self, look: &Look, detector: &Detector, max_reasons: usize) -> Option<Judged> {
        let score = (look.state == State::Scored).then(|| self.scores[look.row]);
        let suspect = matches!((score, detector.threshold), (Some(score), Some(limit)) if score > limit);
        if !look.due && !suspect {
            return None;
        }
        let columns = self.features.len() / self.count;
        let features = self.features[look.row * columns..(look.row + 1) * columns].to_vec();
        let forest = detector.forest.as_ref().filter(|_| suspect);
        Some(Judged {
            end_ms: look.end_ms,
            records: look.records,
            state: look.state,
            score,
            threshold: detector.threshold,
            suspect,
            reasons: forest.map(|forest| forest.explain(&features, max_reasons)).unwrap_or_default(),
            features,
        })
    }
}

/// Everything that waits.
#[derive(Debug, Default)]
pub struct Block {
    pub device: Rows,
    pub gateway: Rows,
    seen: Vec<Seen>,
}

impl Block {
    /// Adds a record; its windows have been looked at.
    pub fn add(&mut self, seen: Seen) {
        self.seen.push(seen);
    }

    /// Whether it is time to judge.
    pub fn is_full(&self) -> bool {
        self.seen.len() >= MAX_RECORDS
    }

    /// Judges all that waits, in order, and forgets it.
    pub fn put_out(&mut self, context: &Context<'_>, push: &mut Push) {
        self.device.score(context.device);
        self.gateway.score(context.gateway);
        for seen in &self.seen {
            self.put_out_one(seen, context, push);
        }
        self.seen.clear();
        self.device.clear();
        self.gateway.clear();
    }

    fn put_out_one(&self, seen: &Seen, context: &Context<'_>, push: &mut Push) {
        let options = context.options;
        let [own, whole] = &seen.looks;
        let judge = |rows: &Rows, look: &Option<Look>, detector: &Detector| {
            look.as_ref().and_then(|look| rows.judge(look, detector, options.max_reasons))
        };
        let own = judge(&self.device, own, context.device);
        let whole = judge(&self.gateway, whole, context.gateway);
        let suspect = own.as_ref().is_some_and(|judged| judged.suspect);
        let shown = match options.publish_records {
            PublishRecords::All => true,
            PublishRecords::Anomalous => suspect,
            PublishRecords::None => false,
        };
        if own.is_none() && whole.is_none() && !shown {
            return;
        }
        let line = &context.chunk[seen.text.start..seen.text.end - 1];
        // It was accepted once; the same bytes are accepted again.
        let Ok(record) = canonical::parse(line, &options.channels) else { return };
        let labels = Labels {
            is_anomaly: record.is_anomaly,
            anomaly_type: record.anomaly_type.clone(),
            record: shown.then_some(push.records.len()),
            line_end: seen.text.end,
        };
        push.windows.extend(own.map(|judged| labels.window(judged, Scope::Device, &seen.device)));
        push.windows.extend(whole.map(|judged| labels.window(judged, Scope::Gateway, GATEWAY_DEVICE)));
        if shown {
            let line_end = seen.text.end;
            push.records.push(RecordOutput { time_ms: seen.time_ms, record, suspect, line_end });
        }
    }
}
