//! Dense layers with tanh between them: forward, loss and gradients of one row, in a fixed order of sums.
//!
//! The plain definition in f64, which [`super::batch`] must agree with. Training holds its parameters in f32.
//! All parameters lie in one list, layer after layer: first the weights (row-major, one row an output),
//! then the biases. The optimizer needs to know no more than that.
use crate::math::tanh;
use crate::random::Random;

/// The layers' sizes and all parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct Network<T = f64> {
    sizes: Vec<usize>,
    parameters: Vec<T>,
}

/// One layer's parameters.
pub struct Layer<'a, T = f64> {
    pub inputs: usize,
    pub outputs: usize,
    /// Row-major, one row an output.
    pub weights: &'a [T],
    pub biases: &'a [T],
    /// Its output passes through tanh.
    pub tanh: bool,
}

impl<T> Network<T> {
    /// A network of given parameters; `None` when their number does not fit the sizes.
    pub fn from_parts(sizes: Vec<usize>, parameters: Vec<T>) -> Option<Self> {
        let expected: usize = sizes.windows(2).map(|pair| (pair[0] + 1) * pair[1]).sum();
        (sizes.len() > 1 && parameters.len() == expected).then_some(Self { sizes, parameters })
    }

    /// Values in each layer, input and output included.
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// All parameters.
    pub fn parameters(&self) -> &[T] {
        &self.parameters
    }

    /// All parameters, to be changed.
    pub fn parameters_mut(&mut self) -> &mut [T] {
        &mut self.parameters
    }

    /// The layers from input to output.
    pub fn layers(&self) -> impl Iterator<Item = Layer<'_, T>> {
        let last = self.sizes.len() - 2;
        let mut start = 0;
        self.sizes.windows(2).enumerate().map(move |(index, pair)| {
            let (inputs, outputs) = (pair[0], pair[1]);
            let (biases, end) = (start + inputs * outputs, start + (inputs + 1) * outputs);
            let layer = Layer {
                inputs,
                outputs,
                weights: &self.parameters[start..biases],
                biases: &self.parameters[biases..end],
                tanh: index < last,
            };
            start = end;
            layer
        })
    }
}

impl Network<f32> {
    /// The same in f64, exactly.
    pub fn widen(&self) -> Network {
        let parameters = self.parameters.iter().map(|&parameter| f64::from(parameter)).collect();
        Network { sizes: self.sizes.clone(), parameters }
    }
}

impl Network {
    /// A network with Glorot-uniform weights and biases of 0.
    #[allow(clippy::cast_precision_loss)] // Layers are small.
    pub fn random(sizes: &[usize], random: &mut Random) -> Self {
        let mut parameters = Vec::new();
        for pair in sizes.windows(2) {
            let limit = (6.0 / (pair[0] + pair[1]) as f64).sqrt();
            parameters.extend((0..pair[0] * pair[1]).map(|_| (random.unit() * 2.0 - 1.0) * limit));
            parameters.extend(std::iter::repeat_n(0.0, pair[1]));
        }
        Self { sizes: sizes.to_vec(), parameters }
    }

    /// The same in f32.
    #[allow(clippy::cast_possible_truncation)] // Rounding is the purpose.
    pub fn narrow(&self) -> Network<f32> {
        let parameters = self.parameters.iter().map(|&parameter| parameter as f32).collect();
        Network { sizes: self.sizes.clone(), parameters }
    }

    /// Rounds every parameter to the nearest f32.
    #[allow(clippy::cast_possible_truncation)] // Rounding is the purpose.
    pub fn round_to_f32(&mut self) {
        for parameter in &mut self.parameters {
            *parameter = f64::from(*parameter as f32);
        }
    }

    /// The output for one standardised row.
    pub fn forward(&self, input: &[f64]) -> Vec<f64> {
        self.layers().fold(input.to_vec(), |values, layer| layer.forward(&values))
    }

    /// Adds one row's part to `gradient`, its error over `known` values times `weight`; returns the
    /// row's sum of squared errors.
    pub fn accumulate(&self, input: &[f64], known: &[bool], weight: f64, gradient: &mut [f64]) -> f64 {
        let mut values = vec![input.to_vec()];
        for layer in self.layers() {
            let next = layer.forward(&values[values.len() - 1]);
            values.push(next);
        }
        let output = &values[values.len() - 1];
        let difference = |index: usize| if known[index] { output[index] - input[index] } else { 0.0 };
        let differences: Vec<f64> = (0..input.len()).map(difference).collect();
        let mut slopes: Vec<f64> = differences.iter().map(|value| 2.0 * value * weight).collect();
        let mut end = self.parameters.len();
        let layers: Vec<Layer<'_>> = self.layers().collect();
        for (layer, inputs) in layers.iter().zip(&values).rev() {
            let start = end - (layer.inputs + 1) * layer.outputs;
            slopes = layer.backward(inputs, &slopes, &mut gradient[start..end]);
            end = start;
        }
        differences.iter().map(|value| value * value).sum()
    }
}

impl Layer<'_> {
    fn forward(&self, input: &[f64]) -> Vec<f64> {
        let rows = self.weights.chunks_exact(self.inputs).zip(self.biases);
        rows.map(|(weights, bias)| {
            let sum = weights.iter().zip(input).map(|(weight, value)| weight * value).sum::<f64>() + bias;
            if self.tanh { tanh(sum) } else { sum }
        })
        .collect()
    }

    /// Adds to this layer's `gradient` and returns the slopes at the layer before, given those at this
    /// layer's sums. `inputs` are the values that came in: the tanh of the layer before, or the row.
    fn backward(&self, inputs: &[f64], slopes: &[f64], gradient: &mut [f64]) -> Vec<f64> {
        let (weight_gradient, bias_gradient) = gradient.split_at_mut(self.inputs * self.outputs);
        let mut before = vec![0.0; self.inputs];
        for (output, &slope) in slopes.iter().enumerate() {
            let row = output * self.inputs..(output + 1) * self.inputs;
            let weights = &self.weights[row.clone()];
            for (index, gradient) in weight_gradient[row].iter_mut().enumerate() {
                *gradient += slope * inputs[index];
                before[index] += slope * weights[index];
            }
            bias_gradient[output] += slope;
        }
        // The slope of tanh, from its value. At the row itself the result is not used.
        for (slope, value) in before.iter_mut().zip(inputs) {
            *slope *= 1.0 - value * value;
        }
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn gradients_agree_with_finite_differences() {
        let mut random = Random::new(11);
        let mut network = Network::random(&[5, 3, 2, 3, 5], &mut random);
        for parameter in network.parameters_mut() {
            *parameter += 0.1 * random.normal();
        }
        let input: Vec<f64> = (0..5).map(|_| random.normal()).collect();
        let known = [true, true, false, true, true];
        let loss = |network: &Network| {
            let output = network.forward(&input);
            let terms = output.iter().zip(&input).zip(known).filter(|(_, known)| *known);
            terms.map(|((a, b), _)| (a - b) * (a - b)).sum::<f64>() * 0.25
        };
        let mut gradient = vec![0.0; network.parameters().len()];
        let squares = network.accumulate(&input, &known, 0.25, &mut gradient);
        assert!((squares * 0.25 - loss(&network)).abs() < 1e-14);
        for (index, &found) in gradient.iter().enumerate() {
            let mut moved = [network.clone(), network.clone()];
            let step = 1e-5;
            moved[0].parameters_mut()[index] += step;
            moved[1].parameters_mut()[index] -= step;
            let expected = (loss(&moved[0]) - loss(&moved[1])) / (2.0 * step);
            assert!((found - expected).abs() < 1e-8, "parameter {index}: {found} {expected}");
        }
    }

    #[test]
    fn parameters_that_do_not_fit_the_sizes_are_refused() {
        assert!(Network::from_parts(vec![2, 1, 2], vec![0.0; 7]).is_some());
        assert!(Network::from_parts(vec![2, 1, 2], vec![0.0; 8]).is_none());
        assert!(Network::<f64>::from_parts(vec![2], vec![]).is_none());
    }
}
