//! How far a device's outbreaks of surprise usually go: what alarms by a budget must be rare on this very line.
//!
//! No family of distributions holds far out on a real line: what should come once a day by the models' word comes
//! once an hour. So outbreaks are counted: records above a level, with calm ones between that are fewer than eleven,
//! are one outbreak, known by its peak (runs declustering, Leadbetter 1983, as peaks over threshold have it). The
//! level is followed to where one record in fifty begins an outbreak (Robbins and Monro 1951), and rises while one
//! lasts that has outlived what [`super::shift`] takes for a new level; the peaks above it have an exponential tail of their own mean, clipped. A surprise above the
//! level is told as −ln of how often a record begins an outbreak that goes as far; never as more than the models
//! said. An outbreak counts once however long it lasts, so that true faults, far rarer than one in fifty records,
//! hardly widen what is normal. The models' word counts for five outbreaks: a minute of records changes nothing.
//!
//! One in fifty and the clip are a compromise, tried on simulated lines that are at fault a twentieth of the time
//! and on server metrics: one in a hundred or twice the clip keeps false alarms nearer to the budget on the latter,
//! and takes a tenth of the mild faults of the former for the line's way. Without labels the two look alike.

use super::shift::SETTLED_MS;

/// One record in so many begins an outbreak, and −ln of that share.
const RECORDS_AN_OUTBREAK: f64 = 50.0;
const LEVEL_NATS: f64 = 3.912_023_005_428_146;
/// Of the level's step at a beginning, what a record takes that goes on after so many: without it, a line that is
/// never calm would never be learnt.
const GOES_ON: f64 = 0.2;
const LONG: u8 = 100;
/// Before that the outbreak must have had its chance to be a level shift.
const LASTING_MS: i64 = SETTLED_MS + 5 * 60_000;
/// So many calm records end an outbreak, and one more.
const GAP: u8 = 10;
/// Outbreaks that the models' word counts for.
const PRIOR: f64 = 5.0;
/// Excesses beyond so many mean ones are cut to them; the mean of an exact tail is then this much too small.
const CLIP: f64 = 2.5;
const CLIPPED_MEAN: f64 = 1.0894;
const MIN_LEVEL: f64 = 1.0;
/// Records that count as seen at most: a day of one a second.
const MAX_SEEN: u32 = 86_400;

/// An outbreak that goes on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Outbreak {
    /// The level that it began over, and the highest surprise in it.
    over: f32,
    peak: f32,
    calm: u8,
    /// Records above the level, as far as they are counted.
    records: u8,
    since_ms: i64,
}

/// The outbreaks of one device.
#[derive(Debug, Clone, PartialEq)]
pub struct Peaks {
    level: f32,
    excess: f32,
    seen: u32,
    /// Of the newest record: told before it is learnt, so that the same question has the same answer.
    newest: f32,
    newest_ms: i64,
    outbreak: Option<Outbreak>,
}

impl Default for Peaks {
    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    fn default() -> Self {
        let level = LEVEL_NATS as f32;
        Self { level, excess: 1.0, seen: 0, newest: f32::NAN, newest_ms: 0, outbreak: None }
    }
}

impl Peaks {
    /// Takes a surprise in and tells it, in nats.
    #[inline]
    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    pub fn push(&mut self, nats: f64, time_ms: i64) -> f64 {
        if !self.newest.is_nan() {
            self.learn(self.newest);
        }
        (self.newest, self.newest_ms) = (nats as f32, time_ms);
        self.told(nats)
    }

    /// A surprise by how often outbreaks go as far, in nats.
    #[inline]
    pub fn told(&self, nats: f64) -> f64 {
        let (level, excess) = (f64::from(self.level), f64::from(self.excess).max(1.0));
        let told =
            if nats <= level { LEVEL_NATS * nats / level } else { LEVEL_NATS + (nats - level) / excess };
        told.min(nats)
    }

    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    fn learn(&mut self, nats: f32) {
        let (level, excess) = (f64::from(self.level), f64::from(self.excess).max(1.0));
        let step = 1.0 / (f64::from(self.seen) / RECORDS_AN_OUTBREAK + PRIOR);
        self.seen = (self.seen + 1).min(MAX_SEEN);
        let Some(outbreak) = &mut self.outbreak else {
            let begins = nats > self.level;
            if begins {
                let since_ms = self.newest_ms;
                self.outbreak =
                    Some(Outbreak { over: self.level, peak: nats, calm: 0, records: 1, since_ms });
            }
            let moves = f64::from(u8::from(begins)) - 1.0 / RECORDS_AN_OUTBREAK;
            self.level = (level + step * excess * moves).max(MIN_LEVEL) as f32;
            return;
        };
        if nats > self.level {
            outbreak.peak = outbreak.peak.max(nats);
            outbreak.calm = 0;
            outbreak.records = outbreak.records.saturating_add(1);
            if outbreak.records > LONG && self.newest_ms - outbreak.since_ms > LASTING_MS {
                self.level = (level + step * excess * GOES_ON) as f32;
            }
            return;
        }
        outbreak.calm += 1;
        if outbreak.calm > GAP {
            let beyond = f64::from(outbreak.peak - outbreak.over).min(CLIP * excess) * CLIPPED_MEAN;
            self.excess = (f64::from(self.excess) + step * (beyond - f64::from(self.excess))) as f32;
            self.outbreak = None;
        }
    }

    /// All that is kept; an outbreak that goes on is not.
    #[allow(clippy::cast_precision_loss)] // At most a day of records.
    pub(super) fn numbers(&self) -> [f32; 3] {
        [self.level, self.excess, self.seen as f32]
    }

    /// The same back; `None` when no outbreaks have such numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss)] // Checked.
    pub(super) fn of_numbers([level, excess, seen]: [f32; 3]) -> Option<Self> {
        let fits = (1.0..1e4).contains(&level) && (0.0..1e4).contains(&excess);
        let known = (0.0..=MAX_SEEN as f32).contains(&seen);
        (fits && known).then_some(Self { level, excess, seen: seen as u32, ..Self::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    fn exponential(random: &mut Random) -> f64 {
        -crate::math::ln(1.0 - 0.999_999 * random.unit())
    }

    #[test]
    fn the_models_word_holds_at_first_and_where_it_is_true() {
        let (mut random, mut peaks) = (Random::new(1), Peaks::default());
        for second in 0..60 {
            peaks.push(exponential(&mut random), second * 1000);
        }
        assert!(peaks.told(20.0) > 19.0, "{}", peaks.told(20.0));
        for second in 60..50_000 {
            peaks.push(exponential(&mut random), second * 1000);
        }
        assert!(peaks.told(14.0) > 11.0, "{}", peaks.told(14.0));
    }

    #[test]
    fn where_outbreaks_go_three_times_as_far_a_surprise_is_worth_a_third() {
        let (mut random, mut peaks) = (Random::new(2), Peaks::default());
        for second in 0..50_000 {
            peaks.push(3.0 * exponential(&mut random), second * 1000);
        }
        let told = peaks.told(39.0);
        assert!((10.0..15.0).contains(&told), "{told}");
    }

    #[test]
    fn long_faults_count_once_and_change_little() {
        let (mut random, mut peaks) = (Random::new(3), Peaks::default());
        for record in 0..100_000 {
            // A twentieth of the time, half a minute each.
            let fault = record % 700 < 35;
            peaks.push(if fault { 100.0 } else { exponential(&mut random) }, record * 1000);
        }
        assert!(
            peaks.told(100.0) > 40.0 && peaks.told(25.0) > 13.0,
            "{} {}",
            peaks.told(100.0),
            peaks.told(25.0)
        );
    }

    #[test]
    fn trouble_is_no_way_of_the_line_before_it_could_be_a_level_shift() {
        let (mut random, mut peaks) = (Random::new(5), Peaks::default());
        for second in 0..300 {
            peaks.push(exponential(&mut random), second * 1000);
        }
        let told = |peaks: &mut Peaks, seconds: std::ops::Range<i64>| {
            seconds.map(|second| peaks.push(30.0, second * 1000)).last().unwrap()
        };
        assert!(told(&mut peaks, 300..1500) > 25.0);
        assert!(told(&mut peaks, 1500..40_000) < 15.0);
    }

    #[test]
    fn a_higher_surprise_never_is_told_as_less_and_none_as_more_than_it_was() {
        let (mut random, mut peaks) = (Random::new(4), Peaks::default());
        for second in 0..5000 {
            peaks.push(3.0 * exponential(&mut random), second * 1000);
        }
        let told: Vec<f64> = (0..400).map(|step| peaks.told(f64::from(step) * 0.25)).collect();
        assert!(told.windows(2).all(|pair| pair[0] <= pair[1]), "{told:?}");
        assert!(told.iter().zip(0..).all(|(told, step)| *told <= f64::from(step) * 0.25));
    }
}
