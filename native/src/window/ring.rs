//! The records of a window in the order of time: marks and values in two rings of one shape.
//!
//! A ring grows by doubling and shrinks when three quarters are empty, so that a burst leaves no memory
//! behind and a steady stream allocates nothing. A late record is put in its place by moving those after
//! it, at most what arrives within the lateness.
use super::Mark;

/// Smallest capacity.
const MIN_CAPACITY: usize = 4;

/// A mark in sixteen bytes: the time, and the device's number with the two flags below it.
#[derive(Debug, Clone, Copy, Default)]
struct Packed {
    time_ms: i64,
    device_and_flags: u64,
}

impl From<Mark> for Packed {
    fn from(mark: Mark) -> Self {
        let flags = u64::from(mark.error) | u64::from(mark.server_error) << 1;
        Self { time_ms: mark.time_ms, device_and_flags: mark.device << 2 | flags }
    }
}

impl From<Packed> for Mark {
    fn from(packed: Packed) -> Self {
        let flags = packed.device_and_flags;
        Self {
            time_ms: packed.time_ms,
            device: flags >> 2,
            error: flags & 1 != 0,
            server_error: flags & 2 != 0,
        }
    }
}

/// Records, oldest first.
#[derive(Debug, Clone, Default)]
pub struct Ring {
    marks: Vec<Packed>,
    values: Vec<f64>,
    channels: usize,
    head: usize,
    len: usize,
}

impl Ring {
    /// An empty ring for records of so many values.
    pub fn new(channels: usize) -> Self {
        Self { channels, ..Self::default() }
    }

    /// How many records it holds.
    pub fn len(&self) -> usize {
        self.len
    }

    fn slot(&self, place: usize) -> usize {
        (self.head + place) & (self.marks.len() - 1)
    }

    /// The mark at a place, when there is one.
    pub fn mark(&self, place: usize) -> Option<Mark> {
        (place < self.len).then(|| self.marks[self.slot(place)].into())
    }

    /// Time of the record at a place that exists.
    pub fn time_ms(&self, place: usize) -> i64 {
        self.marks[self.slot(place)].time_ms
    }

    /// Values of the record at a place that exists.
    pub fn values(&self, place: usize) -> &[f64] {
        let start = self.slot(place) * self.channels;
        &self.values[start..start + self.channels]
    }

    /// One channel's values, oldest first.
    pub fn channel(&self, channel: usize) -> impl Iterator<Item = f64> + Clone + '_ {
        (0..self.len).map(move |place| self.values[self.slot(place) * self.channels + channel])
    }

    /// Puts a record at a place; those from there on move by one.
    pub fn insert(&mut self, place: usize, mark: Mark, values: &[f64]) {
        if self.len == self.marks.len() {
            self.resize((2 * self.len).max(MIN_CAPACITY));
        }
        self.len += 1;
        for moved in (place + 1..self.len).rev() {
            let (from, to) = (self.slot(moved - 1), self.slot(moved));
            self.marks[to] = self.marks[from];
            self.values.copy_within(from * self.channels..(from + 1) * self.channels, to * self.channels);
        }
        let slot = self.slot(place);
        self.marks[slot] = mark.into();
        self.values[slot * self.channels..][..self.channels].copy_from_slice(&values[..self.channels]);
    }

    /// Forgets the oldest record.
    pub fn drop_oldest(&mut self) {
        self.head = self.slot(1);
        self.len -= 1;
        let capacity = self.marks.len();
        if self.len <= capacity / 4 && capacity > MIN_CAPACITY {
            self.resize(capacity / 2);
        }
    }

    fn resize(&mut self, capacity: usize) {
        let mut marks = Vec::with_capacity(capacity);
        let mut values = Vec::with_capacity(capacity * self.channels);
        for place in 0..self.len {
            marks.push(self.marks[self.slot(place)]);
            values.extend_from_slice(self.values(place));
        }
        marks.resize(capacity, Packed::default());
        values.resize(capacity * self.channels, 0.0);
        (self.marks, self.values, self.head) = (marks, values, 0);
    }
}
