//! The smallest change of one feature that would have made a row normal.
//!
//! Asked when an episode opens, not for every row: at most 3 × (1 + [`STEPS`]) scores. For each of the strongest
//! features its value is moved towards what training saw in the middle; if the row is normal there, the way is
//! halved again and again down to a 4,096th of it. A forest's score need not rise all along the way, so there may
//! be a nearer value still; what is told was scored, and found normal.
use super::Forest;

/// One value in place of another.
#[derive(Debug, Clone, PartialEq)]
pub struct Change {
    pub feature: String,
    pub unit: String,
    /// With it the row would have been normal, all else equal.
    pub value: f64,
    /// Whether what is smaller would have been too, rather than what is larger.
    pub below: bool,
    /// Of a number of events: in so much time.
    pub seconds: Option<f64>,
}

/// The strongest features are tried, so many.
const TRIED: usize = 3;
const STEPS: usize = 12;

impl Forest {
    /// The change of one feature that is smallest in widths of the 5th to 95th percentile, among those after
    /// which `row` scores `threshold` at most; `None` when no single one of the strongest features does it.
    pub fn smallest_change(&self, row: &[f64], threshold: f64) -> Option<Change> {
        let mut changed = row.to_vec();
        let tried = self.strongest(row, TRIED).into_iter();
        let found = tried.filter_map(|(feature, _)| {
            let value = self.nearest_normal(&mut changed, feature, threshold);
            changed[feature] = row[feature];
            let summary = &self.summaries()[feature];
            let width = (summary.p95 - summary.p5).abs().max(f64::MIN_POSITIVE);
            value.map(|value| (feature, value, (row[feature] - value).abs() / width))
        });
        let (feature, value, _) = found.min_by(|a, b| a.2.total_cmp(&b.2))?;
        let name = &self.features()[feature];
        Some(Change {
            feature: name.name.clone(),
            unit: name.unit.clone(),
            value,
            below: row[feature] > value,
            seconds: None,
        })
    }

    /// The value of `feature` nearest to the row's own, on the way to the median, that makes the row normal.
    fn nearest_normal(&self, row: &mut [f64], feature: usize, threshold: f64) -> Option<f64> {
        let (own, median) = (row[feature], self.summaries()[feature].median);
        if !own.is_finite() || !median.is_finite() {
            return None;
        }
        bisect(own, median, STEPS, |value| {
            row[feature] = value;
            self.score(row) <= threshold
        })
    }
}

/// Of the way from `strange` to `normal`, the point nearest to `strange` that `is_normal` was seen to hold for, by
/// halving it `steps` times; `None` when it does not even hold at `normal`.
pub fn bisect(
    strange: f64,
    normal: f64,
    steps: usize,
    mut is_normal: impl FnMut(f64) -> bool,
) -> Option<f64> {
    if !is_normal(normal) {
        return None;
    }
    let (mut out, mut inside) = (strange, normal);
    for _ in 0..steps {
        let middle = out + (inside - out) / 2.0;
        if is_normal(middle) { inside = middle } else { out = middle }
    }
    Some(inside)
}
