//! How far the last records of a device are from a slow and from a fast level of its channels, for ranking them.
//!
//! The slow level weighs the recent quarter of all it saw. The fast one follows within a few records and is
//! measured against the size of its own errors in the recent eighth: it finds jumps. Steps are clipped at five
//! deviations (Huber's ψ), so that no outlier moves a level far. `far` adds up what is beyond 3.5 deviations of
//! the slow level over some forty records, `near` the same over some four, `jump` takes the farthest channel from the
//! fast one over some ten, and `odd` is the pooled surprise over some ten. None is a probability: each goes through
//! the tail that the device's own records gave it. A fifth, `novel`, is how far a record goes beyond all before it
//! ([`super::extremes`]): it is not smoothed, so that what is short and new stands above what lingers after long
//! events, and it speaks from the 250th record on. The five are joined as the root of their squares;
//! `near` and `odd` count less while few records were seen.
//!
//! Hours of the day are left in: levels that follow within days rank no better without them (tried on series of a
//! minute's and of five minutes' step: as good or worse, since hours that begin to be used are a jump).
//!
//! The constants were chosen on labelled series of four kinds, as a whole and not one kind by one; around them the
//! figures are flat. Memory: 24 bytes a channel and 68.
use super::extremes::Extremes;
use super::own_tail::OwnTail;
use super::tail::ln;
use crate::math::quantile_sorted;

/// Values that a channel's levels start from.
pub const FIRST_VALUES: usize = 16;
/// A value moves a level by at most so many deviations.
const CLIP: f32 = 5.0;
/// A level's rate is this over the records seen: of the slow level, and of the fast one's scale.
const SLOW_RECENT: f32 = 4.0;
const FAST_RECENT: f32 = 8.0;
const MAX_RATE: f32 = 0.5;
/// The fast level never follows slower than this.
const FAST_RATE: f32 = 0.3;
/// So many records at most count as seen: a day of one a second.
const MAX_SEEN: u32 = 86_400;
/// Smoothing of the scores, spans of 39, 4, 9 and 9 records.
const FAR_SMOOTHING: f64 = 0.05;
const NEAR_SMOOTHING: f64 = 0.4;
const JUMP_SMOOTHING: f64 = 0.2;
const ODD_SMOOTHING: f64 = 0.2;
/// Deviations of the slow level up to this are nothing to wonder at, and beyond that much no more.
const FAR_FREE: f32 = 3.5;
const FAR_MAX: f32 = 1e6;
/// Deviations of the fast level beyond this say no more.
const JUMP_MAX: f32 = 8.0;
/// Parts of the squares, and the records after which the first two count half of that.
const NEAR_PART: f64 = 0.75;
const ODD_PART: f64 = 0.5;
const HALF_TRUST: f64 = 1000.0;
const NOVEL_PART: f64 = 4.5;
/// What a record that goes one width beyond all before it comes to is ln of one more than this.
const NOVEL_SCALE: f64 = 100.0;
/// A new extreme is no news among fewer records.
const NOVEL_FROM: f64 = 250.0;
/// Of each score's own tail: where it is guessed to begin, and the least mean excess that is a difference.
const FAR_TAIL: (f32, f64) = (0.02, 0.02);
const JUMP_TAIL: (f32, f64) = (1.0, 0.05);
const ODD_TAIL: (f32, f64) = (0.5, 0.5);
/// A scale is at least this share of the level, and at most what its square can be held of.
const MIN_SHARE: f32 = 1e-3;
const MIN_SCALE: f32 = 1e-9;
const MAX_SCALE: f32 = 1e18;
/// Deviations from the median absolute and from the mean absolute deviation of normal values.
const MAD_TO_DEVIATION: f64 = 1.4826;
const MEAN_TO_DEVIATION: f64 = 1.2533;

#[derive(Debug, Clone, Copy, PartialEq)]
struct Level {
    mean: f32,
    variance: f32,
}

impl Level {
    const UNKNOWN: Self = Self { mean: f32::NAN, variance: 0.0 };

    /// Learns a value and gives its distance from the level before, in deviations, with its sign.
    fn follow(&mut self, value: f32, rate: f32, scale_rate: f32) -> f32 {
        let least = MIN_SHARE * self.mean.abs() + MIN_SCALE;
        let deviation = self.variance.sqrt().max(least).min(MAX_SCALE);
        let z = (value - self.mean) / deviation;
        let step = deviation * z.clamp(-CLIP, CLIP);
        self.mean += rate * step;
        self.variance += scale_rate * (step * step - self.variance);
        z
    }

    fn is_usable(self) -> bool {
        self.mean.is_nan() || (self.mean.is_finite() && self.variance.is_finite() && self.variance >= 0.0)
    }
}

/// One channel's levels; unknown until they are started.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Levels {
    slow: Level,
    fast: Level,
    extremes: Extremes,
}

impl Levels {
    const UNKNOWN: Self = Self { slow: Level::UNKNOWN, fast: Level::UNKNOWN, extremes: Extremes::UNKNOWN };
}

/// The levels of one device and what its records came to.
#[derive(Debug, Clone, PartialEq)]
pub struct TwoSpeed {
    levels: Box<[Levels]>,
    /// Records since the first levels were known, these included.
    seen: u32,
    far: f32,
    near: f32,
    jump: f32,
    odd: f32,
    tails: [OwnTail; 4],
}

impl Default for TwoSpeed {
    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    fn default() -> Self {
        let tails = [FAR_TAIL, FAR_TAIL, JUMP_TAIL, ODD_TAIL]
            .map(|(start, least)| OwnTail::new(start, least as f32));
        Self { levels: Box::default(), seen: 0, far: 0.0, near: 0.0, jump: 0.0, odd: 0.0, tails }
    }
}

impl TwoSpeed {
    /// Whether a channel waits for its first values.
    pub fn lacks(&self, channel: usize) -> bool {
        self.levels.get(channel).is_none_or(|levels| levels.slow.mean.is_nan())
    }

    /// Starts a channel of `channels` from its first values, at least one.
    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    pub fn start(&mut self, channel: usize, channels: usize, values: &[f32]) {
        if self.levels.len() != channels {
            self.levels = vec![Levels::UNKNOWN; channels].into();
        }
        let Some((mean, deviation)) = middle_and_deviation(values.iter().map(|v| f64::from(*v)).collect())
        else {
            return;
        };
        let deviation = (deviation as f32).min(MAX_SCALE);
        let level = Level { mean: mean as f32, variance: deviation * deviation };
        self.levels[channel] = Levels { slow: level, fast: level, extremes: Extremes::of(values) };
        self.seen = self.seen.max(u32::try_from(values.len()).unwrap_or(MAX_SEEN));
    }

    /// Takes a record in, whose surprise is `nats`, and says how strange the last ones are, in nats. What is not
    /// finite adds nothing and teaches nothing; `None` when no channel with a level has a value.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation)] // At most a day of records; 32 bits.
    pub fn push(&mut self, values: &[f32], nats: Option<f64>) -> Option<f64> {
        let seen = self.seen as f32 + 1.0;
        let (rate, fast_rate) = (MAX_RATE.min(SLOW_RECENT / seen), MAX_RATE.min(FAST_RECENT / seen));
        let forget = Extremes::rate(seen);
        let (mut known, mut squares, mut jump, mut beyond) = (false, 0.0, 0.0_f32, 0.0_f32);
        for (levels, &value) in self.levels.iter_mut().zip(values) {
            if !value.is_finite() || levels.slow.mean.is_nan() {
                continue;
            }
            known = true;
            let slow = levels.slow.follow(value, rate, rate).abs();
            if slow > FAR_FREE {
                squares += ln(f64::from(1.0 + slow.min(FAR_MAX) - FAR_FREE)).powi(2);
            }
            let fast = levels.fast.follow(value, fast_rate.max(FAST_RATE), fast_rate).abs();
            jump = jump.max(fast.min(JUMP_MAX));
            beyond = beyond.max(levels.extremes.push(value, levels.slow.mean, forget));
        }
        if !known {
            return None;
        }
        self.seen = (self.seen + 1).min(MAX_SEEN);
        Some(self.join(squares.sqrt(), f64::from(jump), f64::from(beyond), nats))
    }

    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    fn join(&mut self, far: f64, jump: f64, beyond: f64, nats: Option<f64>) -> f64 {
        let smooth = |state: &mut f32, value: f64, rate: f64| {
            *state += (rate * (value - f64::from(*state))) as f32;
            ln(1.0 + f64::from(*state))
        };
        let seen = f64::from(self.seen);
        let trust = seen / (seen + HALF_TRUST);
        let near = smooth(&mut self.near, far, NEAR_SMOOTHING);
        let far = smooth(&mut self.far, far, FAR_SMOOTHING);
        let jump = smooth(&mut self.jump, jump, JUMP_SMOOTHING);
        let [far_tail, near_tail, jump_tail, odd_tail] = &mut self.tails;
        let mut squares = far_tail.push(far, seen, FAR_TAIL.1).powi(2);
        squares += NEAR_PART * trust * near_tail.push(near, seen, FAR_TAIL.1).powi(2);
        squares += jump_tail.push(jump, seen, JUMP_TAIL.1).powi(2);
        if let Some(nats) = nats {
            let odd = smooth(&mut self.odd, nats, ODD_SMOOTHING);
            let odd = odd_tail.push(odd, seen, ODD_TAIL.1);
            squares += ODD_PART * trust * odd * odd;
        }
        if seen >= NOVEL_FROM {
            squares += NOVEL_PART * ln(1.0 + NOVEL_SCALE * beyond).powi(2);
        }
        squares.sqrt()
    }

    /// All that it is, to be kept: the device's thirteen numbers, then six of each of so many channels,
    /// NaN and 0 where none is known.
    pub(super) fn numbers(&self, channels: usize) -> impl Iterator<Item = f32> + '_ {
        #[allow(clippy::cast_precision_loss)] // At most a day of records.
        let own = [self.seen as f32, self.far, self.near, self.jump, self.odd];
        let tails = self.tails.iter().flat_map(OwnTail::numbers);
        let levels = (0..channels).flat_map(|place| {
            let Levels { slow, fast, extremes } = self.levels.get(place).copied().unwrap_or(Levels::UNKNOWN);
            let [low, high] = extremes.numbers();
            [slow.mean, slow.variance, fast.mean, fast.variance, low, high]
        });
        own.into_iter().chain(tails).chain(levels)
    }

    /// The same back; `None` when nothing has such numbers.
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked before.
    pub(super) fn of_numbers(own: [f32; 13], levels: &[[f32; 6]]) -> Option<Self> {
        let [seen, far, near, jump, odd, tails @ ..] = own;
        #[allow(clippy::cast_precision_loss)] // A day of records.
        let most = MAX_SEEN as f32;
        let scores = [far, near, jump, odd].iter().all(|score| (0.0..1e6).contains(score));
        if !scores || !(0.0..=most).contains(&seen) {
            return None;
        }
        let level = |numbers: &[f32; 6]| {
            let [mean, variance, fast_mean, fast_variance, low, high] = *numbers;
            let slow = Level { mean, variance };
            let fast = Level { mean: fast_mean, variance: fast_variance };
            let extremes = Extremes::of_numbers([low, high])?;
            let all = [fast.mean.is_nan(), !extremes.is_known()].iter().all(|none| *none == mean.is_nan());
            (slow.is_usable() && fast.is_usable() && all).then_some(Levels { slow, fast, extremes })
        };
        let mut levels = levels.iter().map(level).collect::<Option<Box<[_]>>>()?;
        if levels.iter().all(|levels| levels.slow.mean.is_nan()) {
            levels = Box::default();
        }
        let (pairs, _) = tails.as_chunks::<2>();
        let tail = |place: usize| pairs.get(place).and_then(|pair| OwnTail::of_numbers(*pair));
        let tails = [tail(0)?, tail(1)?, tail(2)?, tail(3)?];
        Some(Self { levels, seen: seen as u32, far, near, jump, odd, tails })
    }
}

/// Median and robust standard deviation of the finite values; none without any.
pub(super) fn middle_and_deviation(mut values: Vec<f64>) -> Option<(f64, f64)> {
    values.retain(|value| value.is_finite());
    if values.is_empty() {
        return None;
    }
    values.sort_unstable_by(f64::total_cmp);
    let middle = quantile_sorted(&values, 0.5);
    for value in &mut values {
        *value = (*value - middle).abs();
    }
    values.sort_unstable_by(f64::total_cmp);
    let median = MAD_TO_DEVIATION * quantile_sorted(&values, 0.5);
    #[allow(clippy::cast_precision_loss)] // A count of values.
    let mean = MEAN_TO_DEVIATION * values.iter().sum::<f64>() / values.len() as f64;
    Some((middle, if median > 0.0 { median } else { mean }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[allow(clippy::cast_possible_truncation)]
    fn noise(random: &mut Random) -> f32 {
        (random.unit() + random.unit() + random.unit() - 1.5) as f32
    }

    fn calm(random: &mut Random) -> TwoSpeed {
        let mut levels = TwoSpeed::default();
        for channel in 0..2 {
            let values: Vec<f32> = (0..FIRST_VALUES).map(|_| noise(random)).collect();
            levels.start(channel, 2, &values);
        }
        for _ in 0..500 {
            levels.push(&[noise(random), noise(random)], Some(0.0));
        }
        levels
    }

    #[test]
    fn a_moved_level_is_strange_within_a_few_records_and_forgotten_as_it_is_learnt() {
        let mut random = Random::new(1);
        let mut levels = calm(&mut random);
        let before = levels.push(&[0.0, 0.0], Some(0.0)).unwrap();
        let moved: Vec<f64> =
            (0..400).map(|_| levels.push(&[6.0 + noise(&mut random), 0.0], Some(0.0)).unwrap()).collect();
        let highest = moved.iter().copied().fold(0.0, f64::max);
        assert!(before < 3.0 && moved[4] > 6.0 && highest > 10.0, "{before} {} {highest}", moved[4]);
        assert!(moved[399] < 0.5 * highest, "{} of {highest}", moved[399]);
    }

    #[test]
    fn one_outlier_hardly_moves_a_level() {
        let mut random = Random::new(2);
        let mut levels = calm(&mut random);
        for value in [1e9, f32::MAX, f32::MIN] {
            assert!(levels.push(&[value, 0.0], Some(0.0)).unwrap().is_finite());
        }
        let slow = levels.levels[0].slow;
        assert!(slow.mean.abs() < 0.3 && slow.variance.sqrt() < 1.0, "{slow:?}");
    }

    #[test]
    fn unknown_values_add_nothing_and_teach_nothing() {
        let mut random = Random::new(3);
        let (mut levels, values) = (calm(&mut random), [f32::NAN, f32::INFINITY]);
        let before = levels.clone();
        assert_eq!(levels.push(&values, None), None);
        assert_eq!(levels, before);
        assert_eq!(TwoSpeed::default().push(&[1.0, 2.0], None), None);
    }

    #[test]
    fn a_surprise_counts_more_once_more_was_seen() {
        let mut random = Random::new(4);
        let mut levels = calm(&mut random);
        let mut early = levels.clone();
        early.seen = 60;
        let late = (0..5).map(|_| levels.push(&[0.0, 0.0], Some(50.0)).unwrap()).fold(0.0, f64::max);
        let soon = (0..5).map(|_| early.push(&[0.0, 0.0], Some(50.0)).unwrap()).fold(0.0, f64::max);
        assert!(late > 1.2 * soon, "{late} {soon}");
    }

    #[test]
    fn a_record_beyond_all_before_it_is_strange_at_once_and_only_among_many() {
        let mut random = Random::new(5);
        let mut levels = calm(&mut random);
        let mut early = levels.clone();
        early.seen = 100;
        let usual = levels.clone().push(&[1.4, 0.0], Some(0.0)).unwrap();
        let beyond = levels.push(&[2.4, 0.0], Some(0.0)).unwrap();
        let soon = early.push(&[2.4, 0.0], Some(0.0)).unwrap();
        assert!(beyond > usual + 5.0 && soon < beyond - 5.0, "{usual} {beyond} {soon}");
    }
}
