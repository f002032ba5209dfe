//! The 95th percentile of one channel, maintained.
//!
//! Only the upper values are kept in order: those from a floor on, about a tenth of a large window. Of
//! the others their number is enough, so that nine records in ten cost one comparison. When the floor
//! turns out too high for the percentile, or so low that too many are kept, it is set anew from a sample
//! of the window; that costs all records, but comes only after a number of changes near the floor.
use super::ordered::Ordered;
use super::ring::Ring;
use crate::math::{between, position};

/// The percentile as a share.
const SHARE: f64 = 0.95;
/// Values that a floor is taken from.
const SAMPLE: usize = 128;

/// The upper values of a channel.
#[derive(Debug, Clone)]
pub struct Upper {
    /// Smallest value kept in order.
    floor: f64,
    /// How many known values are smaller.
    below: usize,
    values: Ordered,
    /// More values than this are too many.
    limit: usize,
    /// How many of the highest values the percentile of so many known ones needs.
    needed: (usize, usize),
}

impl Default for Upper {
    fn default() -> Self {
        Self {
            floor: f64::NEG_INFINITY,
            below: 0,
            values: Ordered::default(),
            limit: SAMPLE / 8,
            needed: (0, 0),
        }
    }
}

impl Upper {
    /// Adds a known value.
    pub fn insert(&mut self, value: f64) {
        if value < self.floor {
            self.below += 1;
        } else {
            self.values.insert(value);
        }
    }

    /// Takes away a value that was added.
    pub fn remove(&mut self, value: f64) {
        if value < self.floor {
            self.below -= 1;
        } else {
            self.values.remove(value);
        }
    }

    /// How many of the highest values the percentile and the largest value need.
    fn needed(&mut self) -> usize {
        let known = self.below + self.values.len();
        if self.needed.0 != known {
            self.needed = (known, known - position(known, SHARE).0.min(known));
        }
        self.needed.1
    }

    /// Sets the floor anew where the last changes made that necessary.
    pub fn settle(&mut self, ring: &Ring, channel: usize) {
        let held = self.values.len();
        // The last is for the room that a burst leaves behind.
        if held < self.needed() || held > self.limit || 4 * held + SAMPLE / 4 < self.limit {
            self.retake(ring, channel);
        }
    }

    fn retake(&mut self, ring: &Ring, channel: usize) {
        let known = self.below + self.values.len();
        let needed = self.needed();
        for share in [2, 4, 8] {
            let wanted = share * needed + 4;
            self.floor =
                if wanted < known { floor(ring, channel, wanted, known) } else { f64::NEG_INFINITY };
            self.below = 0;
            self.values.clear();
            for value in ring.channel(channel).filter(|value| !value.is_nan()) {
                self.insert(value);
            }
            if self.values.len() >= needed {
                break;
            }
        }
        if self.values.len() < needed {
            self.keep_all(ring, channel);
        }
        self.limit = 2 * self.values.len() + SAMPLE / 8;
        self.values.reserve(self.limit);
    }

    fn keep_all(&mut self, ring: &Ring, channel: usize) {
        (self.floor, self.below) = (f64::NEG_INFINITY, 0);
        self.values.clear();
        for value in ring.channel(channel).filter(|value| !value.is_nan()) {
            self.values.insert(value);
        }
    }

    /// Largest value; NaN of nothing.
    pub fn max(&self) -> f64 {
        self.values.max()
    }

    /// The percentile by linear interpolation, as NumPy's default; NaN of nothing.
    pub fn value(&self) -> f64 {
        let known = self.below + self.values.len();
        if known == 0 {
            return f64::NAN;
        }
        let (rank, weight) = position(known, SHARE);
        let (low, high) = self.values.pair(rank - self.below);
        between(low, high, weight)
    }
}

/// A value that about `wanted` of the `known` ones reach, by a sample spread over the window.
fn floor(ring: &Ring, channel: usize, wanted: usize, known: usize) -> f64 {
    let (mut sample, mut count) = ([0.0; SAMPLE], 0);
    let step = ring.len().div_ceil(SAMPLE);
    for value in ring.channel(channel).step_by(step).filter(|value| !value.is_nan()) {
        sample[count] = value;
        count += 1;
    }
    let sample = &mut sample[..count];
    let place = count - (count * wanted / known).min(count);
    if place >= count {
        return f64::NEG_INFINITY;
    }
    *sample.select_nth_unstable_by(place, f64::total_cmp).1
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::math::quantile_sorted;
    use crate::random::Random;
    use crate::window::Mark;

    /// Streams that a floor likes and that it does not: noise, ramps, ties, levels that jump.
    fn value(kind: usize, step: usize, random: &mut Random) -> f64 {
        let step = f64::from(u32::try_from(step).unwrap());
        match kind {
            0 => random.normal(),
            1 => step,
            2 => 0.0 - step,
            3 => f64::from(u32::try_from(random.below(3)).unwrap()),
            4 => 7.0,
            5 => (step / 700.0).floor() % 3.0 * 100.0 + random.unit(),
            _ => {
                if random.below(4) == 0 {
                    f64::NAN
                } else {
                    random.unit()
                }
            }
        }
    }

    #[test]
    fn the_percentile_equals_a_sorted_lists_while_values_come_and_go() {
        let mut random = Random::new(4);
        for (kind, limit) in (0..7).flat_map(|kind| [1, 2, 29, 300, 3000].map(|limit| (kind, limit))) {
            let (mut upper, mut ring) = (Upper::default(), Ring::new(1, 1, usize::MAX));
            let steps = 4 * limit + 100;
            for step in 0..steps {
                let value = value(kind, step, &mut random);
                let mark = Mark { time_ms: 0, device: 0, error: false, server_error: false };
                ring.insert(ring.len(), mark, &[value]);
                if !value.is_nan() {
                    upper.insert(value);
                }
                // Grows, then holds, then falls to nothing.
                let keep = if step > steps * 3 / 4 { steps - 1 - step } else { limit };
                while ring.len() > keep {
                    let oldest = ring.value(0, 0);
                    if !oldest.is_nan() {
                        upper.remove(oldest);
                    }
                    ring.drop_oldest();
                }
                upper.settle(&ring, 0);
                if step < 50 || step % 61 == 0 || step + 5 > steps {
                    let mut sorted: Vec<f64> = ring.channel(0).filter(|value| !value.is_nan()).collect();
                    sorted.sort_by(f64::total_cmp);
                    let bits = |value: f64| value.to_bits();
                    assert_eq!(bits(upper.value()), bits(quantile_sorted(&sorted, SHARE)), "{kind} {step}");
                    assert_eq!(bits(upper.max()), bits(quantile_sorted(&sorted, 1.0)));
                }
            }
        }
    }

    #[test]
    fn few_values_of_a_large_window_are_kept() {
        let (mut upper, mut ring, mut random) =
            (Upper::default(), Ring::new(1, 1, usize::MAX), Random::new(1));
        for _ in 0..20_000 {
            let value = random.normal();
            let mark = Mark { time_ms: 0, device: 0, error: false, server_error: false };
            ring.insert(ring.len(), mark, &[value]);
            upper.insert(value);
            upper.settle(&ring, 0);
        }
        assert!((1000..6000).contains(&upper.values.len()), "{}", upper.values.len());
    }
}
