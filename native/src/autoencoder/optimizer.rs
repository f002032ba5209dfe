//! Adam (Kingma, Ba 2015) with the usual constants, as PyTorch has it.
use super::real::Real;

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The moments of every parameter.
#[derive(Debug, Clone)]
pub struct Adam<T> {
    learning_rate: f64,
    first: Vec<T>,
    second: Vec<T>,
    /// β₁ᵗ and β₂ᵗ for the bias correction.
    decay: (f64, f64),
}

impl<T: Real> Adam<T> {
    /// An optimizer for `count` parameters.
    pub fn new(count: usize, learning_rate: f64) -> Self {
        let zeros = vec![T::ZERO; count];
        Self { learning_rate, first: zeros.clone(), second: zeros, decay: (1.0, 1.0) }
    }

    /// One step down `gradient`.
    pub fn step(&mut self, parameters: &mut [T], gradient: &[T]) {
        self.decay = (self.decay.0 * BETA_1, self.decay.1 * BETA_2);
        let size = T::from_f64(self.learning_rate / (1.0 - self.decay.0));
        let root = T::from_f64(1.0 / (1.0 - self.decay.1).sqrt());
        let [keep_1, take_1, keep_2, take_2] = [BETA_1, 1.0 - BETA_1, BETA_2, 1.0 - BETA_2].map(T::from_f64);
        let epsilon = T::from_f64(EPSILON);
        let moments = self.first.iter_mut().zip(&mut self.second);
        for ((parameter, &slope), (first, second)) in parameters.iter_mut().zip(gradient).zip(moments) {
            *first = keep_1 * *first + take_1 * slope;
            *second = keep_2 * *second + take_2 * slope * slope;
            *parameter = *parameter - size * *first / (second.root() * root + epsilon);
        }
    }
}
