//! Training: mini-batches, Adam, early stopping on rows held back, the best weights kept.
//!
//! Rows, batches and sums always come in the same order for a seed, so training can be repeated to the
//! last bit. The loss is the mean squared error over the known values of a batch.
use super::Autoencoder;
use super::batch::{Batch, LANES};
use super::network::Network;
use super::optimizer::Adam;
use super::params::CheckedTrainingParams;
use super::scaler::Scaler;
use crate::error::{Error, Result};
use crate::math::quantile_sorted;
use crate::random::Random;

/// Rows below which none are held back.
const MIN_ROWS_TO_HOLD_BACK: usize = 10;
/// A loss must be better by this share to count as better.
const MIN_IMPROVEMENT: f64 = 1e-4;

/// A trained autoencoder and how training went.
#[derive(Debug, Clone)]
pub struct Trained {
    pub autoencoder: Autoencoder,
    /// Percentile of `scores` that was asked for.
    pub threshold: f64,
    pub epochs_run: usize,
    /// Loss of the weights that were kept, over the rows trained on.
    pub training_loss: f64,
    /// The same over the rows held back, when there were any.
    pub validation_loss: Option<f64>,
    /// Score of every row that was given.
    pub scores: Vec<f64>,
}

/// Standardised rows.
struct Prepared {
    columns: usize,
    inputs: Vec<f64>,
    known: Vec<bool>,
}

impl Prepared {
    fn new(rows: &[f64], scaler: &Scaler) -> Self {
        let columns = scaler.columns();
        let (mut inputs, mut known) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows.chunks_exact(columns) {
            let (row_inputs, row_known) = scaler.standardise(row);
            inputs.extend(row_inputs);
            known.extend(row_known);
        }
        Self { columns, inputs, known }
    }

    fn row(&self, index: usize) -> (&[f64], &[bool]) {
        let range = index * self.columns..(index + 1) * self.columns;
        (&self.inputs[range.clone()], &self.known[range])
    }

    /// How many values of these rows are known, at least 1.
    #[allow(clippy::cast_precision_loss)] // Far fewer than 2⁵³ values.
    fn known_values(&self, rows: &[usize]) -> f64 {
        let of_row = |&row: &usize| self.row(row).1.iter().filter(|&&known| known).count();
        rows.iter().map(of_row).sum::<usize>().max(1) as f64
    }
}

/// Trains on row-major `rows`; NaN is unknown.
pub fn train(rows: &[f64], params: &CheckedTrainingParams) -> Result<Trained> {
    let columns = params.sizes[0];
    check_rows(rows, columns)?;
    let scaler = Scaler::measure(rows, columns);
    let data = Prepared::new(rows, &scaler);
    let mut random = Random::new(params.seed);
    let mut order: Vec<usize> = (0..rows.len() / columns).collect();
    random.shuffle(&mut order);
    let (held_back, training) = order.split_at_mut(held_back_rows(rows.len() / columns, params));
    let judged = if held_back.is_empty() { training.to_vec() } else { held_back.to_vec() };
    let mut network = Network::random(&params.sizes, &mut random);
    let mut trainer = Trainer::new(&data, &network);
    let mut adam = Adam::new(network.parameters().len(), params.learning_rate);
    let (mut best, mut best_loss, mut best_epoch) = (network.clone(), f64::INFINITY, 0);
    let mut epochs_run = 0;
    while epochs_run < params.epochs && epochs_run - best_epoch < params.patience {
        epochs_run += 1;
        random.shuffle(training);
        for batch in training.chunks(params.batch_size) {
            trainer.step(&mut network, &mut adam, batch);
        }
        let loss = trainer.mean_loss(&network, &judged);
        if loss < best_loss * (1.0 - MIN_IMPROVEMENT) {
            (best, best_loss, best_epoch) = (network.clone(), loss, epochs_run);
        }
    }
    let autoencoder = Autoencoder::new(scaler, best);
    let scores = autoencoder.score_rows(rows);
    Ok(Trained {
        threshold: percentile(&scores, params.threshold_percentile),
        training_loss: trainer.mean_loss(autoencoder.network(), training),
        validation_loss: (!held_back.is_empty())
            .then(|| trainer.mean_loss(autoencoder.network(), held_back)),
        autoencoder,
        epochs_run,
        scores,
    })
}

fn check_rows(rows: &[f64], columns: usize) -> Result<()> {
    if rows.is_empty() || !rows.len().is_multiple_of(columns) {
        let length = rows.len();
        return Err(Error::new(format!("{length} values are no rows of {columns} columns, at least one")));
    }
    // The graph's input is f32, and means must stay finite in it.
    match rows.iter().position(|value| value.abs() > f64::from(f32::MAX)) {
        Some(place) => {
            let (row, column) = (place / columns, place % columns);
            Err(Error::new(format!("row {row}, column {column} is infinite or beyond 3.4e38")))
        }
        None => Ok(()),
    }
}

#[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
fn held_back_rows(rows: usize, params: &CheckedTrainingParams) -> usize {
    if rows < MIN_ROWS_TO_HOLD_BACK { 0 } else { (rows as f64 * params.validation_fraction) as usize }
}

/// What training works with.
struct Trainer<'a> {
    data: &'a Prepared,
    batch: Batch,
    gradient: Vec<f64>,
}

impl<'a> Trainer<'a> {
    fn new(data: &'a Prepared, network: &Network) -> Self {
        let gradient = vec![0.0; network.parameters().len()];
        Self { data, batch: Batch::new(network.sizes()), gradient }
    }

    /// One step of the optimizer down the gradient of these rows' loss.
    fn step(&mut self, network: &mut Network, adam: &mut Adam, rows: &[usize]) {
        let weight = 1.0 / self.data.known_values(rows);
        self.gradient.fill(0.0);
        for rows in rows.chunks(LANES) {
            self.batch.load(rows.iter().map(|&row| self.data.row(row)));
            self.batch.accumulate(network, weight, &mut self.gradient);
        }
        adam.step(network.parameters_mut(), &self.gradient);
    }

    /// Mean squared error over the known values of these rows.
    fn mean_loss(&mut self, network: &Network, rows: &[usize]) -> f64 {
        let mut squares = 0.0;
        for rows in rows.chunks(LANES) {
            self.batch.load(rows.iter().map(|&row| self.data.row(row)));
            squares += self.batch.loss(network);
        }
        squares / self.data.known_values(rows)
    }
}

fn percentile(scores: &[f64], percentile: f64) -> f64 {
    let mut sorted = scores.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    quantile_sorted(&sorted, percentile / 100.0)
}
