//! The largest (or smallest) value of one channel, maintained.
//!
//! Only values that can still become the extreme are kept: each is smaller than the one before it and
//! stands later in time (a monotonic queue). Adding and dropping cost a constant on average; of random
//! values about ln n are kept, of a falling ramp all.
use std::collections::VecDeque;

/// Capacity below which memory is not given back.
const MIN_CAPACITY: usize = 16;

#[derive(Debug, Clone, Copy)]
struct Entry {
    value: f64,
    /// Number of its record, counted since the window began; wraps around.
    record: u32,
}

/// Values that can become the largest.
#[derive(Debug, Clone, Default)]
pub struct Extreme(VecDeque<Entry>);

impl Extreme {
    /// Adds a known value as record number `record`, `oldest` being the oldest record held. Records from
    /// that number on have moved up by one.
    pub fn insert(&mut self, value: f64, record: u32, oldest: u32) {
        let age = |entry: &Entry| entry.record.wrapping_sub(oldest);
        let own = record.wrapping_sub(oldest);
        let mut place = self.0.len();
        while place > 0 && age(&self.0[place - 1]) >= own {
            place -= 1;
            self.0[place].record = self.0[place].record.wrapping_add(1);
        }
        if self.0.get(place).is_some_and(|later| later.value >= value) {
            return;
        }
        let end = place;
        while place > 0 && self.0[place - 1].value <= value {
            place -= 1;
        }
        let entry = Entry { value, record };
        if place < end {
            self.0[place] = entry;
            self.0.drain(place + 1..end);
        } else {
            self.0.insert(place, entry);
        }
    }

    /// Makes room for an unknown value as record number `record`.
    pub fn skip(&mut self, record: u32, oldest: u32) {
        let own = record.wrapping_sub(oldest);
        for entry in self.0.iter_mut().rev() {
            if entry.record.wrapping_sub(oldest) < own {
                break;
            }
            entry.record = entry.record.wrapping_add(1);
        }
    }

    /// Forgets the oldest record, which has this number.
    pub fn drop_oldest(&mut self, record: u32) {
        if self.0.front().is_some_and(|entry| entry.record == record) {
            self.0.pop_front();
            if self.0.len() * 8 < self.0.capacity() && self.0.capacity() > MIN_CAPACITY {
                self.0.shrink_to(self.0.len() * 2);
            }
        }
    }

    /// The largest value; NaN when none is known.
    pub fn value(&self) -> f64 {
        self.0.front().map_or(f64::NAN, |entry| entry.value)
    }
}
