//! What each end of each tree credits to the features, so that a row's credits are a sum of few lists.
//!
//! A row's way through a tree is known from where it ends, and so is what its splits credit (see
//! [`super::explain`]). Made at the first question: about half a megabyte for 100 trees of 256 rows and
//! 20 features. Forests that [`super::compact`] does not hold are walked split by split.
use super::Forest;
use super::compact::{Compact, ENDS, MAX_DEPTH};
use super::tree::Tree;

/// The credits of all trees' leaves.
#[derive(Debug, Clone)]
pub struct CreditTable {
    /// Of each tree, its first leaf, and which of its leaves a row's end is.
    trees: Vec<(usize, [u8; ENDS])>,
    /// Of each leaf, one value a feature.
    credits: Vec<f64>,
    columns: usize,
}

impl CreditTable {
    /// The table of a forest that has the compact layout.
    pub fn of(forest: &Forest) -> Self {
        let columns = forest.features().len();
        let mut table = Self { trees: vec![], credits: vec![], columns };
        for (tree, &factor) in forest.trees.iter().zip(&forest.factors) {
            table.add(forest, tree, factor);
        }
        table
    }

    #[allow(clippy::cast_possible_truncation)] // A tree of eight levels has at most 256 leaves.
    fn add(&mut self, forest: &Forest, tree: &Tree, factor: f64) {
        let (columns, first) = (self.columns, self.credits.len() / self.columns);
        let (mut ends, mut leaves) = ([0; ENDS], 0_usize);
        let mut sums = vec![0.0; tree.nodes().len() * columns];
        let mut placed = vec![1_usize; tree.nodes().len()];
        for (index, node) in tree.nodes().iter().enumerate() {
            let (own, place) = (index * columns, placed[index]);
            if node.is_leaf() {
                ends[(place << (MAX_DEPTH - place.ilog2())) - ENDS] = leaves as u8;
                leaves += 1;
                self.credits.extend_from_slice(&sums[own..own + columns]);
                continue;
            }
            for (child, place) in [(node.left as usize, 2 * place), (node.left as usize + 1, 2 * place + 1)]
            {
                placed[child] = place;
                sums.copy_within(own..own + columns, child * columns);
                let credit = forest.credit(node, &tree.nodes()[child], factor);
                sums[child * columns + usize::from(node.feature)] += credit;
            }
        }
        self.trees.push((first, ends));
    }

    /// Adds what every tree credits a row with, tree after tree.
    pub fn add_up(&self, compact: &Compact, row: &[f64], credits: &mut [f64]) {
        compact.visit(row, |tree, end| {
            let (first, ends) = &self.trees[tree];
            let leaf = first + usize::from(ends[end & (ENDS - 1)]);
            let own = &self.credits[leaf * self.columns..][..self.columns];
            credits.iter_mut().zip(own).for_each(|(sum, credit)| *sum += credit);
        });
    }
}
