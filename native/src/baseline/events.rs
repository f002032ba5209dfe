//! The rate of a count: events a record, as a negative binomial whose spread and sureness follow from the data.
//!
//! The rate has a gamma prior of half an event, so that a count never seen is rare and not impossible; the
//! predictive distribution of a Poisson rate known only that well is a negative binomial, and over-dispersion
//! seen in the data widens it further.
use super::level::Expected;
use super::memory::Memory;
use super::tail::{count_above_nats, count_below_nats};

/// Events seen before the first one: Jeffreys' prior.
const PRIOR_EVENTS: f64 = 0.5;
/// Dispersion (variance over mean) below which the data count as Poisson.
const POISSON_DISPERSION: f64 = 1.2;
/// Events after which the dispersion seen is believed in full.
const KNOWN_EVENTS: f64 = 10.0;
/// From this mean on too few events can be a surprise too.
const MIN_MEAN_FOR_FEW: f64 = 5.0;

/// How many events records have lately had.
#[derive(Debug, Clone, PartialEq)]
pub struct Events {
    seen: f64,
    mean: f64,
    /// Around the mean.
    variance: f64,
}

impl Events {
    /// From a first sample, at least one value.
    pub fn of(sample: &[f64], memory: Memory) -> Self {
        let mut events = Self { seen: 0.0, mean: super::level::median(sample), variance: 0.0 };
        for value in sample {
            events.learn(*value, 1.0, 1.0, memory);
        }
        events
    }

    /// How improbable `count` events in one record are at so many times the usual rate, in nats.
    pub fn surprise(&self, count: f64, times: f64) -> f64 {
        if count == 0.0 && self.mean * times < MIN_MEAN_FOR_FEW {
            return 0.0;
        }
        let known = self.mean * self.seen + PRIOR_EVENTS;
        let mean = known / self.seen.max(1.0) * times;
        let dispersion = self.variance * times / mean.max(1e-9);
        let mut inverse_size = 1.0 / known;
        if dispersion > POISSON_DISPERSION {
            let belief = (self.mean * self.seen / KNOWN_EVENTS).min(1.0);
            inverse_size += (dispersion - 1.0) / mean * belief;
        }
        let size = 1.0 / inverse_size;
        let above = count_above_nats(count, mean, size);
        if mean < MIN_MEAN_FOR_FEW || count >= mean {
            return above;
        }
        // Two questions were asked.
        (count_below_nats(count, mean, size) - std::f64::consts::LN_2).max(0.0)
    }

    /// Takes a count in that came at so many times the usual rate, with a weight of 0–1; wild ones are cut, so that
    /// one cannot move the rate far.
    pub fn learn(&mut self, count: f64, weight: f64, times: f64, memory: Memory) {
        self.seen = (self.seen + weight).min(memory.records);
        let mean = self.mean * times;
        let limit = mean + 5.0 * mean.sqrt() + 3.0;
        let innovation = count.min(limit) - mean;
        let step = weight / self.seen.max(1.0);
        // However many events an hour usually has, none of them is no less than none.
        self.mean = (self.mean + step * innovation / times.max(1.0)).max(0.0);
        self.variance += step * (innovation * innovation / times - self.variance);
    }

    /// The mean and the deviation around it.
    pub(super) fn middle(&self) -> (f64, f64) {
        (self.mean, self.variance.max(self.mean).sqrt())
    }

    /// The same as if no more than so many counts had shown it.
    pub(super) fn known_by(self, counts: f64) -> Self {
        Self { seen: self.seen.min(counts), ..self }
    }

    /// The same at so many times the rate.
    pub(super) fn scaled(&self, times: f64) -> Self {
        Self { mean: self.mean * times, variance: self.variance * times, ..self.clone() }
    }

    /// All that it is, to be kept.
    pub(super) fn numbers(&self) -> [f64; 3] {
        [self.seen, self.mean, self.variance]
    }

    /// The same back; `None` when no rate has such numbers.
    pub(super) fn of_numbers([seen, mean, variance]: [f64; 3]) -> Option<Self> {
        let fits = [seen, mean, variance].iter().all(|number| number.is_finite() && *number >= 0.0);
        fits.then_some(Self { seen, mean, variance })
    }

    /// What is expected next, by the normal approximation.
    pub fn expected(&self) -> Expected {
        let reach = 1.645 * self.variance.max(self.mean).sqrt();
        let (p5, p95) = ((self.mean - reach).max(0.0), self.mean + reach);
        Expected { p5: p5.round(), median: self.mean, p95: p95.round() }
    }
}
