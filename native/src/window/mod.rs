//! One sliding window: the records of the last W by time, and statistics kept up to date with them.
//!
//! Records are ordered by time; a late one is inserted in its place. What is cheap to maintain is
//! maintained ([`series`]); nothing is ever recomputed for a record that only adds to the end. The
//! window knows no device's name and no clock: times come in, positions and numbers go out.
pub mod gateway_clock;
pub mod series;

use std::collections::{HashMap, VecDeque};

use crate::feature::Statistic;
use series::Series;

/// What a window keeps of one record besides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Time that orders the record in this window, epoch ms.
    pub time_ms: i64,
    /// Number of the device that sent it.
    pub device: u64,
    /// It carries an error code.
    pub error: bool,
    /// Its error code is 500 or more.
    pub server_error: bool,
}

/// Records of (newest − length, newest], oldest first.
#[derive(Debug, Clone)]
pub struct Window {
    length_ms: i64,
    max_records: usize,
    newest_ms: i64,
    marks: VecDeque<Mark>,
    series: Vec<Series>,
    devices: HashMap<u64, u32>,
    errors: u32,
    server_errors: u32,
}

impl Window {
    /// An empty window over `length_ms`, for records of `channels` values, at most `max_records` of them.
    pub fn new(length_ms: i64, channels: usize, max_records: usize) -> Self {
        Self {
            length_ms,
            max_records,
            newest_ms: i64::MIN,
            marks: VecDeque::new(),
            series: vec![Series::default(); channels],
            devices: HashMap::new(),
            errors: 0,
            server_errors: 0,
        }
    }

    /// Adds a record and drops what is now too old; returns whether the window overflowed.
    ///
    /// A record older than the window itself changes nothing.
    pub fn push(&mut self, mark: Mark, values: &[f64]) -> bool {
        self.newest_ms = self.newest_ms.max(mark.time_ms);
        let first_kept = self.newest_ms.saturating_sub(self.length_ms);
        while self.marks.front().is_some_and(|oldest| oldest.time_ms <= first_kept) {
            self.drop_oldest();
        }
        if mark.time_ms <= first_kept {
            return false;
        }
        // Equal times keep the order of arrival.
        let place = self.marks.partition_point(|other| other.time_ms <= mark.time_ms);
        self.marks.insert(place, mark);
        for (series, &value) in self.series.iter_mut().zip(values) {
            series.insert(place, value);
        }
        *self.devices.entry(mark.device).or_insert(0) += 1;
        self.errors += u32::from(mark.error);
        self.server_errors += u32::from(mark.server_error);
        let overflowed = self.marks.len() > self.max_records;
        if overflowed {
            self.drop_oldest();
        }
        overflowed
    }

    fn drop_oldest(&mut self) {
        let Some(mark) = self.marks.pop_front() else { return };
        for series in &mut self.series {
            series.drop_oldest();
        }
        if let Some(count) = self.devices.get_mut(&mark.device) {
            *count -= 1;
            if *count == 0 {
                self.devices.remove(&mark.device);
            }
        }
        self.errors -= u32::from(mark.error);
        self.server_errors -= u32::from(mark.server_error);
    }

    /// Newest time seen, which is the window's end.
    pub fn newest_ms(&self) -> i64 {
        self.newest_ms
    }

    /// Records held.
    pub fn len(&self) -> usize {
        self.marks.len()
    }

    /// Whether no record is held.
    pub fn is_empty(&self) -> bool {
        self.marks.is_empty()
    }

    /// Records with an error code.
    pub fn errors(&self) -> u32 {
        self.errors
    }

    /// Records with an error code of 500 or more.
    pub fn server_errors(&self) -> u32 {
        self.server_errors
    }

    /// Distinct devices among the records.
    pub fn devices(&self) -> usize {
        self.devices.len()
    }

    /// A statistic of the channel at `index` over the records that know it; NaN when none does.
    pub fn statistic(&self, index: usize, statistic: Statistic) -> f64 {
        let series = &self.series[index];
        match statistic {
            Statistic::Mean => series.mean(),
            Statistic::Variance => series.variance(),
            Statistic::Max => series.max(),
            Statistic::P95 => series.quantile(0.95),
            Statistic::Delta => series.max() - series.min(),
            Statistic::Total => series.total(),
            Statistic::Rate => series.positive_share(),
        }
    }
}
