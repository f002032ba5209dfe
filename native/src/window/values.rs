//! The numbers of a ring: four bytes each while all are decimals as logs write them, else eight.
//!
//! A value is kept as the whole number k of ten-thousandths when it is the very double that k / 10⁴ rounds
//! to, and that double is what k gives back. That holds for every decimal of at most four places within
//! ±214,748, as parsed. The first value that is none turns all of them into doubles for
//! good. So nothing is rounded, and the windows of a busy gateway take half the cache.

/// Short values are counts of its inverse.
const SCALE: f64 = 10_000.0;
/// Adding it rounds to a whole number, which the low bits then are.
const ROUNDER: f64 = 6_755_399_441_055_744.0;
/// The first 21 bits of 1 / SCALE, so that a product with 31 bits is exact, and the rest of it.
pub const INVERSE_HIGH: f64 = f64::from_bits((1.0 / SCALE).to_bits() & !0xffff_ffff);
pub const INVERSE_LOW: f64 = (1.0 - INVERSE_HIGH * SCALE) / SCALE;
/// Stands for NaN.
pub const UNKNOWN: i32 = i32::MIN;

/// Numbers by place; places that were never set are of no meaning.
#[derive(Debug, Clone)]
pub enum Values {
    Short(Vec<i32>),
    Whole(Vec<f64>),
}

/// Numbers side by side.
#[derive(Debug, Clone, Copy)]
pub enum Row<'a> {
    Short(&'a [i32]),
    Whole(&'a [f64]),
}

impl Default for Values {
    fn default() -> Self {
        Self::Short(Vec::new())
    }
}

/// The value in four bytes, if it has them.
#[inline]
#[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)] // Checked by turning it back.
fn short(value: f64) -> Option<i32> {
    // The sum's low bits are the whole number, or of no meaning for what is out of reach.
    let short = (value * SCALE + ROUNDER).to_bits() as u32 as i32;
    let same = long(short).to_bits() == value.to_bits();
    if value.is_nan() { Some(UNKNOWN) } else { same.then_some(short) }
}

/// The double nearest to k / 10⁴, which a division would give and take as long as all else here. The sum before
/// its rounding is off by less than 2⁻⁷⁴ of itself; no k / 10⁴ is nearer than 2⁻⁶⁸ to the middle of two doubles,
/// since k · 2ⁿ⁺¹ and 10⁴ times an odd number differ by one at least.
#[inline]
fn long(short: i32) -> f64 {
    let count = f64::from(short);
    if short == UNKNOWN { f64::NAN } else { count * INVERSE_HIGH + count * INVERSE_LOW }
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

    /// `count` numbers from a place on.
    #[inline]
    pub fn row(&self, place: usize, count: usize) -> Row<'_> {
        match self {
            Self::Short(values) => Row::Short(&values[place..place + count]),
            Self::Whole(values) => Row::Whole(&values[place..place + count]),
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
    fn a_whole_number_of_ten_thousandths_gives_what_the_division_gives() {
        let mut random = Random::new(6);
        let drawn = (0..3_000_000).map(|_| ((random.next_u64() >> 32) as u32).cast_signed());
        let near = (-2_000_000..2_000_000).chain([i32::MAX, i32::MIN + 1]);
        for short in near.chain(drawn).filter(|&short| short != UNKNOWN) {
            assert_eq!(long(short).to_bits(), (f64::from(short) / SCALE).to_bits(), "{short}");
        }
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
