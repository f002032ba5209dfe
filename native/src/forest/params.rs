//! Parameters of a fit: given raw, checked once; only checked ones can run.
use super::FeatureName;
use super::batch::MAX_THREADS;
use super::lengths::Harmonic;
use super::split::SplitChoice;
use super::weighting::Weighting;
use crate::error::{Error, Result};

/// Most features of a model: nineteen and four for each of 64 declared channels, with room to grow.
pub const MAX_FEATURES: usize = 1024;
/// Most trees of a forest.
pub const MAX_TREES: usize = 10_000;
/// Most rows that one tree is grown from.
pub const MAX_SAMPLE_SIZE: usize = 65_536;

/// Parameters as given.
#[derive(Debug, Clone)]
pub struct ForestParams {
    /// Fingerprint of the feature list, 1–64 characters.
    pub fingerprint: String,
    /// Names and units, one a column.
    pub features: Vec<FeatureName>,
    /// Number of trees, 1–10,000.
    pub trees: f64,
    /// Rows per tree (ψ), 2–65,536; fewer rows are all taken.
    pub sample_size: f64,
    /// Seed, 0 to 2⁵³.
    pub seed: f64,
    /// Share of the training rows whose score lies above the threshold, 0–0.5; `None` takes the threshold
    /// that needs no rows, [`super::fit::PUBLISHED_THRESHOLD`].
    pub contamination: Option<f64>,
    /// Columns that a split looks at, 1–1,024; more than 1 makes extended splits.
    pub ndim: f64,
    /// How thresholds are chosen: `uniform`, `pooled_gain` or `density`.
    pub split_choice: String,
    /// How columns are drawn: `uniform`, or by `kurtosis`.
    pub weighting: String,
    /// Most splits on a path, 1–64; `None` is ⌈log₂ ψ⌉, as published.
    pub max_depth: Option<f64>,
    /// How harmonic numbers are taken: `exact` or `euler`.
    pub harmonic: String,
    /// Threads to fit on, 1–64; the result is the same.
    pub threads: f64,
}

impl ForestParams {
    /// The published defaults: 100 trees of 256 rows.
    pub fn new(fingerprint: &str, features: Vec<FeatureName>) -> Self {
        Self {
            fingerprint: fingerprint.to_owned(),
            features,
            trees: 100.0,
            sample_size: 256.0,
            seed: 0.0,
            contamination: None,
            ndim: 1.0,
            split_choice: "uniform".to_owned(),
            weighting: "uniform".to_owned(),
            max_depth: None,
            harmonic: "exact".to_owned(),
            threads: 1.0,
        }
    }

    /// Checks every parameter; the error names the first that is wrong and its range.
    #[allow(clippy::cast_precision_loss)] // The limits are small.
    pub fn check(self) -> Result<CheckedForestParams> {
        check_text("fingerprint", &self.fingerprint, 1)?;
        if self.features.is_empty() || self.features.len() > MAX_FEATURES {
            return Err(Error::new(format!("a forest needs 1 to {MAX_FEATURES} features")));
        }
        for feature in &self.features {
            check_text("feature name", &feature.name, 1)?;
            check_text("feature unit", &feature.unit, 0)?;
        }
        if let Some(found) = self.contamination.filter(|share| !(0.0..=0.5).contains(share)) {
            return Err(Error::new(format!("contamination is {found}, expected 0 to 0.5")));
        }
        Ok(CheckedForestParams {
            fingerprint: self.fingerprint,
            features: self.features,
            trees: whole("trees", self.trees, 1.0, MAX_TREES as f64)?,
            sample_size: whole("sampleSize", self.sample_size, 2.0, MAX_SAMPLE_SIZE as f64)?,
            seed: check_seed(self.seed)?,
            contamination: self.contamination,
            ndim: whole("ndim", self.ndim, 1.0, MAX_FEATURES as f64)?,
            split_choice: split_choice(&self.split_choice)?,
            weighting: weighting(&self.weighting)?,
            max_depth: self.max_depth.map(check_depth).transpose()?,
            harmonic: harmonic(&self.harmonic)?,
            threads: whole("threads", self.threads, 1.0, MAX_THREADS as f64)?,
        })
    }
}

fn split_choice(name: &str) -> Result<SplitChoice> {
    let error =
        || Error::new(format!("splitChoice is \"{name}\", expected uniform, pooled_gain or density"));
    SplitChoice::from_name(name).ok_or_else(error)
}

fn weighting(name: &str) -> Result<Weighting> {
    let error = || Error::new(format!("weighting is \"{name}\", expected uniform or kurtosis"));
    Weighting::from_name(name).ok_or_else(error)
}

fn harmonic(name: &str) -> Result<Harmonic> {
    match name {
        "exact" => Ok(Harmonic::Exact),
        "euler" => Ok(Harmonic::Euler),
        _ => Err(Error::new(format!("harmonic is \"{name}\", expected exact or euler"))),
    }
}

#[allow(clippy::cast_possible_truncation)] // At most 64.
fn check_depth(depth: f64) -> Result<u32> {
    Ok(whole("maxDepth", depth, 1.0, 64.0)? as u32)
}

/// Parameters that can run.
#[derive(Debug, Clone)]
pub struct CheckedForestParams {
    pub(super) fingerprint: String,
    pub(super) features: Vec<FeatureName>,
    pub(super) trees: usize,
    pub(super) sample_size: usize,
    pub(super) seed: u64,
    pub(super) contamination: Option<f64>,
    pub(super) ndim: usize,
    pub(super) split_choice: SplitChoice,
    pub(super) weighting: Weighting,
    pub(super) max_depth: Option<u32>,
    pub(super) harmonic: Harmonic,
    pub(super) threads: usize,
}

/// A seed given as a number of JavaScript.
#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The range is checked first.
pub fn check_seed(seed: f64) -> Result<u64> {
    if !(0.0..=9_007_199_254_740_992.0).contains(&seed) || seed.fract() != 0.0 {
        return Err(Error::new(format!("seed is {seed}, expected a whole number from 0 to 2^53")));
    }
    Ok(seed as u64)
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The range is checked first.
fn whole(name: &str, value: f64, min: f64, max: f64) -> Result<usize> {
    if !(min..=max).contains(&value) || value.fract() != 0.0 {
        return Err(Error::new(format!("{name} is {value}, expected a whole number from {min} to {max}")));
    }
    Ok(value as usize)
}

fn check_text(what: &str, text: &str, min_bytes: usize) -> Result<()> {
    if text.len() < min_bytes || text.len() > 255 {
        return Err(Error::new(format!("a {what} must have {min_bytes} to 255 bytes")));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the error must hold, and what makes it wrong.
    type Change = (&'static str, fn(&mut ForestParams));

    fn raw() -> ForestParams {
        ForestParams::new("f", vec![FeatureName { name: "x".to_owned(), unit: String::new() }])
    }

    #[test]
    fn every_wrong_value_is_refused_by_name() {
        assert!(raw().check().is_ok());
        let wrong: [Change; 16] = [
            ("trees", |params| params.trees = 0.0),
            ("trees", |params| params.trees = 1.5),
            ("trees", |params| params.trees = 10_001.0),
            ("sampleSize", |params| params.sample_size = 1.0),
            ("sampleSize", |params| params.sample_size = f64::NAN),
            ("seed", |params| params.seed = -1.0),
            ("contamination", |params| params.contamination = Some(0.6)),
            ("ndim", |params| params.ndim = 0.0),
            ("weighting", |params| params.weighting = "size".to_owned()),
            ("splitChoice", |params| params.split_choice.clear()),
            ("maxDepth", |params| params.max_depth = Some(65.0)),
            ("harmonic", |params| params.harmonic = "euclid".to_owned()),
            ("threads", |params| params.threads = 65.0),
            ("fingerprint", |params| params.fingerprint.clear()),
            ("feature name", |params| params.features[0].name.clear()),
            ("features", |params| params.features.clear()),
        ];
        for (name, change) in wrong {
            let mut params = raw();
            change(&mut params);
            let error = params.check().unwrap_err().to_string();
            assert!(error.contains(name), "{error}");
        }
    }
}
