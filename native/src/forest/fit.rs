//! A fit: sample, trees, summaries and the threshold that the contamination asks for.
//!
//! In two steps, so that the first can run where the rows are and the second anywhere: [`Sample::take`]
//! and [`fit_sample`]. Limits, as measured by perf on 10⁴ rows with AVX-512: growing takes two thirds of a fit, of
//! which gathering the columns of nodes is the larger part; drawing and narrowing rows a sixth, the summaries a
//! twelfth. A threshold scores the judged rows and lays the forest out for it: half as long again.
pub use super::sample::{MAX_JUDGED_ROWS, Sample};

use super::grow::grow;
use super::params::CheckedForestParams;
use super::summary::summarize;
use super::{Forest, Head};
use crate::error::Result;
use crate::math::upper_threshold;

/// Above this a score says "anomalous" in the paper, and for scikit-learn's `contamination="auto"`.
pub const PUBLISHED_THRESHOLD: f64 = 0.5;

/// A fitted forest with the threshold that the contamination asks for.
#[derive(Debug, Clone)]
pub struct Fitted {
    pub forest: Forest,
    /// What no more than the contamination of the training rows' scores exceed, of at most 2,048 of them
    /// ([`upper_threshold`]); without a contamination [`PUBLISHED_THRESHOLD`], and no row is scored.
    pub threshold: f64,
}

/// Fits a forest on row-major `rows`, one column a feature; NaN is unknown.
pub fn fit(rows: &[f64], params: CheckedForestParams) -> Result<Fitted> {
    Ok(fit_sample(Sample::take(rows, params)?))
}

/// Fits a forest on a sample.
pub fn fit_sample(sample: Sample) -> Fitted {
    let trees = grow(&sample);
    let columns = sample.columns;
    let head = Head {
        summaries: (0..columns).map(|column| summarize(&sample.judged, columns, column)).collect(),
        fingerprint: sample.params.fingerprint,
        features: sample.params.features,
        seed: sample.params.seed,
        sample_size: sample.size,
        rows: sample.count as u64,
        harmonic: sample.params.harmonic,
    };
    let forest = Forest::assemble(head, trees);
    let threshold = match sample.params.contamination {
        Some(contamination) => {
            let mut scores = vec![0.0; sample.judged.len() / columns];
            forest.score_rows(&sample.judged, &mut scores, sample.params.threads);
            upper_threshold(&scores, contamination)
        }
        None => PUBLISHED_THRESHOLD,
    };
    Fitted { forest, threshold }
}
