//! Why a row has its score: the share of each feature in how much shorter its path is than usual.
//!
//! A node that n training rows reached has c(n) more splits to expect. A split that sends the row to
//! where m rows went changes the expected whole by c(n) − 1 − c(m): positive when it isolates more than
//! a usual split does, negative when less. That is credited to the split's feature. The credits of a
//! tree add up to c(ψ) minus the row's path length, exactly, so over all trees they are a complete
//! account of the score and not a measure beside it. (DIFFI, by contrast, weighs features over a data
//! set and needs one with known outliers.) Shares are divided by the sum of absolute credits.
use super::Forest;

/// One feature's part in a score.
#[derive(Debug, Clone, PartialEq)]
pub struct Reason {
    pub feature: String,
    pub unit: String,
    /// The row's value; NaN is unknown.
    pub observed: f64,
    /// What training saw.
    pub median: f64,
    pub p5: f64,
    pub p95: f64,
    /// −1 to 1; positive made the row look more anomalous.
    pub share: f64,
}

impl Forest {
    /// The signed share of every feature; their absolute values add up to 1, or all are 0.
    pub fn shares(&self, row: &[f64]) -> Vec<f64> {
        let row = self.narrow(row);
        let mut credits = vec![0.0; self.features.len()];
        for tree in &self.trees {
            tree.walk(&row, |split, next| {
                let expected = self.lengths.of(split.size as usize);
                let after = 1.0 + self.lengths.of(next.size as usize);
                credits[usize::from(split.feature)] += expected - after;
            });
        }
        let total: f64 = credits.iter().map(|credit| credit.abs()).sum();
        if total > 0.0 {
            for credit in &mut credits {
                *credit /= total;
            }
        }
        credits
    }

    /// The features that made the row look anomalous, the strongest first, at most `max_reasons`.
    pub fn explain(&self, row: &[f64], max_reasons: usize) -> Vec<Reason> {
        let mut shares: Vec<(usize, f64)> = self.shares(row).into_iter().enumerate().collect();
        shares.retain(|(_, share)| *share > 0.0);
        shares.sort_by(|a, b| b.1.total_cmp(&a.1));
        shares.truncate(max_reasons);
        shares.into_iter().map(|(index, share)| self.reason(index, share, row)).collect()
    }

    fn reason(&self, index: usize, share: f64, row: &[f64]) -> Reason {
        let (name, summary) = (&self.features[index], &self.summaries[index]);
        Reason {
            feature: name.name.clone(),
            unit: name.unit.clone(),
            observed: row.get(index).copied().unwrap_or(f64::NAN),
            median: summary.median,
            p5: summary.p5,
            p95: summary.p95,
            share,
        }
    }
}
