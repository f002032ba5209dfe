//! Scores of rows in files: two-speed levels for series, marginal distances for tables.
use napi::bindgen_prelude::{Error, Float64Array, Result, Status};
use napi_derive::napi;

use crate::baseline::marginal;
use crate::baseline::two_speed::TwoSpeed as Core;

const MAX_COLUMNS: u32 = 4096;

/// Distances of rows from a slow and a fast level of each column.
#[napi]
pub struct TwoSpeed {
    core: Core,
}

/// One score of each speed a row.
#[napi(object)]
pub struct TwoSpeedScores {
    /// Smoothed distance from the long memory, all columns together.
    pub slow: Float64Array,
    /// Smoothed distance from the short memory, the farthest column.
    pub fast: Float64Array,
}

#[napi]
impl TwoSpeed {
    /// Takes first levels and scales from row-major rows, which are not yet scored; NaN is unknown. Throws when
    /// rows and columns do not fit.
    #[napi(constructor, catch_unwind)]
    pub fn new(columns: u32, first_rows: &[f64]) -> Result<Self> {
        if columns == 0 || columns > MAX_COLUMNS || !first_rows.len().is_multiple_of(columns as usize) {
            return Err(Error::new(Status::InvalidArg, "rows must hold 1 to 4,096 columns each"));
        }
        Ok(Self { core: Core::new(columns as usize, first_rows) })
    }

    /// Scores row-major rows in the order of time, each before it is learnt. Throws when they do not fit.
    #[napi(catch_unwind)]
    pub fn push(&mut self, rows: &[f64]) -> Result<TwoSpeedScores> {
        let columns = self.core.columns();
        if !rows.len().is_multiple_of(columns) {
            return Err(Error::new(Status::InvalidArg, format!("rows must hold {columns} columns each")));
        }
        let scores: (Vec<f64>, Vec<f64>) =
            rows.chunks_exact(columns).map(|row| self.core.push(row)).map(|s| (s.slow, s.fast)).unzip();
        Ok(TwoSpeedScores { slow: scores.0.into(), fast: scores.1.into() })
    }
}

/// How far each of the row-major rows is from all of them, column by column; 0 and up. NaN is unknown. Throws when
/// rows and columns do not fit.
#[napi(catch_unwind)]
pub fn marginal_scores(rows: &[f64], columns: u32) -> Result<Float64Array> {
    if columns == 0 || columns > MAX_COLUMNS || !rows.len().is_multiple_of(columns as usize) {
        return Err(Error::new(Status::InvalidArg, "rows must hold 1 to 4,096 columns each"));
    }
    Ok(marginal::marginal_scores(rows, columns as usize).into())
}
