//! Choosing a split for the rows of a node.
//!
//! - `uniform`: a column that varies, and a threshold uniform over its range (Liu, Ting, Zhou 2008).
//! - `pooled_gain`: the threshold that lowers the pooled standard deviation most (Cortes, "Revisiting
//!   randomized choices in isolation forests", 2021).
//! - `density`: the threshold that maximises p²/r summed over both sides, p a side's share of the rows and
//!   r its share of the range (Cortes, "Isolation forests: looking beyond tree depth", 2021). isotree's
//!   `prob_pick_dens` has n² over the range itself, which is the same up to a constant factor.
//! - `ndim` above 1: all this on a weighted sum of so many columns, with standard normal coefficients
//!   (extended splits, Hariri, Kind, Brunner 2019). Each is divided by its column's range in the node, so
//!   that units do not matter, and the threshold lies within the sum's range, so that no side is empty.
use super::column::{Columns, Range, part_with_unknown};
use super::sample::Sample;
use super::tree::Terms;
use super::weighting::{Weighting, draw, kurtosis};
use crate::random::Random;

/// How a threshold is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SplitChoice {
    #[default]
    Uniform,
    PooledGain,
    Density,
}

impl SplitChoice {
    /// Reads a choice's name.
    pub fn from_name(name: &str) -> Option<Self> {
        match name {
            "uniform" => Some(Self::Uniform),
            "pooled_gain" => Some(Self::PooledGain),
            "density" => Some(Self::Density),
            _ => None,
        }
    }
}

/// A split before its children's places are known.
#[derive(Debug)]
pub struct Split {
    pub feature: usize,
    pub threshold: f32,
    pub missing_right: bool,
    pub terms: Option<Terms>,
    /// Rows that go left; they stand in front now.
    pub left: usize,
}

/// Chooses splits of some of the rows; with working space.
#[derive(Debug)]
pub struct Chooser<'a> {
    choice: SplitChoice,
    weighting: Weighting,
    ndim: usize,
    columns: Columns<'a>,
    all: Vec<u16>,
    /// Columns not yet drawn for the split.
    order: Vec<u16>,
    /// Of each column in this tree; none when all are alike.
    weights: Vec<f64>,
    sums: Vec<f64>,
    sorted: Vec<f64>,
}

impl<'a> Chooser<'a> {
    /// A chooser over row-major rows of a sample.
    pub fn new(sample: &'a Sample) -> Self {
        Self {
            choice: sample.params.split_choice,
            weighting: sample.params.weighting,
            ndim: sample.params.ndim.min(sample.columns),
            columns: Columns::new(&sample.rows, sample.columns, sample.size),
            all: (0..sample.columns).map(|column| u16::try_from(column).unwrap_or(u16::MAX)).collect(),
            order: vec![],
            weights: vec![],
            sums: vec![],
            sorted: vec![],
        }
    }

    /// Prepares for a tree of these rows.
    pub fn start_tree(&mut self, rows: &[u32]) {
        if self.weighting == Weighting::Kurtosis {
            let weight = |column| kurtosis(rows.iter().map(|&row| self.columns.value(row, column)));
            self.weights = (0..self.all.len()).map(weight).collect();
        }
    }

    /// A split of these rows, which are then parted by it, or none when no column varies in them.
    pub fn choose(&mut self, rows: &mut [u32], random: &mut Random) -> Option<Split> {
        self.order.clear();
        self.order.extend_from_slice(&self.all);
        if self.ndim > 1 { self.choose_extended(rows, random) } else { self.choose_plain(rows, random) }
    }

    fn choose_plain(&mut self, rows: &mut [u32], random: &mut Random) -> Option<Split> {
        let (feature, Range { low, high, unknown }) = self.varying(rows, random)?;
        let threshold = match self.choice {
            SplitChoice::Uniform => draw_between(low, high, random),
            choice => {
                self.sorted.clear();
                let known = self.columns.values(rows.len()).iter().filter(|value| !value.is_nan());
                self.sorted.extend(known.map(|&value| f64::from(value)));
                best_threshold(&mut self.sorted, choice)
            }
        };
        let (left, missing_right) = self.columns.part(rows, threshold, unknown);
        Some(Split { feature, threshold, missing_right, terms: None, left })
    }

    /// Draws columns without putting back until one varies, which is uniform among those that vary, or as
    /// their weights are; its values are those gathered last then.
    #[allow(clippy::cast_possible_truncation)] // The drawn index is below a small count.
    fn varying(&mut self, rows: &[u32], random: &mut Random) -> Option<(usize, Range)> {
        while !self.order.is_empty() {
            let drawn = match self.weighting {
                Weighting::Uniform => random.below(self.order.len() as u64) as usize,
                Weighting::Kurtosis => {
                    let weights = self.order.iter().map(|&column| self.weights[usize::from(column)]);
                    draw(weights, random.unit())?
                }
            };
            let feature = usize::from(self.order.swap_remove(drawn));
            let range = self.columns.gather(rows, feature);
            if range.low < range.high {
                return Some((feature, range));
            }
        }
        None
    }

    #[allow(clippy::cast_possible_truncation)] // Coefficients are kept as f32.
    fn choose_extended(&mut self, rows: &mut [u32], random: &mut Random) -> Option<Split> {
        let mut terms = Terms(Vec::with_capacity(self.ndim));
        while terms.0.len() < self.ndim {
            let Some((feature, Range { low, high, .. })) = self.varying(rows, random) else { break };
            let coefficient = random.normal() / (f64::from(high) - f64::from(low));
            let coefficient = (coefficient as f32).clamp(f32::MIN, f32::MAX);
            terms.0.push((feature as u16, coefficient));
        }
        let &(first, _) = terms.0.first()?;
        let mut sums = std::mem::take(&mut self.sums);
        sums.clear();
        let of_row = |&row: &u32| terms.project(|feature| self.columns.value(row, feature));
        sums.extend(rows.iter().map(of_row));
        self.sums = sums;
        let threshold = self.extended_threshold(random)?;
        let (left, missing_right) = part_with_unknown(rows, &self.sums, f64::from(threshold));
        Some(Split { feature: first.into(), threshold, missing_right, terms: Some(terms), left })
    }

    /// A threshold in f32 that parts the sums; none when they do not differ enough for one.
    #[allow(clippy::cast_possible_truncation)] // Checked afterwards.
    fn extended_threshold(&mut self, random: &mut Random) -> Option<f32> {
        self.sorted.clear();
        self.sorted.extend(self.sums.iter().filter(|sum| !sum.is_nan()));
        let low = self.sorted.iter().copied().fold(f64::INFINITY, f64::min);
        let high = self.sorted.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        if low >= high {
            return None;
        }
        let threshold = match self.choice {
            SplitChoice::Uniform => (high - random.unit() * (high - low)) as f32,
            choice => best_threshold(&mut self.sorted, choice),
        };
        let wide = f64::from(threshold);
        (threshold.is_finite() && low < wide && wide <= high).then_some(threshold)
    }
}

/// A threshold in (low, high], so that low goes left and high goes right whatever the rounding.
#[allow(clippy::cast_possible_truncation)] // Rounding to f32 is meant and corrected.
fn draw_between(low: f32, high: f32, random: &mut Random) -> f32 {
    let (low_wide, high_wide) = (f64::from(low), f64::from(high));
    let drawn = (high_wide - random.unit() * (high_wide - low_wide)) as f32;
    if drawn <= low { low.next_up() } else { drawn.min(high) }
}

/// The middle between the two neighbours where the criterion is best; the first of equals.
#[allow(clippy::cast_possible_truncation)] // Rounding to f32 is meant and corrected.
fn best_threshold(values: &mut [f64], choice: SplitChoice) -> f32 {
    values.sort_unstable_by(f64::total_cmp);
    let gains = if choice == SplitChoice::Density { density_gains(values) } else { pooled_gains(values) };
    let mut best = (f64::NEG_INFINITY, 1);
    for (place, gain) in gains.into_iter().enumerate().skip(1) {
        if values[place - 1] < values[place] && gain > best.0 {
            best = (gain, place);
        }
    }
    let (below, above) = (values[best.1 - 1], values[best.1]);
    let middle = (below + (above - below) * 0.5) as f32;
    if f64::from(middle) <= below {
        (below as f32).next_up()
    } else if f64::from(middle) > above {
        above as f32
    } else {
        middle
    }
}

/// For a cut before each place, minus the pooled standard deviation times the number of rows.
#[allow(clippy::cast_precision_loss)] // At most 65,536 rows.
fn pooled_gains(sorted: &[f64]) -> Vec<f64> {
    let spreads = |values: &mut dyn Iterator<Item = &f64>| -> Vec<f64> {
        // Welford's running sum of squares, from one end.
        let (mut count, mut mean, mut squares, mut found) = (0.0, 0.0, 0.0_f64, vec![0.0]);
        for &value in values {
            count += 1.0;
            let distance = value - mean;
            mean += distance / count;
            squares += distance * (value - mean);
            found.push((squares * count).max(0.0).sqrt());
        }
        found
    };
    let (left, right) = (spreads(&mut sorted.iter()), spreads(&mut sorted.iter().rev()));
    (0..sorted.len()).map(|place| -(left[place] + right[sorted.len() - place])).collect()
}

/// For a cut in the middle before each place, p²/r summed over both sides.
#[allow(clippy::cast_precision_loss)] // At most 65,536 rows.
fn density_gains(sorted: &[f64]) -> Vec<f64> {
    let (count, low, high) = (sorted.len() as f64, sorted[0], sorted[sorted.len() - 1]);
    let gain = |place: usize| {
        let cut = sorted[place - 1] + (sorted[place] - sorted[place - 1]) * 0.5;
        let (share, part) = (place as f64 / count, (cut - low) / (high - low));
        share * share / part + (1.0 - share) * (1.0 - share) / (1.0 - part)
    };
    (0..sorted.len()).map(|place| if place == 0 { f64::NEG_INFINITY } else { gain(place) }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pooled_gain_cuts_where_two_groups_part_and_density_where_rows_lie_closest() {
        let mut values = vec![1.0, 1.1, 1.2, 1.15, 9.0, 9.1, 9.3];
        let threshold = best_threshold(&mut values, SplitChoice::PooledGain);
        assert!((1.2..=9.0).contains(&threshold), "{threshold}");
        // A quarter of the range with nine tenths of the rows, against other cuts.
        let mut values = vec![0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 4.0];
        assert!((density_gains(&values)[9] - (0.81 / 0.6 + 0.01 / 0.4)).abs() < 1e-12);
        assert!(best_threshold(&mut values, SplitChoice::Density) <= 0.8);
    }

    #[test]
    #[allow(clippy::cast_precision_loss)]
    fn the_gain_is_that_of_the_plain_definition() {
        let sorted = [1.0, 2.0, 4.0, 8.0, 8.5];
        let deviation = |values: &[f64]| {
            let mean = values.iter().sum::<f64>() / values.len() as f64;
            (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / values.len() as f64).sqrt()
        };
        for (place, gain) in pooled_gains(&sorted).into_iter().enumerate().skip(1) {
            let (left, right) = sorted.split_at(place);
            let plain = left.len() as f64 * deviation(left) + right.len() as f64 * deviation(right);
            assert!((gain + plain).abs() < 1e-12);
        }
    }
}
