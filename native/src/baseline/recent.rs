//! The last few records of a device, held back from learning until it is known whether they began a fault.
//!
//! A fault that starts mildly would otherwise be learnt before it is recognised. Bounded: [`REACH`] records.
use std::collections::VecDeque;

/// A record is learnt once so many more have come; so many on both sides decide how much.
pub const LAG: usize = 10;
/// Records whose surprise is held: those not yet learnt, and as many learnt ones beside them.
const REACH: usize = 2 * LAG + 1;
/// Up to here a record is learnt in full, from there hardly, in nats.
const NORMAL_NATS: f32 = 4.0;
const ANOMALOUS_NATS: f32 = 9.0;
/// What an anomalous record still weighs: a new level must become known in the end.
const ANOMALOUS_WEIGHT: f64 = 0.02;
/// Up to so many suspicious records nearby are stray values, not a fault. Clipping bounds what they do, and
/// never learning them would make a wrong model stay wrong.
const STRAY_RECORDS: usize = 4;
const STRAY_WEIGHT: f64 = 0.3;

/// A record that is due to be learnt.
#[derive(Debug)]
pub struct Due<'a> {
    pub values: &'a [f32],
    /// Hour of the day, 0 up to 24.
    pub hour: f32,
    /// 0–1.
    pub weight: f64,
    /// Its surprise before the tail was fitted.
    pub raw_nats: f64,
}

/// The last records.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Recent {
    /// Of each record held, the oldest first: its surprise.
    nats: VecDeque<f32>,
    /// Of the record that was due last and of each not yet learnt, the oldest first: its surprise before the
    /// tail was fitted and its hour of the day, then its values.
    rows: VecDeque<f32>,
}

impl Recent {
    /// Takes a record and gives the one that is due, if any.
    pub fn push(&mut self, values: &[f32], hour: f32, nats: f32, raw_nats: f32) -> Option<Due<'_>> {
        let row = values.len() + 2;
        if self.nats.len() >= REACH {
            self.nats.pop_front();
        } else if self.nats.is_empty() {
            // Never more than this: growing by doubling would take half as much again.
            self.nats.reserve_exact(REACH);
            self.rows.reserve_exact((LAG + 1) * row);
        }
        if self.rows.len() > LAG * row {
            self.rows.drain(..row);
        }
        self.nats.push_back(nats);
        self.rows.extend([raw_nats, hour]);
        self.rows.extend(values);
        if self.rows.len() <= LAG * row {
            return None;
        }
        let weight = self.weight();
        // The room is a whole number of rows, so that the first one hardly ever lies around its end.
        if self.rows.as_slices().0.len() < row {
            self.rows.make_contiguous();
        }
        let due = &self.rows.as_slices().0[..row];
        Some(Due { values: &due[2..], hour: due[1], weight, raw_nats: f64::from(due[0]) })
    }

    /// Share of the records held that look anomalous.
    pub fn hot_share(&self) -> f64 {
        #[allow(clippy::cast_precision_loss)] // A few.
        let share = |count: usize| count as f64 / REACH as f64;
        share(self.nats.iter().filter(|nats| **nats > ANOMALOUS_NATS).count())
    }

    fn weight(&self) -> f64 {
        let suspicious = self.nats.iter().filter(|nats| **nats > NORMAL_NATS).count();
        if suspicious == 0 {
            return 1.0;
        }
        let highest = self.nats.iter().copied().fold(0.0, f32::max);
        let way = f64::from((highest - NORMAL_NATS) / (ANOMALOUS_NATS - NORMAL_NATS)).clamp(0.0, 1.0);
        let weight = 1.0 - (1.0 - ANOMALOUS_WEIGHT) * way;
        if suspicious <= STRAY_RECORDS { weight.max(STRAY_WEIGHT) } else { weight }
    }
}
