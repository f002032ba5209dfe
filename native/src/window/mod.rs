//! One sliding window: the records of the last W by time, and statistics kept up to date with them.
//!
//! Records are ordered by time; a late one is inserted in its place. Every statistic is maintained by what
//! comes and what leaves ([`moments`], [`extreme`], [`upper`]), and only those that a [`plan::Plan`] asks
//! for. The window knows no device's name and no clock: times come in, positions and numbers go out.
mod extreme;
pub mod gateway_clock;
mod moments;
mod ordered;
pub mod plan;
mod ring;
mod upper;
mod values;

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};
use std::sync::Arc;

use crate::feature::Statistic;
use extreme::Extremes;
use moments::Moments;
use plan::{NONE, Plan};
use ring::Ring;
use upper::Upper;

/// What a window keeps of one record besides its values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Time that orders the record in this window, epoch ms.
    pub time_ms: i64,
    /// Number of the device that sent it, below 2⁶².
    pub device: u64,
    /// It carries an error code.
    pub error: bool,
    /// Its error code is 500 or more.
    pub server_error: bool,
}

/// Spreads device numbers, which are counted up by us and not chosen by anyone, over a table.
#[derive(Debug, Clone, Copy, Default)]
struct NumberHasher(u64);

impl Hasher for NumberHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.write_u64(u64::from(byte));
        }
    }

    fn write_u64(&mut self, number: u64) {
        self.0 = (self.0 ^ number).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(32);
    }
}

/// Records by device.
#[derive(Debug, Clone)]
enum Census {
    /// The window is one device's own.
    One,
    Many(HashMap<u64, u32, BuildHasherDefault<NumberHasher>>),
}

/// Records of (newest − length, newest], oldest first.
#[derive(Debug, Clone)]
pub struct Window {
    length_ms: i64,
    newest_ms: i64,
    plan: Arc<Plan>,
    ring: Ring,
    /// Number of the oldest record held, counted since the window began; wraps around.
    oldest: u32,
    max_records: u32,
    errors: u32,
    server_errors: u32,
    moments: Box<[Moments]>,
    /// The largest values, then the smallest.
    extremes: Extremes,
    uppers: Box<[Upper]>,
    census: Census,
}

impl Window {
    /// An empty window over `length_ms`, for records of `channels` values, at most `max_records` of them.
    pub fn new(length_ms: i64, channels: usize, max_records: usize) -> Self {
        Self::planned(length_ms, &Arc::new(Plan::full(channels)), max_records)
    }

    /// The same with only the statistics of a plan; the others are NaN.
    pub fn planned(length_ms: i64, plan: &Arc<Plan>, max_records: usize) -> Self {
        Self {
            length_ms,
            newest_ms: i64::MIN,
            ring: Ring::new(plan.channels(), length_ms, max_records.saturating_add(1)),
            oldest: 0,
            max_records: u32::try_from(max_records).unwrap_or(u32::MAX),
            errors: 0,
            server_errors: 0,
            moments: vec![Moments::default(); plan.channels()].into(),
            extremes: Extremes::new(&plan.largest, &plan.smallest),
            uppers: vec![Upper::default(); plan.ordered.len()].into(),
            census: Census::Many(HashMap::default()),
            plan: Arc::clone(plan),
        }
    }

    /// The same for the records of one device.
    #[must_use]
    pub fn of_one_device(mut self) -> Self {
        self.census = Census::One;
        self
    }

    /// Adds a record and drops what is now too old; returns whether the window overflowed.
    ///
    /// A record older than the window itself changes nothing.
    pub fn push(&mut self, mark: Mark, values: &[f64]) -> bool {
        self.newest_ms = self.newest_ms.max(mark.time_ms);
        let first_kept = self.newest_ms.saturating_sub(self.length_ms);
        while self.ring.len() > 0 && self.ring.time_ms(0) <= first_kept {
            self.drop_oldest();
        }
        if mark.time_ms > first_kept {
            self.insert(mark, values);
        }
        let overflowed = self.ring.len() > self.max_records as usize;
        if overflowed {
            self.drop_oldest();
        }
        self.settle();
        overflowed
    }

    /// Takes anew what the last changes wore out.
    fn settle(&mut self) {
        for (channel, moments) in self.moments.iter_mut().enumerate() {
            if moments.is_worn() {
                moments.retake(self.ring.channel(channel));
            }
        }
        self.extremes.settle(&self.ring, self.oldest);
        for (upper, &channel) in self.uppers.iter_mut().zip(&self.plan.ordered) {
            upper.settle(&self.ring, channel);
        }
    }

    #[allow(clippy::cast_possible_truncation)] // A window holds far fewer than 2³² records.
    fn insert(&mut self, mark: Mark, values: &[f64]) {
        // Equal times keep the order of arrival; hardly any record is late.
        let mut place = self.ring.len();
        while place > 0 && self.ring.time_ms(place - 1) > mark.time_ms {
            place -= 1;
        }
        self.ring.insert(place, mark, values);
        for (moments, &value) in self.moments.iter_mut().zip(values) {
            if !value.is_nan() {
                moments.insert(value);
            }
        }
        let record = self.oldest.wrapping_add(place as u32);
        self.extremes.insert(values, record, self.oldest);
        for (upper, &channel) in self.uppers.iter_mut().zip(&self.plan.ordered) {
            if !values[channel].is_nan() {
                upper.insert(values[channel]);
            }
        }
        if let Census::Many(counts) = &mut self.census {
            *counts.entry(mark.device).or_insert(0) += 1;
        }
        self.errors += u32::from(mark.error);
        self.server_errors += u32::from(mark.server_error);
    }

    fn drop_oldest(&mut self) {
        let Some(mark) = self.ring.mark(0) else { return };
        for (channel, moments) in self.moments.iter_mut().enumerate() {
            let value = self.ring.value(0, channel);
            if !value.is_nan() {
                moments.remove(value);
            }
        }
        for (upper, &channel) in self.uppers.iter_mut().zip(&self.plan.ordered) {
            let value = self.ring.value(0, channel);
            if !value.is_nan() {
                upper.remove(value);
            }
        }
        self.ring.drop_oldest();
        self.extremes.drop_oldest(self.oldest, &self.ring);
        self.oldest = self.oldest.wrapping_add(1);
        if let Census::Many(counts) = &mut self.census {
            drop_one(counts, mark.device);
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
        self.ring.len()
    }

    /// Whether no record is held.
    pub fn is_empty(&self) -> bool {
        self.ring.len() == 0
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
        match &self.census {
            Census::One => usize::from(!self.is_empty()),
            Census::Many(counts) => counts.len(),
        }
    }

    /// A statistic of the channel at `index` over the records that know it; NaN when none does, or when
    /// the plan does not have it.
    #[inline]
    pub fn statistic(&self, index: usize, statistic: Statistic) -> f64 {
        match statistic {
            Statistic::Mean => self.moments[index].mean(),
            Statistic::Variance => self.moments[index].variance(),
            Statistic::Max => self.largest(index),
            Statistic::P95 => self.upper_of(index).map_or(f64::NAN, Upper::value),
            Statistic::Delta => self.largest(index) - self.smallest(index),
            Statistic::Total => self.moments[index].total(),
            Statistic::Rate => self.moments[index].positive_share(),
        }
    }

    fn upper_of(&self, index: usize) -> Option<&Upper> {
        self.uppers.get(self.plan.channel(index).ordered)
    }

    fn largest(&self, index: usize) -> f64 {
        match self.plan.channel(index).largest {
            NONE => self.upper_of(index).map_or(f64::NAN, Upper::max),
            place => self.extremes.value(place),
        }
    }

    fn smallest(&self, index: usize) -> f64 {
        match self.plan.channel(index).smallest {
            NONE => f64::NAN,
            place => self.extremes.value(self.plan.largest.len() + place),
        }
    }
}

fn drop_one(counts: &mut HashMap<u64, u32, BuildHasherDefault<NumberHasher>>, device: u64) {
    let Some(count) = counts.get_mut(&device) else { return };
    *count -= 1;
    if *count == 0 {
        counts.remove(&device);
        if counts.len() * 8 < counts.capacity() && counts.capacity() > 64 {
            counts.shrink_to(counts.len() * 2);
        }
    }
}
