//! Mean and variance of one channel, maintained.
//!
//! Sums are taken over x − k, k one of the values and at most one deviation from their mean. They are
//! taken anew from the records when they lose digits: after a removal that takes nearly all of the sum of
//! squares, when the mean has moved far from k, and after so many removals that rounding could add up. So
//! they stay within 1e-9 of a two-pass computation, whatever passes through. Each costs all records, but
//! comes only after as many removals, or when what left was ten times as far out as all that stays.

/// Removals after which the sums are taken anew, for each value held.
const MAX_REMOVALS: u32 = 4;
/// Sums of squares below this share of the largest since then have lost too many digits.
const MIN_SHARE: f64 = 0.01;

/// Sums over the known values of a channel.
#[derive(Debug, Clone, Copy, Default)]
pub struct Moments {
    shift: f64,
    sum: f64,
    squares: f64,
    /// Largest sum of squares since the sums were taken.
    peak: f64,
    known: u32,
    positive: u32,
    removals: u32,
}

impl Moments {
    /// Adds a value that is known.
    pub fn insert(&mut self, value: f64) {
        if self.known == 0 {
            *self = Self { shift: value, ..Self::default() };
        }
        self.known += 1;
        self.positive += u32::from(value > 0.0);
        let distance = value - self.shift;
        self.sum += distance;
        self.squares += distance * distance;
        self.peak = self.peak.max(self.squares);
    }

    /// Takes away a value that was added.
    pub fn remove(&mut self, value: f64) {
        self.known -= 1;
        self.removals += 1;
        self.positive -= u32::from(value > 0.0);
        let distance = value - self.shift;
        self.sum -= distance;
        self.squares -= distance * distance;
    }

    /// Whether the sums have to be taken anew.
    pub fn is_worn(&self) -> bool {
        let cancelled = self.squares < self.peak * MIN_SHARE;
        let moved = self.sum * self.sum > (1.0 - MIN_SHARE) * self.squares * f64::from(self.known);
        let old = self.removals > MAX_REMOVALS * self.known + 64;
        (cancelled || moved && self.squares > 0.0 || old) && self.known > 0
    }

    /// Takes the sums anew from all values, NaN among them.
    pub fn retake(&mut self, values: impl Iterator<Item = f64> + Clone) {
        let known = values.filter(|value| !value.is_nan());
        let mean =
            self.shift + known.clone().map(|value| value - self.shift).sum::<f64>() / f64::from(self.known);
        let nearer = |best: f64, value: f64| {
            if (value - mean).abs() < (best - mean).abs() { value } else { best }
        };
        self.shift = known.clone().fold(f64::INFINITY, nearer);
        (self.sum, self.squares, self.removals) = (0.0, 0.0, 0);
        for value in known {
            let distance = value - self.shift;
            self.sum += distance;
            self.squares += distance * distance;
        }
        self.peak = self.squares;
    }

    /// Mean; NaN of nothing.
    pub fn mean(&self) -> f64 {
        if self.known == 0 { f64::NAN } else { self.shift + self.sum / f64::from(self.known) }
    }

    /// Sample variance (n − 1); NaN for fewer than two values.
    pub fn variance(&self) -> f64 {
        let n = f64::from(self.known);
        if self.known < 2 {
            f64::NAN
        } else {
            ((self.squares - self.sum * self.sum / n) / (n - 1.0)).max(0.0)
        }
    }

    /// Sum; NaN of nothing.
    pub fn total(&self) -> f64 {
        if self.known == 0 { f64::NAN } else { self.shift * f64::from(self.known) + self.sum }
    }

    /// Share of the values above 0; NaN of nothing.
    pub fn positive_share(&self) -> f64 {
        if self.known == 0 { f64::NAN } else { f64::from(self.positive) / f64::from(self.known) }
    }
}
