//! The nearest value of a strange record's leading channel with which it would have been normal.
//!
//! Asked when an episode opens, not for every record: at most [`STEPS`] + 1 scores of one record.
use super::device::{AVERAGE_STEP, DeviceBaseline, Pool, averaged, capped};
use crate::channel::ChannelKind;
use crate::forest::change::bisect;

const STEPS: usize = 24;
/// The answer is this much below the limit, in nats: the record itself was taken in since it was scored, and values
/// are kept in 32 bits.
const MARGIN_NATS: f64 = 0.05;

impl DeviceBaseline {
    /// Of the newest record, just pushed with `values` and the `surprises` that it left: the channel with the
    /// largest share, and its nearest value with which the record would have come to `limit_nats` at most. `None`
    /// when no value of that channel alone does it. Counts stay whole.
    pub fn nearest_normal(
        &self,
        values: &[f32],
        surprises: &[f64],
        kinds: &[ChannelKind],
        limit_nats: f64,
    ) -> Option<(usize, f64)> {
        let shares = self.shares(surprises);
        let place = (0..shares.len()).max_by(|a, b| shares[*a].total_cmp(&shares[*b]))?;
        let own = f64::from(*values.get(place)?);
        let whole = kinds.get(place) == Some(&ChannelKind::Count);
        let median = self.expected(place)?.median;
        let target = if whole { median.round() } else { median };
        if !own.is_finite() || surprises[place].is_nan() {
            return None;
        }
        let rounded = |value: f64| match whole {
            true if own > target => value.floor(),
            true => value.ceil(),
            false => value,
        };
        let is_normal =
            |value: f64| self.rescored(surprises, place, rounded(value)) <= limit_nats - MARGIN_NATS;
        bisect(own, target, STEPS, is_normal).map(|value| (place, rounded(value)))
    }

    /// What the newest record would have come to with another `value` of the channel at `place`.
    fn rescored(&self, surprises: &[f64], place: usize, value: f64) -> f64 {
        let mut pool = Pool::default();
        for (at, (surprise, average)) in surprises.iter().zip(&self.averages).enumerate() {
            if surprise.is_nan() {
                continue;
            }
            if at != place {
                pool.add(*surprise, *average);
                continue;
            }
            let before = (*average - AVERAGE_STEP * capped(*surprise)) / (1.0 - AVERAGE_STEP);
            let surprise = self.surprise(at, value).unwrap_or(0.0);
            pool.add(surprise, averaged(before, surprise));
        }
        self.peaks.told(self.tail.fitted(pool.nats()))
    }
}
