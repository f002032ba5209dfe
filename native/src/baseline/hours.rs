//! Twenty-four offsets, one for the middle of each hour of the day (UTC), and a smooth way from each to the next: a
//! cubic that also knows the two around them (Catmull and Rom 1974). A straight way misses a peak of two hours by a
//! deviation, which is what a false alarm takes.
//!
//! An hour of a day moves its offset by a share that falls with what is known, down to a third, so that the last five
//! days or so count. What a day was worth is its records' mean weight: a first day that was anomalous throughout is
//! better than nothing, and the next normal one replaces it; what is known well hardly follows an anomalous one.

pub const HOURS: usize = 24;
/// Days, in hundredths, that an hour counts for at most.
const MOST_KNOWN: f64 = 200.0;
const DAY: f64 = 100.0;

/// Offsets by the hour, in a channel's frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    offsets: [f32; HOURS],
    /// Days behind each, in hundredths.
    known: [u8; HOURS],
}

impl Default for Hours {
    fn default() -> Self {
        Self { offsets: [0.0; HOURS], known: [0; HOURS] }
    }
}

impl Hours {
    /// The offset at an hour of the day, 0 up to 24.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // Up to 24.
    pub fn offset(&self, hour: f32) -> f64 {
        let from_middle = if hour < 0.5 { hour + 23.5 } else { hour - 0.5 };
        let at = (from_middle as usize).min(HOURS - 1);
        let way = f64::from(from_middle - at as f32);
        let near = |later: usize| f64::from(self.offsets[(at + later) % HOURS]);
        let (before, from, to, after) = (near(HOURS - 1), near(0), near(1), near(2));
        let slope = to - before;
        let square = 2.0 * before - 5.0 * from + 4.0 * to - after;
        let cube = after - before + 3.0 * (from - to);
        from + 0.5 * way * (slope + way * (square + way * cube))
    }

    /// The offset of an hour, 0–23, as such.
    pub fn of(&self, hour: usize) -> f64 {
        f64::from(self.offsets[hour])
    }

    /// Takes in what an hour, 0–23, was on one day, with a weight of 0–1.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Bounded; offsets are kept in 32 bits.
    pub fn learn(&mut self, hour: usize, offset: f64, weight: f64) {
        let (known, worth) = (f64::from(self.known[hour]), (DAY * weight).max(1.0));
        let before = f64::from(self.offsets[hour]);
        self.offsets[hour] = (before + worth / (known + worth) * (offset - before)) as f32;
        self.known[hour] = (known + worth).min(MOST_KNOWN) as u8;
    }

    /// Takes their mean from the known offsets, so that what is left without them is an average hour's; gives it.
    #[allow(clippy::cast_precision_loss)] // A few.
    pub fn center(&mut self) -> f64 {
        let known = || self.offsets.iter().zip(self.known).filter(|(_, known)| *known > 0);
        let mean = known().map(|(offset, _)| offset).sum::<f32>() / (known().count() as f32).max(1.0);
        for (offset, _) in self.offsets.iter_mut().zip(self.known).filter(|(_, known)| *known > 0) {
            *offset -= mean;
        }
        f64::from(mean)
    }

    /// All that it is, to be kept.
    pub fn numbers(&self) -> ([f32; HOURS], [u8; HOURS]) {
        (self.offsets, self.known)
    }

    /// The same back, none beyond `most`; `None` when no hours have such numbers.
    pub fn of_numbers(offsets: [f32; HOURS], known: [u8; HOURS], most: f64) -> Option<Self> {
        let fits = offsets.iter().all(|offset| f64::from(offset.abs()) <= most)
            && known.iter().all(|known| f64::from(*known) <= MOST_KNOWN);
        fits.then_some(Self { offsets, known })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn learnt(days: &[(f64, f64)]) -> Hours {
        let mut hours = Hours::default();
        for (offset, weight) in days {
            hours.learn(3, *offset, *weight);
        }
        hours
    }

    #[test]
    fn the_way_between_the_middles_of_two_hours_is_smooth_and_goes_over_midnight() {
        let mut hours = Hours::default();
        for (hour, offset) in [(22, 1.0), (23, 2.0), (0, 3.0), (1, 4.0)] {
            hours.learn(hour, offset, 1.0);
        }
        let offsets = [23.5, 23.75, 0.0, 0.25, 0.5].map(|hour| hours.offset(hour));
        assert_eq!(offsets, [2.0, 2.25, 2.5, 2.75, 3.0]);
        let steps = (0..2400_u16).map(|step| f32::from(step) * 0.01);
        let highest = steps.map(|at| (hours.offset(at) - hours.offset((at + 0.01) % 24.0)).abs());
        assert!(highest.fold(0.0, f64::max) < 0.06);
        assert_eq!(hours.offset(24.0), hours.offset(0.0));
    }

    #[test]
    fn a_normal_day_replaces_an_anomalous_one_and_not_the_other_way_round() {
        let known = learnt(&[(5.0, 1.0), (5.0, 1.0)]);
        assert_eq!(known.offset(3.5), 5.0);
        assert!(learnt(&[(50.0, 0.02), (5.0, 1.0)]).offset(3.5) < 6.0);
        assert!(learnt(&[(5.0, 1.0), (5.0, 1.0), (50.0, 0.02)]).offset(3.5) < 5.5);
    }

    #[test]
    fn a_day_that_is_always_anomalous_at_that_hour_is_learnt_all_the_same() {
        assert!((learnt(&[(50.0, 0.02), (50.0, 0.02)]).offset(3.5) - 50.0).abs() < 1e-4);
    }

    #[test]
    fn centred_offsets_add_up_to_nothing_and_keep_their_differences() {
        let mut hours = Hours::default();
        hours.learn(3, 5.0, 1.0);
        hours.learn(4, 1.0, 1.0);
        hours.center();
        assert_eq!([3.5, 4.5, 12.0].map(|hour| hours.offset(hour)), [2.0, -2.0, 0.0]);
    }
}
