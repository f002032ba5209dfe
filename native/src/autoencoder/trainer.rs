//! The working parts of a training: standardised rows, and a network with its optimizer that steps over them.
//!
//! Everything is f32, as in PyTorch; only sums over many rows are f64. Nothing is allocated for a batch.
use super::batch::{Batch, LANES};
use super::network::Network;
use super::optimizer::Adam;
use super::params::CheckedTrainingParams;
use super::scaler::Scaler;

/// Standardised rows.
pub struct Prepared {
    columns: usize,
    inputs: Vec<f32>,
    known: Vec<bool>,
    /// Known values of each row.
    counts: Vec<u16>,
}

impl Prepared {
    /// Standardises row-major `rows`.
    #[allow(clippy::cast_possible_truncation)] // At most 1,024 columns.
    pub fn new(rows: &[f64], scaler: &Scaler) -> Self {
        let columns = scaler.columns();
        let (mut inputs, mut known) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for row in rows.chunks_exact(columns) {
            let (row_inputs, row_known) = scaler.standardise(row);
            inputs.extend(row_inputs);
            known.extend(row_known);
        }
        let count = |row: &[bool]| row.iter().filter(|&&known| known).count() as u16;
        let counts = known.chunks_exact(columns).map(count).collect();
        Self { columns, inputs, known, counts }
    }

    fn row(&self, index: usize) -> (&[f32], &[bool]) {
        let range = index * self.columns..(index + 1) * self.columns;
        (&self.inputs[range.clone()], &self.known[range])
    }

    /// How many values of these rows are known, at least 1.
    fn known_values(&self, rows: &[usize]) -> u32 {
        rows.iter().map(|&row| u32::from(self.counts[row])).sum::<u32>().max(1)
    }
}

/// A network in training.
pub struct Trainer<'a> {
    data: &'a Prepared,
    network: Network<f32>,
    adam: Adam<f32>,
    batch: Batch<f32>,
    gradient: Vec<f32>,
    batch_size: usize,
    trim_fraction: f64,
    /// Each row's mean squared error over what is known of it, and the row.
    losses: Vec<(f32, usize)>,
}

impl<'a> Trainer<'a> {
    /// A trainer that has made no step.
    pub fn new(data: &'a Prepared, network: Network<f32>, params: &CheckedTrainingParams) -> Self {
        let parameters = network.parameters().len();
        Self {
            data,
            adam: Adam::new(parameters, params.learning_rate),
            batch: Batch::new(network.sizes()),
            gradient: vec![0.0; parameters],
            network,
            batch_size: params.batch_size,
            trim_fraction: params.trim_fraction,
            losses: Vec::new(),
        }
    }

    /// The network as it is now.
    pub fn network(&self) -> &Network<f32> {
        &self.network
    }

    /// Takes this network instead.
    pub fn put_back(&mut self, network: Network<f32>) {
        self.network = network;
    }

    /// One step for each batch of these rows, in their order. Gives their mean squared error over what is
    /// known, each batch's from just before its step.
    #[allow(clippy::cast_possible_truncation, clippy::cast_precision_loss)] // Rounding is harmless.
    pub fn epoch(&mut self, rows: &[usize]) -> f64 {
        let mut squares = 0.0;
        for rows in rows.chunks(self.batch_size) {
            let weight = 1.0 / self.data.known_values(rows) as f32;
            self.gradient.fill(0.0);
            for rows in rows.chunks(LANES) {
                self.batch.load(rows.iter().map(|&row| self.data.row(row)));
                squares += self.batch.accumulate(&self.network, weight, &mut self.gradient);
            }
            self.adam.step(self.network.parameters_mut(), &self.gradient);
        }
        squares / f64::from(self.data.known_values(rows))
    }

    /// Of these rows, in their order, all but the share with the largest losses into `kept`.
    pub fn ordinary(&mut self, rows: &[usize], kept: &mut Vec<usize>) {
        self.measure(rows);
        let last = self.last_kept(rows.len());
        let most = *self.losses.clone().select_nth_unstable_by(last, order).1;
        kept.clear();
        kept.extend(self.losses.iter().filter(|loss| order(loss, &most).is_le()).map(|&(_, row)| row));
    }

    /// Mean squared error over the known values of these rows.
    pub fn loss(&mut self, rows: &[usize]) -> f64 {
        self.measure(rows);
        let square = |&(loss, row): &(f32, usize)| f64::from(loss) * f64::from(self.data.counts[row]);
        self.losses.iter().map(square).sum::<f64>() / f64::from(self.data.known_values(rows))
    }

    fn measure(&mut self, rows: &[usize]) {
        self.losses.clear();
        for rows in rows.chunks(LANES) {
            self.batch.load(rows.iter().map(|&row| self.data.row(row)));
            let squares = self.batch.losses(&self.network);
            let mean =
                |(&squares, &row): (&f32, &usize)| (squares / f32::from(self.data.counts[row].max(1)), row);
            self.losses.extend(squares.iter().zip(rows).map(mean));
        }
    }

    /// Rank of the largest loss that is kept, of at least one.
    #[allow(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn last_kept(&self, rows: usize) -> usize {
        rows - (rows as f64 * self.trim_fraction) as usize - 1
    }
}

/// By loss, then by row, so that equal losses are told apart in the same way everywhere.
fn order(a: &(f32, usize), b: &(f32, usize)) -> std::cmp::Ordering {
    a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))
}
