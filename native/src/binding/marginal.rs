//! Scores of the rows of a table by their marginal distances.
use napi::bindgen_prelude::{Error, Float64Array, Result, Status};
use napi_derive::napi;

use crate::baseline::marginal;

const MAX_COLUMNS: u32 = 4096;

/// How far each of the row-major rows is from all of them, column by column; 0 and up. NaN is unknown. Throws when
/// rows and columns do not fit.
#[napi(catch_unwind)]
pub fn marginal_scores(rows: &[f64], columns: u32) -> Result<Float64Array> {
    if columns == 0 || columns > MAX_COLUMNS || !rows.len().is_multiple_of(columns as usize) {
        return Err(Error::new(Status::InvalidArg, "rows must hold 1 to 4,096 columns each"));
    }
    Ok(marginal::marginal_scores(rows, columns as usize).into())
}
