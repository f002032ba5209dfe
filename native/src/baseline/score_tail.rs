//! How heavy the tail of a device's own surprises is: real lines are wilder than any family of distributions.
//!
//! Above [`START_NATS`] a surprise that were exact would go on with one nat a nat. What it does instead is
//! measured as the mean excess (exponential tail, peaks over threshold), clipped and forgetting, and the
//! surprise is divided by it: heavier tails widen what counts as normal, without labels.

/// Where the tail begins: one record in ten.
pub const START_NATS: f64 = 2.3;
/// Excesses beyond so many mean ones are cut to them; the mean is then this much too small.
const CLIP: f64 = 4.0;
const CLIPPED_MEAN: f64 = 1.08;
/// Excesses that the prior of an exact tail counts for, and after which old ones fade.
const PRIOR: f64 = 10.0;
const MEMORY: f64 = 200.0;

/// The mean excess over the tail's start, at least that of an exact tail.
#[derive(Debug, Clone, PartialEq)]
pub struct ScoreTail {
    mean_excess: f64,
    seen: f64,
}

impl Default for ScoreTail {
    fn default() -> Self {
        Self { mean_excess: 1.0, seen: 0.0 }
    }
}

impl ScoreTail {
    /// The surprise as this device's own tail has it, in nats.
    pub fn fitted(&self, nats: f64) -> f64 {
        if nats <= START_NATS { nats } else { START_NATS + (nats - START_NATS) / self.mean_excess.max(1.0) }
    }

    /// All that it is, to be kept.
    pub(super) fn numbers(&self) -> [f64; 2] {
        [self.mean_excess, self.seen]
    }

    /// The same back; `None` when no tail has such numbers.
    pub(super) fn of_numbers([mean_excess, seen]: [f64; 2]) -> Option<Self> {
        let fits = (0.0..1e6).contains(&mean_excess) && (0.0..1e12).contains(&seen);
        fits.then_some(Self { mean_excess, seen })
    }

    /// Takes a surprise in, with a weight of 0–1.
    pub fn learn(&mut self, nats: f64, weight: f64) {
        if nats <= START_NATS {
            return;
        }
        let excess = (nats - START_NATS).min(CLIP * self.mean_excess.max(1.0));
        let step = weight / (self.seen.min(MEMORY) + PRIOR);
        self.seen += weight;
        self.mean_excess += step * (excess * CLIPPED_MEAN - self.mean_excess);
    }
}
