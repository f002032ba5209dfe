//! Windows of one length that begin with an event of one kind: how many more events they hold.
//!
//! A gamma prior on the mean, worth one window with half an event more (Jeffreys), makes the predictive distribution of
//! a Poisson rate a negative binomial; what windows vary beyond Poisson widens it. No such family holds far out, so
//! that the surprise beyond its 95th percentile is divided by the mean excess that windows have shown there, as in
//! [`super::super::score_tail`]. Windows come at a rate of their own; how often a day brings one that holds n more is
//! that rate times the tail.
use super::super::tail::{count_above_nats, ln};

/// Windows that the mean and the spread follow at most; the rate of windows has its memory in time.
const MEMORY: f32 = 500.0;
const PRIOR_WINDOWS: f64 = 1.0;
const PRIOR_EVENTS: f64 = 0.5;
/// Dispersion below which the numbers count as Poisson.
const POISSON_DISPERSION: f64 = 1.2;
/// Where the tail begins, −ln 0.05.
const START_NATS: f64 = 3.0;
/// Excesses beyond so many mean ones are cut to them; the mean is then this much too small.
const CLIP: f64 = 2.5;
const CLIPPED_MEAN: f64 = 1.0894;
/// Excesses that an exact tail counts for.
const PRIOR_EXCESSES: f32 = 2.0;

/// All windows of one length.
#[derive(Debug, Clone, PartialEq)]
pub struct Scale {
    /// When the present window began, and how many events it holds.
    pub began_s: f64,
    pub count: u32,
    /// Time without an event before it, s; negative when there was none before.
    pub quiet_s: f32,
    /// Windows that are over; older ones weigh less.
    pub windows: f32,
    /// Events more than the first, and how they vary around that.
    more: f32,
    variance: f32,
    excess: f32,
    excesses: f32,
}

impl Default for Scale {
    fn default() -> Self {
        Self {
            began_s: 0.0,
            count: 0,
            quiet_s: -1.0,
            windows: 0.0,
            more: 0.0,
            variance: 0.0,
            excess: 1.0,
            excesses: 0.0,
        }
    }
}

impl Scale {
    /// Takes an event in, `quiet_s` after the one before.
    pub fn count(&mut self, clock_s: f64, length_s: f64, quiet_s: f32) {
        if self.count > 0 && clock_s - self.began_s < length_s {
            self.count = self.count.saturating_add(1);
            return;
        }
        if self.count > 0 {
            self.learn();
        }
        (self.began_s, self.count, self.quiet_s) = (clock_s, 1, quiet_s);
    }

    /// Lets windows that are over weigh less.
    pub fn fade(&mut self, part: f64) {
        #[allow(clippy::cast_possible_truncation)]
        let part = part as f32;
        self.windows *= part;
    }

    /// −ln of how often a day brings a window with `count` events or more, of a device known for so long.
    pub fn nats(&self, count: u32, known_days: f64) -> f64 {
        let a_day = (f64::from(self.windows) + 1.0) / known_days;
        self.tail_nats(f64::from(count.saturating_sub(1))) - ln(a_day)
    }

    /// −ln of the share of windows that hold so many more events than the first.
    fn tail_nats(&self, more: f64) -> f64 {
        let nats = self.model_nats(more);
        let excess = f64::from(self.excess).max(1.0);
        if nats <= START_NATS { nats } else { START_NATS + (nats - START_NATS) / excess }
    }

    fn model_nats(&self, more: f64) -> f64 {
        let (windows, seen) = (f64::from(self.windows), f64::from(self.more));
        let events = windows.min(f64::from(MEMORY)) * seen + PRIOR_EVENTS;
        let mean = events / (windows.min(f64::from(MEMORY)) + PRIOR_WINDOWS);
        let mut inverse_size = 1.0 / events;
        let dispersion = f64::from(self.variance) / mean;
        if dispersion > POISSON_DISPERSION {
            inverse_size += (dispersion - 1.0) / mean;
        }
        count_above_nats(more, mean, 1.0 / inverse_size)
    }

    /// How many events a window usually holds at most.
    pub fn expected(&self) -> f64 {
        let more = f64::from(self.more) + 1.645 * f64::from(self.variance.max(self.more)).sqrt();
        if self.windows > 0.0 { 1.0 + more.round() } else { 0.0 }
    }

    #[allow(clippy::cast_possible_truncation)] // Kept in 32 bits.
    fn learn(&mut self) {
        let more = f64::from(self.count - 1);
        let nats = self.model_nats(more);
        if nats > START_NATS {
            let excess = f64::from(self.excess);
            let beyond = (nats - START_NATS).min(CLIP * excess.max(1.0)) * CLIPPED_MEAN;
            self.excess += (beyond - excess) as f32 / (self.excesses + PRIOR_EXCESSES);
            self.excesses = (self.excesses + 1.0).min(MEMORY);
        }
        // One storm is no way of the line.
        let reach = f64::from(self.more) + 5.0 * f64::from(self.variance.max(self.more)).sqrt() + 3.0;
        self.windows += 1.0;
        let step = 1.0 / self.windows.min(MEMORY);
        let moved = more.min(reach) as f32 - self.more;
        self.more += step * moved;
        self.variance += step * (moved * moved - self.variance);
    }

    /// All that it is, to be kept.
    pub fn numbers(&self) -> [f32; 6] {
        [self.quiet_s, self.windows, self.more, self.variance, self.excess, self.excesses]
    }

    /// The same back; `None` when no windows have such numbers.
    pub fn of_numbers(began_s: f64, count: u32, numbers: [f32; 6]) -> Option<Self> {
        let [quiet_s, windows, more, variance, excess, excesses] = numbers;
        let fits = numbers.iter().all(|number| number.is_finite())
            && [windows, more, variance, excess, excesses].iter().all(|number| *number >= 0.0)
            && began_s.is_finite();
        fits.then_some(Self { began_s, count, quiet_s, windows, more, variance, excess, excesses })
    }
}
