//! Tail probabilities of raw scores by themselves, for programs that compare detectors on files.
use napi::bindgen_prelude::{Buffer, Error, Float64Array, Result, Status};
use napi_derive::napi;

use crate::calibrate::running::RunningTail;
use crate::calibrate::{Calibration as Core, combine};

/// A monotone map from a detector's raw score to −log10 p, p being its share of normal scores.
#[napi]
pub struct Calibration {
    core: Core,
}

#[napi]
impl Calibration {
    /// Fits scores of normal rows in any order; what is not finite is left out. Throws below 20 of them.
    #[napi(factory, catch_unwind)]
    pub fn fit(scores: &[f64]) -> Result<Self> {
        Ok(Self { core: Core::fit(scores)? })
    }

    /// Reads what `save` wrote. Throws when it is damaged.
    #[napi(factory, catch_unwind)]
    pub fn load(bytes: &[u8]) -> Result<Self> {
        Ok(Self { core: Core::from_bytes(bytes)? })
    }

    /// The calibration as bytes.
    #[napi(catch_unwind)]
    pub fn save(&self) -> Buffer {
        self.core.to_bytes().into()
    }

    /// How many scores it was fitted on.
    #[napi(getter, catch_unwind)]
    pub fn count(&self) -> f64 {
        self.core.count() as f64
    }

    /// −log10 of the share of normal scores at or above this one, 0–300; NaN gives NaN.
    #[napi(catch_unwind)]
    pub fn tail(&self, score: f64) -> f64 {
        self.core.tail(score)
    }

    /// As `tail`, of every score.
    #[napi(catch_unwind)]
    pub fn tails(&self, scores: &[f64]) -> Float64Array {
        scores.iter().map(|&score| self.core.tail(score)).collect::<Vec<_>>().into()
    }

    /// As `tails`, shrunk to what a model that no longer learns may claim: few scores support little.
    #[napi(catch_unwind)]
    pub fn trusted(&self, scores: &[f64]) -> Float64Array {
        scores.iter().map(|&score| self.core.trusted(score)).collect::<Vec<_>>().into()
    }
}

/// Several detectors' −log10 p of the same rows as one score a row: the sum of their squares, so that a
/// strong one decides and agreeing ones add; NaN adds nothing. Throws when the lengths differ.
#[napi(catch_unwind)]
pub fn combine_tails(tails: Vec<Float64Array>) -> Result<Float64Array> {
    let rows = tails.first().map_or(0, |first| first.len());
    if tails.iter().any(|other| other.len() != rows) {
        return Err(Error::new(Status::InvalidArg, "every detector needs one tail a row"));
    }
    let mut row = Vec::with_capacity(tails.len());
    let combined = (0..rows).map(|at| {
        row.clear();
        row.extend(tails.iter().map(|of| of[at]));
        combine(&row)
    });
    Ok(combined.collect::<Vec<_>>().into())
}

/// Of each row of one sequence, −log10 of how many episodes that reach its score there are a row, by the rows before it:
/// held against −log10(budget a row) it gives as many false episodes as the budget allows. `tails` are −log10 p, 0
/// and up, or the like; NaN gives NaN.
#[napi(catch_unwind)]
pub fn running_tails(tails: &[f64]) -> Float64Array {
    let mut running = RunningTail::default();
    let nats = tails.iter().map(|tail| running.push(tail * std::f64::consts::LN_10));
    nats.map(|nats| nats / std::f64::consts::LN_10).collect::<Vec<_>>().into()
}
