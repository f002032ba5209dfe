//! How likely each column is to be looked at by a split.
//!
//! - `uniform`: all alike (Liu, Ting, Zhou 2008).
//! - `kurtosis`: in proportion to the kurtosis of the column in the tree's sample, so that columns with
//!   outlying values come more often. Liu, Ting, Zhou 2008 choose columns by kurtosis where there are many;
//!   isotree's `weigh_by_kurtosis` makes it a weight, taken once a tree, and so does this.

/// How columns are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Weighting {
    #[default]
    Uniform,
    Kurtosis,
}

impl Weighting {
    /// Reads a weighting's name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "uniform" => Some(Self::Uniform),
            "kurtosis" => Some(Self::Kurtosis),
            _ => None,
        }
    }
}

/// Kurtosis of the known values, n Σ(x − m)⁴ / (Σ(x − m)²)²: 3 for normal ones, at least 1; 0 when they do
/// not vary.
pub fn kurtosis(values: impl Iterator<Item = f32> + Clone) -> f64 {
    let known = values.filter(|value| !value.is_nan()).map(f64::from);
    let (count, sum) = known.clone().fold((0.0, 0.0), |(count, sum), value| (count + 1.0, sum + value));
    let mean = sum / count;
    let (second, fourth) = known.fold((0.0, 0.0), |(second, fourth), value| {
        let square = (value - mean) * (value - mean);
        (second + square, fourth + square * square)
    });
    let found = count * fourth / (second * second);
    if found.is_finite() { found } else { 0.0 }
}

/// Where a share (0–1) of the running sum of weights lies; `None` when all are 0.
pub fn draw(weights: impl Iterator<Item = f64> + Clone, share: f64) -> Option<usize> {
    let mut rest = share * weights.clone().sum::<f64>();
    let mut last = None;
    for (place, weight) in weights.enumerate().filter(|&(_, weight)| weight > 0.0) {
        last = Some(place);
        rest -= weight;
        if rest < 0.0 {
            break;
        }
    }
    last
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kurtosis_is_that_of_the_plain_definition_over_known_values() {
        // scipy.stats.kurtosis([1, 2, 4, 8, 30], fisher=False)
        let values = [1.0, f32::NAN, 2.0, 4.0, 8.0, 30.0];
        assert!((kurtosis(values.into_iter()) - 2.996_492_271_105_826).abs() < 1e-12);
        assert!((kurtosis([-1.0, 1.0].into_iter()) - 1.0).abs() < 1e-15);
        for none in [&[5.0, 5.0][..], &[f32::NAN], &[]] {
            assert_eq!(kurtosis(none.iter().copied()), 0.0);
        }
        assert!(kurtosis([f32::MAX, f32::MIN, 0.0].into_iter()).is_finite());
    }

    #[test]
    fn a_place_is_drawn_by_its_share_of_the_weights_and_never_without_weight() {
        let weights = [0.0, 1.0, 0.0, 3.0, 0.0];
        for (share, place) in [(0.0, 1), (0.249, 1), (0.251, 3), (0.999, 3), (1.0, 3)] {
            assert_eq!(draw(weights.into_iter(), share), Some(place));
        }
        assert_eq!(draw([0.0, 0.0].into_iter(), 0.5), None);
    }
}
