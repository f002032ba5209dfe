//! The records of a window in the order of time: marks and values in two rings of one shape.
//!
//! A ring grows to what the window will hold if records go on coming as they do, since what is outgrown
//! leaves holes in memory; and it shrinks when it was a fifth too large for as many records as it holds. So
//! a burst leaves no memory behind and a steady stream allocates nothing. A late record is put in its place
//! by moving those after it, at most what arrives within the lateness.
use super::Mark;
use super::values::{Row, Values};

/// Least room that is added.
const MIN_ROOM: usize = 4;
/// Room grows at most so many times at once: the first few records may have come in a burst.
const MAX_GROWTH: usize = 8;
/// Bits of a device's number that are kept: far more numbers than a window has records, so that two that
/// are in it at once never look the same.
const DEVICE_BITS: u32 = 30;

/// A mark in eight bytes: the low half of the time, then the device's number and the two flags.
#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    time: u32,
    device_and_flags: u32,
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The low bits are what is kept.
impl Packed {
    fn new(mark: Mark) -> Self {
        let flags = u32::from(mark.error) | u32::from(mark.server_error) << 1;
        let device = mark.device as u32 & ((1 << DEVICE_BITS) - 1);
        Self { time: mark.time_ms as u32, device_and_flags: device << 2 | flags }
    }

    /// The time, given a later one less than 2³² ms away.
    fn time_ms(self, later_ms: i64) -> i64 {
        later_ms - i64::from((later_ms as u32).wrapping_sub(self.time))
    }

    fn mark(self, later_ms: i64) -> Mark {
        Mark {
            time_ms: self.time_ms(later_ms),
            device: u64::from(self.device_and_flags >> 2),
            error: self.device_and_flags & 1 != 0,
            server_error: self.device_and_flags & 2 != 0,
        }
    }
}

/// Records, oldest first; all within 2³² ms.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    marks: Vec<Packed>,
    values: Values,
    channels: usize,
    /// Time that the window spans.
    length_ms: i64,
    /// More than this are never held at once.
    max_records: usize,
    head: usize,
    len: usize,
    /// Most records held, and how many were dropped, since its size was looked at.
    peak: usize,
    drops: usize,
    /// Latest time of all records held.
    newest_ms: i64,
}

impl Ring {
    /// An empty ring for records of so many values, which will span at most so much time and be at most so
    /// many.
    pub fn new(channels: usize, length_ms: i64, max_records: usize) -> Self {
        Self { channels, length_ms, max_records, ..Self::default() }
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    fn slot(&self, place: usize) -> usize {
        let slot = self.head + place;
        if slot < self.marks.len() { slot } else { slot - self.marks.len() }
    }

    /// The mark at a place, when there is one; of the device's number the low 30 bits.
    pub fn mark(&self, place: usize) -> Option<Mark> {
        (place < self.len).then(|| self.marks[self.slot(place)].mark(self.newest_ms))
    }

    /// Time of the record at a place that exists.
    pub fn time_ms(&self, place: usize) -> i64 {
        self.marks[self.slot(place)].time_ms(self.newest_ms)
    }

    /// A value of the record at a place that exists.
    #[inline]
    pub fn value(&self, place: usize, channel: usize) -> f64 {
        self.values.get(self.slot(place) * self.channels + channel)
    }

    /// All values of the record at a place that exists.
    #[inline]
    pub fn row(&self, place: usize) -> Row<'_> {
        self.values.row(self.slot(place) * self.channels, self.channels)
    }

    /// One channel's values, oldest first.
    pub fn channel(&self, channel: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        (0..self.len).map(move |place| self.value(place, channel))
    }

    /// Puts a record at a place; those from there on move by one.
    pub fn insert(&mut self, place: usize, mark: Mark, values: &[f64]) {
        if self.len == self.marks.len() {
            self.resize(self.foreseen());
        }
        self.newest_ms = if self.len == 0 { mark.time_ms } else { self.newest_ms.max(mark.time_ms) };
        self.len += 1;
        self.peak = self.peak.max(self.len);
        for moved in (place + 1..self.len).rev() {
            let (from, to) = (self.slot(moved - 1), self.slot(moved));
            self.marks[to] = self.marks[from];
            self.values.shift(from * self.channels, to * self.channels, self.channels);
        }
        let slot = self.slot(place);
        self.marks[slot] = Packed::new(mark);
        self.values.put(slot * self.channels, &values[..self.channels]);
    }

    /// Forgets the oldest record.
    pub fn drop_oldest(&mut self) {
        self.head = self.slot(1);
        self.len -= 1;
        self.drops += 1;
        if self.drops > self.len {
            let room = roomy(self.peak.max(self.len));
            if self.marks.len() > room + room / 4 {
                self.resize(room);
            }
            (self.peak, self.drops) = (self.len, 0);
        }
    }

    fn resize(&mut self, capacity: usize) {
        let end = (self.head + self.len).min(self.marks.len());
        let (first, second) = (self.head..end, 0..self.len - (end - self.head));
        let mut marks = Vec::with_capacity(capacity);
        marks.extend_from_slice(&self.marks[first.clone()]);
        marks.extend_from_slice(&self.marks[second.clone()]);
        marks.resize(capacity, Packed::default());
        let columns = self.channels;
        let parts = [first, second].map(|part| part.start * columns..part.end * columns);
        self.values = self.values.gather(parts, capacity * columns);
        (self.marks, self.head) = (marks, 0);
    }

    /// Room for what the window will hold if records go on coming as often as those held.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Bounded by the room there is.
    fn foreseen(&self) -> usize {
        let least = roomy(self.len);
        if self.len < 2 {
            return least;
        }
        let span_ms = (self.newest_ms - self.time_ms(0)).max(1) as u64;
        let records = self.len as u64 * self.length_ms.max(0) as u64 / span_ms;
        let most = MAX_GROWTH * self.len;
        roomy(records.min(most as u64) as usize).min(most).min(self.max_records).max(least)
    }
}

/// Room for a few records more.
fn roomy(len: usize) -> usize {
    len + MIN_ROOM.max(len / 8)
}
