//! The largest values of channels, maintained.
//!
//! A window's records are in two parts. Of the newer part only the largest value is kept. Of the older
//! part those records are kept that are larger than all after them in it: one of them is the largest
//! now, and when it leaves the next takes over. When the older part has left, all records become the
//! older part in one pass from the newest back. So adding is one comparison without a branch, each
//! record is passed over once more in its life, and no order of values makes it slower. Of random values
//! about ln n records are kept, of a falling ramp all, four bytes each.
use super::ring::Ring;

/// Room for most that random values ever need.
const MIN_CAPACITY: usize = 16;

/// The largest value of one channel.
#[derive(Debug, Clone)]
struct Extreme {
    channel: usize,
    /// 1, or −1 for the smallest value.
    sign: f64,
    /// Of the newer part and of the older; −∞ for none.
    newer: f64,
    older: f64,
    /// Numbers of the older part's records that can become the largest, the oldest and largest last.
    falling: Vec<u32>,
    /// The last of them, which is looked at whenever a record leaves.
    first: Option<u32>,
}

/// The largest values of some channels and the smallest of some.
#[derive(Debug, Clone)]
pub struct Extremes {
    each: Box<[Extreme]>,
    /// Number of the newer part's first record; numbers count up and wrap around.
    border: u32,
    /// What is kept is no longer right and has to be taken anew.
    stale: bool,
}

impl Extremes {
    /// Of no records yet.
    pub fn new(largest: &[usize], smallest: &[usize]) -> Self {
        let extreme = |channel, sign| Extreme {
            channel,
            sign,
            newer: f64::NEG_INFINITY,
            older: f64::NEG_INFINITY,
            falling: Vec::new(),
            first: None,
        };
        let largest = largest.iter().map(|&channel| extreme(channel, 1.0));
        let smallest = smallest.iter().map(|&channel| extreme(channel, -1.0));
        Self { each: largest.chain(smallest).collect(), border: 0, stale: false }
    }

    /// Adds a record, NaN for unknown values; its number, and that of the oldest record held. Records from
    /// that number on have moved up by one.
    pub fn insert(&mut self, values: &[f64], record: u32, oldest: u32) {
        if record.wrapping_sub(oldest) < self.border.wrapping_sub(oldest) {
            self.stale = true;
            return;
        }
        for extreme in &mut self.each {
            // A NaN is passed over.
            extreme.newer = extreme.newer.max(values[extreme.channel] * extreme.sign);
        }
    }

    /// Forgets the oldest record, which has this number and has just left the ring.
    #[allow(clippy::cast_possible_truncation)] // Far fewer records than 2³².
    pub fn drop_oldest(&mut self, record: u32, ring: &Ring) {
        if record == self.border {
            self.stale = true;
            self.border = record.wrapping_add(1);
            return;
        }
        for extreme in &mut self.each {
            if extreme.first == Some(record) {
                extreme.falling.pop();
                extreme.first = extreme.falling.last().copied();
                let next = extreme.first.map(|next| next.wrapping_sub(record) as usize - 1);
                extreme.older = next.map_or(f64::NEG_INFINITY, |place| {
                    // It was read from the same ring; a stale number may be beyond the end.
                    if place < ring.len() {
                        ring.value(place, extreme.channel) * extreme.sign
                    } else {
                        f64::NAN
                    }
                });
            }
        }
    }

    /// Puts right what the last changes left open; `oldest` is the number of the oldest record held.
    #[allow(clippy::cast_possible_truncation)] // Far fewer records than 2³².
    pub fn settle(&mut self, ring: &Ring, oldest: u32) {
        if !self.stale {
            return;
        }
        (self.stale, self.border) = (false, oldest.wrapping_add(ring.len() as u32));
        for extreme in &mut self.each {
            extreme.retake(ring, oldest);
        }
    }

    /// The value at a place of the lists it was made from; NaN when none is known.
    pub fn value(&self, index: usize) -> f64 {
        let extreme = &self.each[index];
        let value = extreme.newer.max(extreme.older);
        if value == f64::NEG_INFINITY { f64::NAN } else { value * extreme.sign }
    }
}

impl Extreme {
    #[allow(clippy::cast_possible_truncation)] // Far fewer records than 2³².
    fn retake(&mut self, ring: &Ring, oldest: u32) {
        self.falling.clear();
        (self.newer, self.older) = (f64::NEG_INFINITY, f64::NEG_INFINITY);
        for place in (0..ring.len()).rev() {
            let value = ring.value(place, self.channel) * self.sign;
            if value > self.older {
                self.older = value;
                if self.falling.len() == self.falling.capacity() {
                    self.falling.reserve_exact(MIN_CAPACITY.max(self.falling.len() / 4));
                }
                self.falling.push(oldest.wrapping_add(place as u32));
            }
        }
        self.first = self.falling.last().copied();
        if self.falling.capacity() > self.falling.len() + self.falling.len() / 2 + MIN_CAPACITY {
            self.falling.shrink_to(self.falling.len() + MIN_CAPACITY / 2);
        }
    }
}
