//! c(n), the mean path length of an unsuccessful search among n rows in a binary tree.
//!
//! c(n) = 2 H(n − 1) − 2 (n − 1) / n, c(0) = c(1) = 0 (Preiss 1999, as Liu, Ting, Zhou 2008 use it).
//! The paper replaces the harmonic number H by ln + γ, and so does scikit-learn; both are offered.
use crate::math::ln;

const EULER_GAMMA: f64 = 0.577_215_664_901_532_9;

/// How harmonic numbers are taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Harmonic {
    /// By summing 1 / i.
    #[default]
    Exact,
    /// By ln(i) + γ, with c(2) = 1, as scikit-learn has it.
    Euler,
}

/// c(n) for every n up to a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct PathLengths(Vec<f64>);

impl PathLengths {
    /// c(n) with exact harmonic numbers.
    pub fn up_to(limit: usize) -> Self {
        Self::with(limit, Harmonic::Exact)
    }

    /// c(n) with harmonic numbers of a kind.
    #[allow(clippy::cast_precision_loss)] // At most 65,536.
    pub fn with(limit: usize, kind: Harmonic) -> Self {
        let mut table = vec![0.0, 0.0];
        let mut sum = 0.0;
        for n in 2..=limit {
            let n = n as f64;
            sum += 1.0 / (n - 1.0);
            let harmonic = match kind {
                Harmonic::Euler if n > 2.0 => ln(n - 1.0) + EULER_GAMMA,
                _ => sum,
            };
            table.push(2.0 * harmonic - 2.0 * (n - 1.0) / n);
        }
        Self(table)
    }

    /// c(n); a size beyond the table has the last entry's.
    pub fn of(&self, n: usize) -> f64 {
        self.0[n.min(self.0.len() - 1)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn path_lengths_use_exact_harmonic_numbers_or_eulers_approximation() {
        let lengths = PathLengths::up_to(256);
        assert_eq!([lengths.of(0), lengths.of(1), lengths.of(2)], [0.0, 0.0, 1.0]);
        assert!((lengths.of(3) - 5.0 / 3.0).abs() < 1e-15);
        assert!((lengths.of(256) - 10.248_7).abs() < 1e-4);
        let euler = PathLengths::with(256, Harmonic::Euler);
        assert_eq!(euler.of(2), 1.0);
        assert!((euler.of(256) - 10.244_770_920_1).abs() < 1e-9);
    }
}
