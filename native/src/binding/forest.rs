//! The forest by itself: fitting, loading, scoring, explaining, merging.
//!
//! A fit draws its rows before the call returns, so that nobody can change them underneath and nobody
//! need copy them all; growing runs off the JavaScript thread.
use std::cell::OnceCell;

use napi::bindgen_prelude::{
    AsyncTask, Buffer, Env, Error, Float64Array, Object, Result, Status, Task, Uint8Array,
};
use napi_derive::napi;

use super::guarded;
use super::reasons::ReasonMaker;
use super::shapes::{FeatureDefinition, FittedForest, ForestInfo, ForestOptions, ScoreOptions};
use crate::forest;
use crate::forest::batch::MAX_THREADS;
use crate::forest::fit::{Fitted, Sample, fit_sample};
use crate::forest::params::{CheckedForestParams, ForestParams};

/// A fitted forest by itself, to score and explain rows.
#[napi]
pub struct Forest {
    core: forest::Forest,
    bytes: usize,
    /// Made at the first question.
    reasons: OnceCell<ReasonMaker>,
}

#[napi]
impl Forest {
    /// Reads a saved forest. Throws when it is damaged.
    #[napi(factory, catch_unwind)]
    pub fn load(bytes: &[u8]) -> Result<Self> {
        let forest = forest::Forest::from_bytes(bytes)?;
        Ok(Self { core: forest, bytes: bytes.len(), reasons: OnceCell::new() })
    }

    /// One forest of several saved ones with the same features, all their trees in order. With
    /// `weights`, one a forest, each forest's trees share its weight; without, every tree keeps its own.
    #[napi(
        factory,
        catch_unwind,
        ts_args_type = "forests: Array<Uint8Array>, weights?: Array<number> | null"
    )]
    pub fn merge(forests: Vec<Uint8Array>, weights: Option<Vec<f64>>) -> Result<Self> {
        let parts = forests.iter().map(|bytes| forest::Forest::from_bytes(bytes));
        let parts = parts.collect::<crate::error::Result<Vec<_>>>()?;
        let merged = forest::Forest::merge(&parts.iter().collect::<Vec<_>>(), weights.as_deref())?;
        Ok(Self::of(merged))
    }

    fn of(forest: forest::Forest) -> Self {
        let bytes = forest.to_bytes().len();
        Self { core: forest, bytes, reasons: OnceCell::new() }
    }

    /// What it is.
    #[napi(getter, catch_unwind)]
    pub fn info(&self) -> ForestInfo {
        info(&self.core, self.bytes)
    }

    /// The forest as bytes, for `Forest.load` and `Engine.setForest`.
    #[napi(catch_unwind)]
    pub fn save(&self) -> Buffer {
        self.core.to_bytes().into()
    }

    /// At most so many trees that stand for all of them, each part keeping its share.
    #[napi(catch_unwind)]
    pub fn prune(&self, trees: u32) -> Result<Self> {
        Ok(Self::of(self.core.prune(trees as usize)?))
    }

    /// The same forest with its oldest `count` trees replaced by the first `count` of `fresh`.
    #[napi(catch_unwind)]
    pub fn replace_trees(&self, fresh: &Forest, count: u32) -> Result<Self> {
        Ok(Self::of(self.core.replace_trees(&fresh.core, count as usize)?))
    }

    /// The score of one row, 0–1; NaN in it is unknown.
    #[napi(catch_unwind)]
    pub fn score_one(&self, row: &[f64]) -> Result<f64> {
        self.check_row(row)?;
        Ok(self.core.score(row))
    }

    /// Scores of row-major rows, one each, 0–1; NaN in a row is unknown.
    #[napi(catch_unwind)]
    pub fn score(&self, rows: &[f64]) -> Result<Float64Array> {
        self.scores(rows, 1)
    }

    /// As `score`, on several threads. The scores are the same whatever their number.
    #[napi(catch_unwind)]
    pub fn score_batch(&self, rows: &[f64], options: Option<ScoreOptions>) -> Result<Float64Array> {
        let threads = options.and_then(|options| options.threads).unwrap_or(1.0);
        if !(1.0..=MAX_THREADS as f64).contains(&threads) || threads.fract() != 0.0 {
            let text = format!("threads is {threads}, expected a whole number from 1 to {MAX_THREADS}");
            return Err(Error::new(Status::InvalidArg, text));
        }
        #[allow(clippy::cast_sign_loss)] // The range is checked.
        self.scores(rows, threads as usize)
    }

    fn scores(&self, rows: &[f64], threads: usize) -> Result<Float64Array> {
        let columns = self.core.features().len();
        if !rows.len().is_multiple_of(columns) {
            let text = format!("{} values are no rows of {columns} features", rows.len());
            return Err(Error::new(Status::InvalidArg, text));
        }
        let mut scores = vec![0.0; rows.len() / columns];
        self.core.score_rows(rows, &mut scores, threads);
        Ok(scores.into())
    }

    /// The features that made a row look anomalous, the strongest first; default 3.
    #[napi(catch_unwind, ts_return_type = "Array<Reason>")]
    pub fn explain(&self, env: Env, row: &[f64], max_reasons: Option<u32>) -> Result<Object<'static>> {
        self.check_row(row)?;
        let shares = self.core.strongest(row, max_reasons.unwrap_or(3) as usize);
        let maker = if let Some(maker) = self.reasons.get() {
            maker
        } else {
            let maker = ReasonMaker::new(env, &self.core)?;
            self.reasons.get_or_init(|| maker)
        };
        maker.make(env, row, &shares)
    }

    fn check_row(&self, row: &[f64]) -> Result<()> {
        let columns = self.core.features().len();
        if row.len() == columns {
            return Ok(());
        }
        let text = format!("a row has {columns} features, not {}", row.len());
        Err(Error::new(Status::InvalidArg, text))
    }
}

/// Background work of [`fit_forest`].
///
/// What is wrong with the rows rejects the promise, as what goes wrong later does.
pub struct FitTask(Option<crate::error::Result<Sample>>);

#[napi]
impl Task for FitTask {
    type Output = (Fitted, Vec<u8>);
    type JsValue = FittedForest;

    fn compute(&mut self) -> Result<Self::Output> {
        guarded(|| {
            let sample = self.0.take().ok_or_else(|| Error::from_reason("the fit has already run"))?;
            let fitted = fit_sample(sample?);
            let bytes = fitted.forest.to_bytes();
            Ok((fitted, bytes))
        })
    }

    fn resolve(&mut self, _: Env, (fitted, bytes): Self::Output) -> Result<FittedForest> {
        let info = info(&fitted.forest, bytes.len());
        Ok(FittedForest { bytes: bytes.into(), threshold: fitted.threshold, info })
    }
}

/// Fits an Isolation Forest on row-major rows (NaN is unknown), off the JavaScript thread.
#[napi(catch_unwind, ts_return_type = "Promise<FittedForest>")]
pub fn fit_forest(rows: &[f64], options: ForestOptions) -> Result<AsyncTask<FitTask>> {
    let sample = Sample::take(rows, checked(options)?);
    Ok(AsyncTask::new(FitTask(Some(sample))))
}

fn checked(options: ForestOptions) -> Result<CheckedForestParams> {
    let name = |f: FeatureDefinition| forest::FeatureName { name: f.name, unit: f.unit };
    let mut params =
        ForestParams::new(&options.fingerprint, options.features.into_iter().map(name).collect());
    params.trees = options.trees.unwrap_or(params.trees);
    params.sample_size = options.sample_size.unwrap_or(params.sample_size);
    params.seed = options.seed.unwrap_or(params.seed);
    params.contamination = options.contamination;
    params.ndim = options.ndim.unwrap_or(params.ndim);
    params.split_choice = options.split_choice.unwrap_or(params.split_choice);
    params.weighting = options.weighting.unwrap_or(params.weighting);
    params.max_depth = options.max_depth;
    params.harmonic = options.harmonic.unwrap_or(params.harmonic);
    params.threads = options.threads.unwrap_or(params.threads);
    Ok(params.check()?)
}

/// What a forest is, as JavaScript sees it.
pub(super) fn info(forest: &forest::Forest, bytes: usize) -> ForestInfo {
    ForestInfo {
        fingerprint: forest.fingerprint().to_owned(),
        trees: forest.trees().len() as u32,
        sample_size: forest.sample_size() as u32,
        features: forest.features().len() as u32,
        rows: forest.rows() as f64,
        seed: forest.seed() as f64,
        bytes: bytes as u32,
    }
}
