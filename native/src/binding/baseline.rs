//! The adaptive baseline by itself, for files of rows; in the engine it works on records as they come.
use napi::bindgen_prelude::{Error, Float64Array, Result, Status};
use napi_derive::napi;

use crate::baseline::{DeviceBaseline, Memory};
use crate::channel::ChannelKind;

/// The adaptive baseline of one device by itself, to score rows as an engine scores records.
#[napi]
pub struct Baseline {
    core: DeviceBaseline,
    kinds: Vec<ChannelKind>,
    row: Vec<f32>,
    surprises: Vec<f64>,
}

/// One score of each kind a row, NaN while too little is known.
#[napi(object)]
pub struct BaselineScores {
    /// −ln of the probability that a normal row is at least as strange: what alarms.
    pub nats: Float64Array,
    /// How strange the last rows are among all before, in nats: for ranking.
    pub strangeness: Float64Array,
}

#[napi]
impl Baseline {
    /// One that has seen nothing, of columns that are each `gauge` or `count`. Throws on another kind.
    #[napi(constructor, catch_unwind)]
    pub fn new(kinds: Vec<String>) -> Result<Self> {
        if kinds.is_empty() || kinds.len() > 4096 {
            return Err(Error::new(Status::InvalidArg, "a baseline has 1 to 4,096 columns"));
        }
        let kinds: crate::error::Result<Vec<_>> =
            kinds.iter().map(|kind| ChannelKind::from_name(kind)).collect();
        let kinds = kinds?;
        Ok(Self { core: DeviceBaseline::default(), kinds, row: Vec::new(), surprises: Vec::new() })
    }

    /// Scores row-major rows in the order of time and takes them in; `timesMs` has one time a row, in epoch
    /// ms. NaN in a row is unknown. Throws when the lengths do not fit.
    #[napi(catch_unwind)]
    pub fn push(&mut self, rows: &[f64], times_ms: &[f64]) -> Result<BaselineScores> {
        if rows.len() != times_ms.len() * self.kinds.len() {
            return Err(Error::new(Status::InvalidArg, "rows must hold one value a column for every time"));
        }
        let (mut nats, mut strangeness) = (Vec::new(), Vec::new());
        for (row, time) in rows.chunks_exact(self.kinds.len()).zip(times_ms) {
            self.row.clear();
            self.row.extend(row.iter().map(|value| finite(*value)));
            let score =
                self.core.push(*time as i64, &self.row, &self.kinds, Memory::default(), &mut self.surprises);
            nats.push(score.map_or(f64::NAN, |score| score.nats));
            strangeness.push(score.map_or(f64::NAN, |score| score.strangeness));
        }
        Ok(BaselineScores { nats: nats.into(), strangeness: strangeness.into() })
    }

    /// Rows a day at the rate of late.
    #[napi(getter, catch_unwind)]
    pub fn records_per_day(&self) -> f64 {
        self.core.records_per_day()
    }
}

/// Values are kept in 32 bits; what does not fit is the largest that does, and an infinity is no measurement.
fn finite(value: f64) -> f32 {
    if value.is_finite() { value.clamp(f64::from(f32::MIN), f64::from(f32::MAX)) as f32 } else { f32::NAN }
}

/// The alarm threshold, in nats, at which normal records alarm no more than `budget` times a day when
/// `recordsPerDay` come.
#[napi(catch_unwind)]
pub fn baseline_threshold(records_per_day: f64, budget: f64) -> f64 {
    crate::baseline::threshold_nats(records_per_day, budget)
}
