//! The numbers of a ring: four bytes each while all are decimals as logs write them, else eight.
//!
//! A value is kept as the whole number k of ten-thousandths when it is the very double that k / 10⁴ rounds
//! to: the division then gives its bits back. That holds for every decimal of at most four places within
//! ±214,748, as parsed. The first value that is none turns all of them into doubles for
//! good. So nothing is rounded, and the windows of a busy gateway take half the cache.

/// Short values are counts of its inverse.
const SCALE: f64 = 10_000.0;
/// Adding and taking it away rounds to a whole number.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// Stands for NaN.
const UNKNOWN: i32 = i32::MIN;

/// Numbers by place; places that were never set are of no meaning.
#[derive(Debug, Clone)]
pub enum Values {
    Short(Vec<i32>),
    Whole(Vec<f64>),
}

impl Default for Values {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

/// The value in four bytes, if it has them.
#[inline]
#[allow(clippy::cast_possible_truncation)] // Checked by turning it back.
fn short(value: f64) -> Option<i32> {
    let scaled = (value * SCALE + ROUNDER) - ROUNDER;
    // Saturates, and NaN becomes 0: both are found out below.
    let short = scaled as i32;
    let same = long(short).to_bits() == value.to_bits();
    if value.is_nan() { Some(UNKNOWN) } else { same.then_some(short) }
}

#[inline]
fn long(short: i32) -> f64 {
    if short == UNKNOWN { f64::NAN } else { f64::from(short) / SCALE }
}

impl Values {
    /// The number at a place.
    #[inline]
    pub fn get(&self, place: usize) -> f64 {
        match self {
            Self::Short(values) => long(values[place]),
            Self::Whole(values) => values[place],
        }
    }

    /// Puts numbers at a place and those after it.
    #[inline]
    pub fn put(&mut self, place: usize, numbers: &[f64]) {
        if let Self::Short(values) = self {
            let room = &mut values[place..place + numbers.len()];
            let mut fit = true;
            for (value, &number) in room.iter_mut().zip(numbers) {
                let short = short(number);
                fit &= short.is_some();
                *value = short.unwrap_or(UNKNOWN);
            }
            if fit {
                return;
            }
            *self = Self::Whole(values.iter().map(|&value| long(value)).collect());
        }
        if let Self::Whole(values) = self {
            values[place..place + numbers.len()].copy_from_slice(numbers);
        }
    }

    /// Moves `count` numbers from one place to another.
    pub fn shift(&mut self, from: usize, to: usize, count: usize) {
        match self {
            Self::Short(values) => values.copy_within(from..from + count, to),
            Self::Whole(values) => values.copy_within(from..from + count, to),
        }
    }

    /// The numbers of these ranges one after another, in room for `capacity`.
    pub fn gather(&self, [first, second]: [std::ops::Range<usize>; 2], capacity: usize) -> Self {
        fn joined<T: Copy + Default>(parts: [&[T]; 2], capacity: usize) -> Vec<T> {
            let mut values = Vec::with_capacity(capacity);
            for part in parts {
                values.extend_from_slice(part);
            }
            values.resize(capacity, T::default());
            values
        }
        match self {
            Self::Short(values) => Self::Short(joined([&values[first], &values[second]], capacity)),
            Self::Whole(values) => Self::Whole(joined([&values[first], &values[second]], capacity)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn decimals_of_four_places_take_four_bytes_and_come_back_bit_by_bit() {
        let mut random = Random::new(5);
        let texts = ["0", "12.3456", "-0.0001", "214748.3647", "-214748.3647", "65535", "0.1", "99.9999"];
        let drawn = (0..100_000).map(|_| {
            let (whole, places) = (random.below(200_000), random.below(10_000));
            format!("{whole}.{places:04}").parse::<f64>().unwrap()
        });
        for value in texts.iter().map(|text| text.parse::<f64>().unwrap()).chain(drawn) {
            let short = short(value).unwrap_or_else(|| panic!("{value} is no short value"));
            assert_eq!(long(short).to_bits(), value.to_bits());
        }
        assert!(long(short(f64::NAN).unwrap()).is_nan());
    }

    #[test]
    fn whatever_four_bytes_cannot_hold_turns_the_ring_wide_and_comes_back_too() {
        for odd in [0.123_45, -0.0, 1e-300, 214_748.364_8, -214_748.364_8, 1e12, 1.0 / 3.0, f64::MAX] {
            let mut values = Values::Short(vec![0; 4]);
            values.put(0, &[1.5, f64::NAN]);
            assert!(matches!(values, Values::Short(_)));
            values.put(2, &[odd, 7.0]);
            assert!(matches!(values, Values::Whole(_)), "{odd}");
            assert_eq!(values.get(0), 1.5);
            assert!(values.get(1).is_nan());
            assert_eq!(values.get(2).to_bits(), odd.to_bits());
            assert_eq!(values.get(3), 7.0);
        }
    }
}
