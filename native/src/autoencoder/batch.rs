//! Forward and backward over many rows at once, in f32 to train or in f64 to score: the same sums as
//! [`super::network`], 32 rows abreast.
//!
//! Values lie unit after unit, the rows of a lane side by side, so that every inner loop runs over rows
//! and the compiler turns it into vector instructions. Each row's sums are taken in the network's own
//! order; a gradient's sum over rows is taken in eight interleaved parts that are then added up. There is
//! no fused multiplication, so wider vectors change no bit, and training gives the same model everywhere.
//! Limit, as measured on 2,000 rows of 19: half of a training's time is here, the other half is copying rows
//! into lanes, Adam and drawing the order.
//!
//! The `unsafe` here is one call of the same code compiled for AVX2, after asking for it.
use super::network::{Layer, Network};
use super::real::Real;

/// Rows side by side.
pub const LANES: usize = 32;
/// Parts of a gradient's sum.
const PARTS: usize = 8;

/// One unit's values for the rows.
type Lane<T> = [T; LANES];

/// Working space for a network.
#[derive(Debug, Default)]
pub struct Batch<T> {
    /// Values of every layer, the input first.
    values: Vec<Vec<Lane<T>>>,
    slopes: Vec<Lane<T>>,
    before: Vec<Lane<T>>,
    /// 1 where the input is known, else 0.
    known: Vec<Lane<T>>,
    /// Each row's sum of squared errors.
    squares: Vec<T>,
    rows: usize,
}

impl<T: Real> Batch<T> {
    /// Space for a network of these sizes.
    pub fn new(sizes: &[usize]) -> Self {
        Self { values: sizes.iter().map(|&size| vec![[T::ZERO; LANES]; size]).collect(), ..Self::default() }
    }

    /// Takes up to 32 rows, each standardised inputs and which of them count.
    pub fn load<'a>(&mut self, rows: impl Iterator<Item = (&'a [T], &'a [bool])>) {
        let columns = self.values[0].len();
        self.known.clear();
        self.known.resize(columns, [T::ZERO; LANES]);
        self.rows = 0;
        for (row, (inputs, known)) in rows.take(LANES).enumerate() {
            for (column, (&input, &known)) in inputs.iter().zip(known).enumerate() {
                self.values[0][column][row] = input;
                self.known[column][row] = if known { T::ONE } else { T::ZERO };
            }
            self.rows += 1;
        }
    }

    /// Sum of squared errors of the rows that were loaded.
    pub fn loss(&mut self, network: &Network<T>) -> f64 {
        self.run(network, None)
    }

    /// Sum of squared errors of each row that was loaded.
    pub fn losses(&mut self, network: &Network<T>) -> &[T] {
        self.run(network, None);
        &self.squares
    }

    /// Sum of squared errors of all; each row's part is added to `gradient`, its error times `weight`.
    pub fn accumulate(&mut self, network: &Network<T>, weight: T, gradient: &mut [T]) -> f64 {
        self.run(network, Some((weight, gradient)))
    }

    #[cfg(target_arch = "x86_64")]
    #[allow(unsafe_code)]
    fn run(&mut self, network: &Network<T>, gradient: Option<(T, &mut [T])>) -> f64 {
        if is_x86_feature_detected!("avx2") {
            // SAFETY: the feature was just detected.
            return unsafe { self.run_avx2(network, gradient) };
        }
        self.run_plain(network, gradient)
    }

    #[cfg(not(target_arch = "x86_64"))]
    fn run(&mut self, network: &Network<T>, gradient: Option<(T, &mut [T])>) -> f64 {
        self.run_plain(network, gradient)
    }

    #[cfg(target_arch = "x86_64")]
    #[target_feature(enable = "avx2")]
    fn run_avx2(&mut self, network: &Network<T>, gradient: Option<(T, &mut [T])>) -> f64 {
        self.run_plain(network, gradient)
    }

    #[inline(always)]
    #[allow(clippy::inline_always)] // It must be compiled anew within the caller's features.
    fn run_plain(&mut self, network: &Network<T>, gradient: Option<(T, &mut [T])>) -> f64 {
        let layers: Vec<Layer<'_, T>> = network.layers().collect();
        for (index, layer) in layers.iter().enumerate() {
            let (before, after) = self.values.split_at_mut(index + 1);
            forward(layer, &before[index], &mut after[0]);
        }
        let squares = self.differences();
        if let Some((weight, gradient)) = gradient {
            self.back(&layers, weight, gradient);
        }
        squares
    }

    /// Output minus input where it is known, into `slopes`; the sum of squares, row after row.
    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn differences(&mut self) -> f64 {
        let (input, output) = (&self.values[0], &self.values[self.values.len() - 1]);
        self.slopes.clear();
        let mut squares = [T::ZERO; LANES];
        for ((output, input), known) in output.iter().zip(input).zip(&self.known) {
            let mut difference = [T::ZERO; LANES];
            for row in 0..LANES {
                difference[row] = (output[row] - input[row]) * known[row];
                squares[row] += difference[row] * difference[row];
            }
            self.slopes.push(difference);
        }
        self.squares.clear();
        self.squares.extend_from_slice(&squares[..self.rows]);
        self.squares.iter().map(|square| square.to_f64()).sum()
    }

    #[inline(always)]
    #[allow(clippy::inline_always)]
    fn back(&mut self, layers: &[Layer<'_, T>], weight: T, gradient: &mut [T]) {
        let double = weight + weight;
        for slope in self.slopes.iter_mut().flatten() {
            *slope *= double;
        }
        let mut end = gradient.len();
        for (index, layer) in layers.iter().enumerate().rev() {
            let start = end - (layer.inputs + 1) * layer.outputs;
            let inputs = &self.values[index];
            add_gradient(layer, inputs, &self.slopes, &mut gradient[start..end]);
            if index > 0 {
                slopes_before(layer, inputs, &self.slopes, &mut self.before);
                std::mem::swap(&mut self.slopes, &mut self.before);
            }
            end = start;
        }
    }
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn forward<T: Real>(layer: &Layer<'_, T>, inputs: &[Lane<T>], outputs: &mut [Lane<T>]) {
    let rows = layer.weights.chunks_exact(layer.inputs).zip(layer.biases);
    for ((weights, bias), output) in rows.zip(outputs) {
        let mut sum = [T::ZERO; LANES];
        for (weight, input) in weights.iter().zip(inputs) {
            for row in 0..LANES {
                sum[row] += *weight * input[row];
            }
        }
        for sum in &mut sum {
            *sum += *bias;
        }
        if layer.tanh {
            T::tanh_lane(&mut sum);
        }
        *output = sum;
    }
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn add_gradient<T: Real>(layer: &Layer<'_, T>, inputs: &[Lane<T>], slopes: &[Lane<T>], gradient: &mut [T]) {
    let (weights, biases) = gradient.split_at_mut(layer.inputs * layer.outputs);
    for ((slope, weights), bias) in slopes.iter().zip(weights.chunks_exact_mut(layer.inputs)).zip(biases) {
        for (input, weight) in inputs.iter().zip(weights) {
            let mut parts = [T::ZERO; PARTS];
            for (slope, input) in slope.as_chunks::<PARTS>().0.iter().zip(input.as_chunks::<PARTS>().0) {
                for part in 0..PARTS {
                    parts[part] += slope[part] * input[part];
                }
            }
            *weight += added(parts);
        }
        let mut parts = [T::ZERO; PARTS];
        for slope in slope.as_chunks::<PARTS>().0 {
            for part in 0..PARTS {
                parts[part] += slope[part];
            }
        }
        *bias += added(parts);
    }
}

#[inline(always)]
#[allow(clippy::inline_always)]
fn added<T: Real>(parts: [T; PARTS]) -> T {
    let half: [T; 4] = std::array::from_fn(|part| parts[part] + parts[part + 4]);
    (half[0] + half[2]) + (half[1] + half[3])
}

/// Slopes at the layer before, through its tanh; its values are `inputs`.
#[inline(always)]
#[allow(clippy::inline_always)]
fn slopes_before<T: Real>(
    layer: &Layer<'_, T>,
    inputs: &[Lane<T>],
    slopes: &[Lane<T>],
    before: &mut Vec<Lane<T>>,
) {
    before.clear();
    before.resize(layer.inputs, [T::ZERO; LANES]);
    for (slope, weights) in slopes.iter().zip(layer.weights.chunks_exact(layer.inputs)) {
        for (before, weight) in before.iter_mut().zip(weights) {
            for row in 0..LANES {
                before[row] += slope[row] * *weight;
            }
        }
    }
    for (before, input) in before.iter_mut().zip(inputs) {
        for row in 0..LANES {
            before[row] *= T::ONE - input[row] * input[row];
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Random;

    #[test]
    fn losses_and_gradients_are_those_of_the_rows_one_by_one() {
        let mut random = Random::new(3);
        for sizes in [vec![5, 3, 2, 3, 5], vec![19, 9, 4, 9, 19], vec![1, 1, 1], vec![40, 40]] {
            let network = Network::random(&sizes, &mut random);
            let columns = sizes[0];
            for count in [1, 7, 32] {
                let inputs: Vec<f64> = (0..count * columns).map(|_| random.normal()).collect();
                let known: Vec<bool> = (0..count * columns).map(|_| random.below(4) > 0).collect();
                let rows = || inputs.chunks_exact(columns).zip(known.chunks_exact(columns));
                let mut expected = vec![0.0; network.parameters().len()];
                let each = rows().map(|(row, known)| network.accumulate(row, known, 0.1, &mut expected));
                let squares: f64 = each.sum();
                let mut batch = Batch::<f64>::new(&sizes);
                // What an earlier, larger batch left behind must not count.
                batch.load(std::iter::repeat_n((&[9.0; 40][..columns], &[true; 40][..columns]), 32));
                batch.load(rows());
                let mut gradient = vec![0.0; network.parameters().len()];
                let found = batch.accumulate(&network, 0.1, &mut gradient);
                assert!((found - squares).abs() <= 1e-12 * squares.max(1.0), "{found} {squares}");
                assert_eq!(batch.loss(&network), found);
                for (found, expected) in gradient.iter().zip(&expected) {
                    assert!((found - expected).abs() < 1e-12, "{found} {expected}");
                }
                // With or without wider vectors: the same bits.
                let mut plain = vec![0.0; network.parameters().len()];
                let again = batch.run_plain(&network, Some((0.1, &mut plain)));
                assert_eq!(again.to_bits(), found.to_bits());
                assert_eq!(plain, gradient);
                assert_narrow_is_close(&network, (&inputs, &known), (squares, &expected));
            }
        }
    }
    /// What training does, in f32, with and without wider vectors.
    #[allow(clippy::cast_possible_truncation)]
    fn assert_narrow_is_close(network: &Network, rows: (&[f64], &[bool]), expected: (f64, &[f64])) {
        let narrow = network.narrow();
        let columns = network.sizes()[0];
        let inputs: Vec<f32> = rows.0.iter().map(|&value| value as f32).collect();
        let mut batch = Batch::<f32>::new(network.sizes());
        batch.load(inputs.chunks_exact(columns).zip(rows.1.chunks_exact(columns)));
        let (mut gradient, mut plain) = (vec![0.0; expected.1.len()], vec![0.0; expected.1.len()]);
        let squares = batch.accumulate(&narrow, 0.1, &mut gradient);
        assert!((squares - expected.0).abs() <= 1e-5 * expected.0.max(1.0), "{squares} {}", expected.0);
        for (&found, expected) in gradient.iter().zip(expected.1) {
            assert!((f64::from(found) - expected).abs() < 1e-4, "{found} {expected}");
        }
        assert_eq!(batch.run_plain(&narrow, Some((0.1, &mut plain))).to_bits(), squares.to_bits());
        assert_eq!(plain, gradient);
    }
}
