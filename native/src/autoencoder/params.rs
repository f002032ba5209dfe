//! Parameters of a training: given raw, checked once; only checked ones can run.
use crate::error::{Error, Result};
use crate::forest::params::{MAX_FEATURES, check_seed};

/// Parameters as given.
#[derive(Debug, Clone)]
pub struct TrainingParams {
    /// Most passes over the rows, 1–10,000.
    pub epochs: f64,
    /// Seed, 0 to 2⁵³.
    pub seed: f64,
    /// Percentile of the training rows' scores that becomes the threshold, 0–100.
    pub threshold_percentile: f64,
    /// Sizes of the encoder's layers down to the bottleneck; `None` takes one of d/3, rounded.
    pub hidden: Option<Vec<f64>>,
    /// Adam's step, above 0 and at most 1.
    pub learning_rate: f64,
    /// Rows a step, 1–65,536.
    pub batch_size: f64,
    /// Epochs without a better validation loss after which training ends, 1–10,000.
    pub patience: f64,
    /// Share of the rows held back to judge by, 0–0.5; 0 judges by the training loss.
    pub validation_fraction: f64,
    /// Share of the rows, those with the largest losses, that is set aside in training, 0–0.5.
    pub trim_fraction: f64,
}

impl Default for TrainingParams {
    fn default() -> Self {
        Self {
            epochs: 50.0,
            seed: 0.0,
            threshold_percentile: 95.0,
            hidden: None,
            learning_rate: 0.005,
            batch_size: 32.0,
            patience: 10.0,
            validation_fraction: 0.1,
            trim_fraction: 0.05,
        }
    }
}

/// Parameters that can run.
#[derive(Debug, Clone)]
pub struct CheckedTrainingParams {
    pub(super) epochs: usize,
    pub(super) seed: u64,
    pub(super) threshold_percentile: f64,
    /// Every layer, input and output included.
    pub(super) sizes: Vec<usize>,
    pub(super) learning_rate: f64,
    pub(super) batch_size: usize,
    pub(super) patience: usize,
    pub(super) validation_fraction: f64,
    pub(super) trim_fraction: f64,
}

impl TrainingParams {
    /// Checks every parameter for rows of `columns`; the error names the first that is wrong.
    pub fn check(&self, columns: usize) -> Result<CheckedTrainingParams> {
        if !(1..=MAX_FEATURES).contains(&columns) {
            return Err(Error::new(format!("columns is {columns}, expected 1 to {MAX_FEATURES}")));
        }
        within("thresholdPercentile", self.threshold_percentile, 0.0, 100.0)?;
        within("learningRate", self.learning_rate, f64::MIN_POSITIVE, 1.0)?;
        within("validationFraction", self.validation_fraction, 0.0, 0.5)?;
        within("trimFraction", self.trim_fraction, 0.0, 0.5)?;
        Ok(CheckedTrainingParams {
            epochs: whole("epochs", self.epochs, 10_000.0)?,
            seed: check_seed(self.seed)?,
            threshold_percentile: self.threshold_percentile,
            sizes: self.sizes(columns)?,
            learning_rate: self.learning_rate,
            batch_size: whole("batchSize", self.batch_size, 65_536.0)?,
            patience: whole("patience", self.patience, 10_000.0)?,
            validation_fraction: self.validation_fraction,
            trim_fraction: self.trim_fraction,
        })
    }

    /// All layers: the decoder mirrors the encoder. For 19 columns 19 → 6 → 19.
    ///
    /// One hidden layer of a third of the columns was the best default measured (see [`super::train`] for
    /// the data): mean average precision 0.349; of half 0.339, half and then a quarter 0.337. Noise or
    /// gaps put into the inputs, other steps and Huber's loss brought nothing on top.
    fn sizes(&self, columns: usize) -> Result<Vec<usize>> {
        let encoder = match &self.hidden {
            None => vec![((columns + 1) / 3).max(1)],
            Some(hidden) if hidden.is_empty() || hidden.len() > 8 => {
                return Err(Error::new("hidden must name 1 to 8 layers"));
            }
            Some(hidden) => {
                let sizes = hidden.iter().map(|&size| whole("hidden", size, 1024.0));
                sizes.collect::<Result<Vec<_>>>()?
            }
        };
        let decoder = encoder.iter().rev().skip(1);
        Ok([columns].iter().chain(&encoder).chain(decoder).chain(&[columns]).copied().collect())
    }
}

fn within(name: &str, value: f64, min: f64, max: f64) -> Result<()> {
    if (min..=max).contains(&value) {
        return Ok(());
    }
    Err(Error::new(format!("{name} is {value}, expected {min} to {max}")))
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // The range is checked first.
fn whole(name: &str, value: f64, max: f64) -> Result<usize> {
    if !(1.0..=max).contains(&value) || value.fract() != 0.0 {
        return Err(Error::new(format!("{name} is {value}, expected a whole number from 1 to {max}")));
    }
    Ok(value as usize)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A name that the error must hold, and what makes it wrong.
    type Change = (&'static str, fn(&mut TrainingParams));

    #[test]
    fn nineteen_columns_give_a_bottleneck_of_six() {
        let checked = TrainingParams::default().check(19).unwrap();
        assert_eq!(checked.sizes, [19, 6, 19]);
        assert_eq!(TrainingParams::default().check(1).unwrap().sizes, [1, 1, 1]);
        let params = TrainingParams { hidden: Some(vec![9.0, 4.0]), ..TrainingParams::default() };
        assert_eq!(params.check(19).unwrap().sizes, [19, 9, 4, 9, 19]);
    }

    #[test]
    fn every_wrong_value_is_refused_by_name() {
        let wrong: [Change; 10] = [
            ("epochs", |params| params.epochs = 0.0),
            ("seed", |params| params.seed = 0.5),
            ("thresholdPercentile", |params| params.threshold_percentile = 101.0),
            ("hidden", |params| params.hidden = Some(vec![])),
            ("hidden", |params| params.hidden = Some(vec![0.0])),
            ("learningRate", |params| params.learning_rate = 0.0),
            ("batchSize", |params| params.batch_size = f64::NAN),
            ("patience", |params| params.patience = -1.0),
            ("validationFraction", |params| params.validation_fraction = 0.9),
            ("trimFraction", |params| params.trim_fraction = -0.1),
        ];
        for (name, change) in wrong {
            let mut params = TrainingParams::default();
            change(&mut params);
            assert!(params.check(19).unwrap_err().to_string().contains(name), "{name}");
        }
        assert!(TrainingParams::default().check(0).is_err());
        assert!(TrainingParams::default().check(1025).is_err());
    }
}
