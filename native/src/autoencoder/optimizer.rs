//! Adam (Kingma, Ba 2015) with the usual constants, as PyTorch has it.

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The moments of every parameter.
#[derive(Debug, Clone)]
pub struct Adam {
    learning_rate: f64,
    first: Vec<f64>,
    second: Vec<f64>,
    /// β₁ᵗ and β₂ᵗ for the bias correction.
    decay: (f64, f64),
}

impl Adam {
    /// An optimizer for `count` parameters.
    pub fn new(count: usize, learning_rate: f64) -> Self {
        Self { learning_rate, first: vec![0.0; count], second: vec![0.0; count], decay: (1.0, 1.0) }
    }

    /// One step down `gradient`.
    pub fn step(&mut self, parameters: &mut [f64], gradient: &[f64]) {
        self.decay = (self.decay.0 * BETA_1, self.decay.1 * BETA_2);
        let (first_share, second_root) = (1.0 - self.decay.0, (1.0 - self.decay.1).sqrt());
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameter, &slope), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *first = BETA_1 * *first + (1.0 - BETA_1) * slope;
            *second = BETA_2 * *second + (1.0 - BETA_2) * slope * slope;
            let size = second.sqrt() / second_root + EPSILON;
            *parameter -= self.learning_rate * (*first / first_share) / size;
        }
    }
}
