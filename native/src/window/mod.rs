//! One sliding window: the records of the last W by time, and statistics kept up to date with them.
//!
//! Records are ordered by time; a late one is inserted in its place. Every statistic is maintained by what
//! comes and what leaves ([`moments`], [`extreme`], [`upper`]), and only those that a [`plan::Plan`] asks
//! for. The window knows no device's name and no clock: times come in, positions and numbers go out.
mod extreme;
pub mod gateway_clock;
mod moments;
#[cfg(target_arch = "x86_64")]
mod moments_wide;
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
use moments::{Moments, stride};
use plan::Plan;
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
    moments: Moments,
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
            moments: Moments::new(plan.channels()),
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
        let mut leaving = 0;
        while leaving < self.ring.len() && self.ring.time_ms(leaving) <= first_kept {
            leaving += 1;
        }
        let comes = mark.time_ms > first_kept;
        self.moments.step(&self.ring, leaving, comes.then_some(values));
        for _ in 0..leaving {
            self.drop_oldest();
        }
        if comes {
            self.insert(mark, values);
        }
        let overflowed = self.ring.len() > self.max_records as usize;
        if overflowed {
            self.moments.step(&self.ring, 1, None);
            self.drop_oldest();
        }
        self.settle();
        overflowed
    }

    /// Takes anew what the last changes wore out.
    fn settle(&mut self) {
        self.moments.settle(&self.ring);
        self.extremes.settle(&self.ring, self.oldest);
        for (upper, &channel) in self.uppers.iter_mut().zip(&self.plan.ordered) {
            upper.settle(&self.ring, channel);
        }
    }

    /// Puts a record in its place; the moments have it already.
    #[allow(clippy::cast_possible_truncation)] // A window holds far fewer than 2³² records.
    fn insert(&mut self, mark: Mark, values: &[f64]) {
        // Equal times keep the order of arrival; hardly any record is late.
        let mut place = self.ring.len();
        while place > 0 && self.ring.time_ms(place - 1) > mark.time_ms {
            place -= 1;
        }
        self.ring.insert(place, mark, values);
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

    /// Drops the oldest record; the moments have it no more.
    fn drop_oldest(&mut self) {
        let Some(mark) = self.ring.mark(0) else { return };
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
    pub fn statistic(&self, index: usize, statistic: Statistic) -> f64 {
        let mut all = vec![f64::NAN; Statistic::places(self.plan.channels())];
        self.write_statistics(&mut all);
        all[statistic.place(index, self.plan.channels())]
    }

    /// Writes what [`Self::statistic`] gives, each to its [`Statistic::place`]; those that the plan does not have
    /// are left as they are.
    pub fn write_statistics(&self, all: &mut [f64]) {
        let places = stride(self.plan.channels());
        let (max, rest) = all.split_at_mut(places);
        let (p95, rest) = rest.split_at_mut(places);
        let (delta, moments) = rest.split_at_mut(places);
        self.moments.write(moments);
        for (upper, &channel) in self.uppers.iter().zip(&self.plan.ordered) {
            p95[channel] = upper.value();
            max[channel] = upper.max();
        }
        for (place, &channel) in self.plan.largest.iter().enumerate() {
            max[channel] = self.extremes.value(place);
        }
        for (place, &channel) in self.plan.smallest.iter().enumerate() {
            delta[channel] = max[channel] - self.extremes.value(self.plan.largest.len() + place);
        }
    }
}

impl Statistic {
    /// Places of all statistics of so many channels.
    pub fn places(channels: usize) -> usize {
        Self::COUNT * stride(channels)
    }

    /// Where a channel's statistic stands among them: statistic by statistic, whole registers of channels each.
    pub fn place(self, channel: usize, channels: usize) -> usize {
        self as usize * stride(channels) + channel
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
