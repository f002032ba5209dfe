//! The level of a gauge: what its values have lately been, as a robust, exponentially forgetting model.
//!
//! Values may stick to one (no loss, a constant setting): then that value is an *atom*, and the model is the
//! probability of leaving it, times how far off the others are. The rest is Gaussian or log-normal, whichever
//! explains the data better. Innovations are clipped at three deviations (Huber's ψ), so that one wild value
//! moves level and spread by a bounded amount.
use super::memory::Memory;
use super::tail::{ln, student_nats};
use crate::math::exp;

/// Innovations beyond so many deviations are cut to them.
const CLIP: f64 = 3.0;
/// A Gaussian's variance after that clipping is this much too small.
const CLIPPED_VARIANCE: f64 = 1.03;
/// Share of the first values that must be equal to make an atom.
const ATOM_SHARE: f64 = 0.3;
/// Weight, in values, of the prior scale of what is off the atom: few were seen, and their spread is not known.
const OFF_ATOM_PRIOR: f64 = 5.0;
/// Least deviation, relative to the level, that is told from none; in logarithms the same.
const FLOOR: f64 = 0.005;
/// Off the atom fewer values than this have no level of their own.
const MIN_OFF_ATOM: f64 = 3.0;

/// Values after which the family is chosen anew.
const ASK_EVERY: u8 = 16;
/// Least weight of the value that a level starts from.
const MIN_FIRST_WEIGHT: f64 = 0.3;

/// A mean and the variance around it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Moments {
    mean: f64,
    variance: f64,
}

impl Moments {
    /// Robust start: around the median, cut at three deviations by the median absolute one.
    fn of(values: &[f64]) -> Self {
        let center = median(values);
        let deviation =
            1.4826 * median(&values.iter().map(|value| (value - center).abs()).collect::<Vec<_>>());
        let limit = CLIP * deviation;
        let cut = |value: &f64| value.clamp(center - limit, center + limit);
        #[allow(clippy::cast_precision_loss)] // A few dozen.
        let count = values.len() as f64;
        let mean = values.iter().map(cut).sum::<f64>() / count;
        let squares = values.iter().map(|value| (cut(value) - mean).powi(2)).sum::<f64>();
        Self { mean, variance: squares / (count - 1.0).max(1.0) }
    }

    /// `spread` is the deviation that counts as usual.
    fn learn(&mut self, value: f64, spread: f64, step: f64) {
        // A first value is all that is known.
        let limit = if step >= 1.0 { f64::INFINITY } else { CLIP * spread };
        let innovation = (value - self.mean).clamp(-limit, limit);
        self.mean += step * innovation;
        self.variance += step * (innovation * innovation * CLIPPED_VARIANCE - self.variance);
    }
}

/// What a gauge's values have lately been.
#[derive(Debug, Clone, PartialEq)]
pub struct Level {
    /// NaN when there is none.
    atom: f64,
    /// Values seen, and those of them off the atom; both fade beyond the memory's length.
    seen: f64,
    off_atom: f64,
    /// Values behind the moments.
    behind: f64,
    linear: Moments,
    /// Of logarithms; none once a value was not positive.
    logs: Option<Moments>,
    /// Whether the logarithms explain the values better, as found when last asked.
    in_logs: bool,
    /// Values taken in since then.
    unasked: u8,
}

/// What a level expects: in 90 of 100 cases a value between the ends, the middle most likely.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Expected {
    pub p5: f64,
    pub median: f64,
    pub p95: f64,
}

impl Level {
    /// From a first sample, at least one value.
    pub fn of(sample: &[f64]) -> Self {
        let center = median(sample);
        #[allow(clippy::cast_precision_loss)] // A few dozen.
        let (seen, equal) =
            (sample.len() as f64, sample.iter().filter(|value| **value == center).count() as f64);
        let atom = (equal >= ATOM_SHARE * seen).then_some(center);
        let rest: Vec<f64> = sample.iter().copied().filter(|value| atom != Some(*value)).collect();
        let basis: &[f64] = if rest.is_empty() { &sample[..1] } else { &rest };
        let positive = basis.iter().all(|value| *value > 0.0) || rest.is_empty();
        let logs: Vec<f64> = basis.iter().map(|value| ln(value.max(1e-12))).collect();
        #[allow(clippy::cast_precision_loss)]
        let off_atom = rest.len() as f64;
        let mut level = Self {
            atom: atom.unwrap_or(f64::NAN),
            seen,
            off_atom,
            behind: off_atom,
            linear: Moments::of(basis),
            logs: positive.then(|| Moments::of(&logs)),
            in_logs: false,
            unasked: 0,
        };
        level.choose_family();
        level
    }

    /// The value that the others leave, if there is one.
    pub(super) fn atom(&self) -> Option<f64> {
        (!self.atom.is_nan()).then_some(self.atom)
    }

    /// How improbable `value` is, in nats.
    pub fn surprise(&self, value: f64) -> f64 {
        if self.atom == value {
            return 0.0;
        }
        let leaving = match self.atom() {
            Some(_) => -ln((self.off_atom + 0.5) / (self.seen + 1.0)),
            None => 0.0,
        };
        if !self.atom.is_nan() && self.behind < MIN_OFF_ATOM {
            return leaving;
        }
        let in_logs = self.in_logs(value);
        let (moments, point, floor) = self.frame(in_logs, value);
        let variance = self.variance(moments, floor, in_logs);
        let prior = if self.atom.is_nan() { 0.0 } else { OFF_ATOM_PRIOR };
        let freedom = (self.behind + prior - 1.0).max(2.0);
        let deviation = (variance * (1.0 + 1.0 / self.behind.max(1.0))).sqrt();
        leaving + student_nats((point - moments.mean) / deviation, freedom)
    }

    /// Takes a value in, with a weight of 0–1.
    pub fn learn(&mut self, value: f64, weight: f64, memory: Memory) {
        let hit = if self.atom == value { 0.0 } else { 1.0 };
        if !self.atom.is_nan() && self.seen >= memory.records {
            self.off_atom += weight * (hit - self.off_atom / self.seen);
        } else {
            self.off_atom += weight * hit;
            self.seen = (self.seen + weight).min(memory.records);
        }
        if hit == 0.0 {
            return;
        }
        let first = self.behind == 0.0;
        if first && weight < MIN_FIRST_WEIGHT {
            // What faults alone have shown is no level.
            return;
        }
        self.behind = (self.behind + weight).min(memory.records);
        let step = if first { 1.0 } else { weight / self.behind.max(1.0) };
        let (linear, floor) = (self.linear, self.floor());
        self.linear.learn(value, self.variance(linear, floor, false).sqrt(), step);
        match self.logs {
            Some(mut logs) if value > 0.0 => {
                logs.learn(ln(value), self.variance(logs, FLOOR, true).sqrt(), step);
                self.logs = Some(logs);
            }
            _ => self.logs = None,
        }
        self.unasked += 1;
        if self.unasked >= ASK_EVERY || self.logs.is_none() {
            self.choose_family();
        }
    }

    /// All that it is, to be kept.
    pub(super) fn numbers(&self) -> [f64; 10] {
        let logs = self.logs.unwrap_or(Moments { mean: f64::NAN, variance: f64::NAN });
        let (atom, in_logs) = (self.atom, f64::from(u8::from(self.in_logs)));
        let Self { seen, off_atom, behind, linear, unasked, .. } = self;
        let unasked = f64::from(*unasked);
        let (mean, variance) = (linear.mean, linear.variance);
        [atom, *seen, *off_atom, *behind, mean, variance, logs.mean, logs.variance, in_logs, unasked]
    }

    /// The same back; `None` when no level has such numbers.
    pub(super) fn of_numbers(numbers: [f64; 10]) -> Option<Self> {
        let [atom, seen, off_atom, behind, mean, variance, log_mean, log_variance, in_logs, unasked] =
            numbers;
        let counts = [seen, off_atom, behind].iter().all(|count| (0.0..=1e9).contains(count));
        let moments = mean.is_finite() && variance >= 0.0 && variance.is_finite();
        let logs = (!log_mean.is_nan()).then_some(Moments { mean: log_mean, variance: log_variance });
        let logs_fit = logs.is_none_or(|logs| logs.mean.is_finite() && (0.0..1e9).contains(&logs.variance));
        if !counts || !moments || !logs_fit || atom.is_infinite() || !(0.0..=255.0).contains(&unasked) {
            return None;
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // Checked above.
        let unasked = unasked as u8;
        let linear = Moments { mean, variance };
        let in_logs = in_logs == 1.0 && logs.is_some();
        Some(Self { atom, seen, off_atom, behind, linear, logs, in_logs, unasked })
    }

    /// Whether all values were positive, so that they have logarithms.
    pub(super) fn is_positive(&self) -> bool {
        self.logs.is_some()
    }

    /// Where the values lie and how far they spread, or their logarithms do.
    pub(super) fn middle(&self, in_logs: bool) -> (f64, f64) {
        let (middle, deviation) = match self.logs.filter(|_| in_logs) {
            Some(logs) => return (logs.mean, logs.variance.max(FLOOR * FLOOR).sqrt()),
            None => (self.atom().unwrap_or(self.linear.mean), self.linear.variance.sqrt().max(self.floor())),
        };
        if in_logs { (ln(middle), deviation / middle.abs().max(1e-9)) } else { (middle, deviation) }
    }

    /// The same as if no more than so many values off the atom had shown it.
    pub(super) fn known_by(self, values: f64) -> Self {
        Self { behind: self.behind.min(values), ..self }
    }

    /// The level of the same values, each less `offset`: without an atom, and no longer of positive values.
    pub(super) fn lowered(&self, offset: f64) -> Self {
        let linear = Moments { mean: self.linear.mean - offset, ..self.linear };
        Self { atom: f64::NAN, linear, logs: None, in_logs: false, ..self.clone() }
    }

    /// The level of the same values, each times `factor`, whose logarithm is given too; without an atom.
    pub(super) fn scaled(&self, factor: f64, log_factor: f64) -> Self {
        let Moments { mean, variance } = self.linear;
        let linear = Moments { mean: factor * mean, variance: factor * factor * variance };
        let logs = self.logs.map(|logs| Moments { mean: logs.mean + log_factor, ..logs });
        Self { atom: f64::NAN, linear, logs, ..self.clone() }
    }

    /// What is expected next.
    pub fn expected(&self) -> Expected {
        let leaving = self.off_atom / self.seen.max(1.0);
        if let Some(atom) = self.atom().filter(|_| leaving < 0.05) {
            return Expected { p5: atom, median: atom, p95: atom };
        }
        let in_logs = self.in_logs(1.0);
        let (moments, _, floor) = self.frame(in_logs, 1.0);
        let reach = 1.645 * moments.variance.max(floor * floor).sqrt();
        let back = |point: f64| if in_logs { exp(point) } else { point };
        let (p5, p95) = (back(moments.mean - reach), back(moments.mean + reach));
        match self.atom() {
            Some(atom) => Expected { p5: p5.min(atom), median: atom, p95: p95.max(atom) },
            None => Expected { p5, median: back(moments.mean), p95 },
        }
    }

    fn in_logs(&self, value: f64) -> bool {
        self.in_logs && value > 0.0
    }

    /// Off an atom what is positive spreads over magnitudes. Elsewhere the likelihoods decide: a log-normal's
    /// is higher when ln σ of the logarithms plus their mean is below ln σ of the values.
    fn choose_family(&mut self) {
        self.unasked = 0;
        self.in_logs = self.logs.is_some_and(|logs| {
            let ratio = logs.variance / self.linear.variance.max(1e-300);
            !self.atom.is_nan() || (logs.variance > 1e-300 && 0.5 * ln(ratio) + logs.mean < 0.0)
        });
    }

    /// The variance to reckon with: never below the floor, and off an atom with the prior's part in it.
    fn variance(&self, moments: Moments, floor: f64, in_logs: bool) -> f64 {
        let variance = moments.variance.max(floor * floor);
        if self.atom.is_nan() {
            return variance;
        }
        let prior = if in_logs { 1.0 } else { (moments.mean * moments.mean).max(variance) };
        (variance * self.behind + OFF_ATOM_PRIOR * prior) / (self.behind + OFF_ATOM_PRIOR)
    }

    fn floor(&self) -> f64 {
        (FLOOR * self.linear.mean.abs()).max(1e-9)
    }

    fn frame(&self, in_logs: bool, value: f64) -> (Moments, f64, f64) {
        match self.logs.filter(|_| in_logs) {
            Some(logs) => (logs, ln(value), FLOOR),
            None => (self.linear, value, self.floor()),
        }
    }
}

/// The middle of the values, the mean of the two middle ones when their number is even; NaN when empty.
pub fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    crate::math::quantile_sorted(&sorted, 0.5)
}
