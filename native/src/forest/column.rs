//! One column of a node's rows: gathered, its range found, the rows parted by a threshold.
//!
//! The plain loops here are the definition; on processors with AVX-512 [`super::column_wide`] does the same
//! sixteen rows at once. Ranges and the rows of each side are equal; the order of rows within a side is of
//! no meaning.
use std::cmp::Ordering;

#[cfg(target_arch = "x86_64")]
use super::column_wide::Wide;

/// Values looked at together.
pub const LANES: usize = 16;

/// What a column's values span.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Range {
    /// Smallest and largest known value; smallest above largest when none is known.
    pub low: f32,
    pub high: f32,
    /// Whether some value is not known.
    pub unknown: bool,
}

/// Row-major rows, and working space for a column of some of them.
#[derive(Debug)]
pub struct Columns<'a> {
    /// Few values of a tree's rows are ever looked at, so they are not gathered beforehand.
    block: &'a [f32],
    count: usize,
    values: Vec<[f32; LANES]>,
    #[cfg(target_arch = "x86_64")]
    wide: Option<Wide>,
}

impl<'a> Columns<'a> {
    /// `count` columns of row-major `block`, of which at most `most` rows are looked at together.
    pub fn new(block: &'a [f32], count: usize, most: usize) -> Self {
        Self {
            block,
            count,
            values: vec![[0.0; LANES]; most.div_ceil(LANES)],
            #[cfg(target_arch = "x86_64")]
            wide: Wide::detect(block.len(), most),
        }
    }

    /// One value of a row.
    pub fn value(&self, row: u32, column: usize) -> f32 {
        self.block[row as usize * self.count + column]
    }

    /// The values that were gathered last, of so many rows.
    pub fn values(&self, rows: usize) -> &[f32] {
        &self.values.as_flattened()[..rows]
    }

    /// Takes the rows' values of a column, which [`Self::values`] and [`Self::part`] then use.
    pub fn gather(&mut self, rows: &[u32], column: usize) -> Range {
        let (block, count) = (&self.block[column..], self.count);
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = &self.wide {
            return wide.gather(block, count, rows, &mut self.values);
        }
        let mut range = Lanes::new();
        let (chunks, rest) = rows.as_chunks::<LANES>();
        for (chunk, values) in chunks.iter().zip(&mut self.values) {
            *values = chunk.map(|row| block[row as usize * count]);
            range.widen(values);
        }
        let last = &mut self.values.as_flattened_mut()[chunks.len() * LANES..][..rest.len()];
        last.iter_mut().zip(rest).for_each(|(value, &row)| *value = block[row as usize * count]);
        range.whole(last)
    }

    /// Puts the rows whose gathered value is below the threshold in front; returns how many are there then,
    /// and whether the right side is the larger one, which rows with an unknown value have followed.
    pub fn part(&mut self, rows: &mut [u32], threshold: f32, unknown: bool) -> (usize, bool) {
        let values = &self.values.as_flattened()[..rows.len()];
        if unknown {
            return part_with_unknown(rows, values, threshold);
        }
        #[cfg(target_arch = "x86_64")]
        if let Some(wide) = &mut self.wide {
            let left = wide.part(rows, &self.values, threshold);
            return (left, rows.len() - left > left);
        }
        let left = part_by(rows, values, |value| value < threshold);
        (left, rows.len() - left > left)
    }
}

/// Puts the rows whose values go left in front; returns how many they are.
fn part_by<T: Copy>(rows: &mut [u32], values: &[T], goes_left: impl Fn(T) -> bool) -> usize {
    let mut left = 0;
    // Every row changes places and one place advances or not, so there is no branch to guess wrong.
    for (place, &value) in values.iter().enumerate().take(rows.len()) {
        rows.swap(left, place);
        left += usize::from(goes_left(value));
    }
    left
}

/// The same of values of which some are unknown: they follow the larger side; whether that is the right one.
pub fn part_with_unknown<T: PartialOrd + Copy>(
    rows: &mut [u32],
    values: &[T],
    threshold: T,
) -> (usize, bool) {
    let count = |is: fn(&T, &T) -> bool| values.iter().filter(|value| is(value, &threshold)).count();
    let missing_right =
        count(|value, threshold| value >= threshold) > count(|value, threshold| value < threshold);
    let goes_left = |value: T| {
        let known = value.partial_cmp(&threshold);
        known.map_or(!missing_right, |order| order == Ordering::Less)
    };
    let left = part_by(rows, values, goes_left);
    (left, missing_right)
}

/// A range as it is found, a lane by itself.
struct Lanes {
    low: [f32; LANES],
    high: [f32; LANES],
    /// 1 for a lane that saw an unknown value.
    unknown: [u32; LANES],
}

// A comparison with NaN is false, so NaN is passed over.
fn less(a: f32, b: f32) -> f32 {
    if b < a { b } else { a }
}

fn more(a: f32, b: f32) -> f32 {
    if b > a { b } else { a }
}

impl Lanes {
    fn new() -> Self {
        Self { low: [f32::INFINITY; LANES], high: [f32::NEG_INFINITY; LANES], unknown: [0; LANES] }
    }

    fn widen(&mut self, values: &[f32; LANES]) {
        for (lane, &value) in values.iter().enumerate() {
            self.low[lane] = less(self.low[lane], value);
            self.high[lane] = more(self.high[lane], value);
            self.unknown[lane] |= u32::from(value.is_nan());
        }
    }

    /// The range of all lanes and of the rest.
    fn whole(mut self, rest: &[f32]) -> Range {
        for half in [LANES / 2, LANES / 4, LANES / 8, LANES / 16] {
            for lane in 0..half {
                self.low[lane] = less(self.low[lane], self.low[lane + half]);
                self.high[lane] = more(self.high[lane], self.high[lane + half]);
                self.unknown[lane] |= self.unknown[lane + half];
            }
        }
        let start = Range { low: self.low[0], high: self.high[0], unknown: self.unknown[0] > 0 };
        rest.iter().fold(start, |range, &value| Range {
            low: less(range.low, value),
            high: more(range.high, value),
            unknown: range.unknown | value.is_nan(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn ranges_pass_unknown_values_over() {
        let values: Vec<f32> = (0..21).map(|i| if i % 3 == 0 { f32::NAN } else { i as f32 }).collect();
        let range = |values: &[f32]| {
            let rows: Vec<u32> = (0..).take(values.len()).collect();
            let Range { low, high, unknown } = Columns::new(values, 1, rows.len()).gather(&rows, 0);
            (low, high, unknown)
        };
        assert_eq!(range(&values), (1.0, 20.0, true));
        assert_eq!(range(&[2.0; 9]), (2.0, 2.0, false));
        assert_eq!(range(&[f32::NAN]), (f32::INFINITY, f32::NEG_INFINITY, true));
    }

    #[test]
    #[cfg(target_arch = "x86_64")]
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Small numbers.
    fn sixteen_rows_at_once_are_parted_as_one_by_one() {
        let mut random = Random::new(3);
        for size in (1..70).chain([255, 256, 257, 1000]) {
            let count = 3;
            for share in [0, 2, 20] {
                let mut value = || {
                    if random.below(100) < share { f32::NAN } else { (random.below(40) as f32) - 20.0 }
                };
                let block: Vec<f32> = (0..size * count * 2).map(|_| value()).collect();
                let mut rows: Vec<u32> = (0..size as u32 * 2).collect();
                random.shuffle(&mut rows);
                rows.truncate(size);
                let mut fast = Columns::new(&block, count, size);
                let mut plain = Columns::new(&block, count, size);
                plain.wide = None;
                let column = random.below(count as u64) as usize;
                let range = plain.gather(&rows, column);
                assert_eq!(fast.gather(&rows, column), range);
                let bits =
                    |columns: &Columns<'_>| columns.values(size).iter().map(|v| v.to_bits()).collect();
                let (fast_values, plain_values): (Vec<u32>, Vec<u32>) = (bits(&fast), bits(&plain));
                assert_eq!(fast_values, plain_values);
                let threshold = random.below(40) as f32 - 20.0;
                let (mut a, mut b) = (rows.clone(), rows);
                let parted = plain.part(&mut a, threshold, range.unknown);
                assert_eq!(fast.part(&mut b, threshold, range.unknown), parted);
                for rows in [&mut a, &mut b] {
                    rows[..parted.0].sort_unstable();
                    rows[parted.0..].sort_unstable();
                }
                assert_eq!(a, b, "{size} rows");
            }
        }
    }
}
