//! Any forest of plain splits laid out for speed: eight bytes a node, several trees walked at once.
//!
//! A node holds its threshold as an ordered integer, its column and its left child. Leaves lead back to
//! themselves, so that a walk takes the tree's depth in steps without asking where it ends. Each column
//! of a row is written twice, an unknown value once as smaller and once as larger than everything, and
//! a split names the one that leads where its unknown values go. Used when [`super::compact`] does not
//! fit; forests with extended splits are walked plainly.
use super::Forest;
use super::tree::Tree;

/// Trees walked at once.
const ABREAST: usize = 8;
/// Bits that name one of twice 1,024 columns; the rest is the left child, at most 2¹⁷.
const COLUMN_BITS: u32 = 11;
/// Unknown and to go right: above every number, below a leaf's threshold.
const ABOVE_ALL: i32 = i32::MAX - 1;

#[derive(Debug, Clone, Copy)]
struct FlatNode {
    key: i32,
    column_and_left: u32,
}

#[derive(Debug, Clone)]
struct FlatTree {
    start: usize,
    depth: u32,
}

/// An integer that orders as the number does; 0 and −0 are one.
fn order_key(value: f32) -> i32 {
    let bits = (value + 0.0).to_bits().cast_signed();
    bits ^ ((bits >> 31).cast_unsigned() >> 1).cast_signed()
}

/// The forest's nodes.
#[derive(Debug, Clone)]
pub struct Flat {
    trees: Vec<FlatTree>,
    nodes: Vec<FlatNode>,
    /// What a tree adds to the sum when a row ends at a node.
    values: Vec<f64>,
    columns: usize,
}

impl Flat {
    /// The forest in this layout, or `None` when it has extended splits.
    pub fn of(forest: &Forest) -> Option<Self> {
        if forest.trees.iter().any(Tree::is_extended) {
            return None;
        }
        let columns = forest.features().len();
        let mut flat = Self { trees: vec![], nodes: vec![], values: vec![], columns };
        for (tree, &factor) in forest.trees.iter().zip(&forest.factors) {
            flat.add(forest, tree, factor);
        }
        Some(flat)
    }

    #[allow(clippy::cast_possible_truncation)] // A tree has fewer than 2¹⁷ nodes.
    fn add(&mut self, forest: &Forest, tree: &Tree, factor: f64) {
        let depths = tree.depths();
        let depth = depths.iter().max().copied().unwrap_or(0);
        self.trees.push(FlatTree { start: self.nodes.len(), depth });
        for (place, node) in tree.nodes().iter().enumerate() {
            let (key, column, left) = if node.is_leaf() {
                (i32::MAX, 0, place as u32)
            } else {
                let half = if node.missing_right { self.columns } else { 0 };
                (order_key(node.threshold), usize::from(node.feature) + half, node.left)
            };
            self.nodes.push(FlatNode { key, column_and_left: left << COLUMN_BITS | column as u32 });
            self.values.push(forest.leaf_value(depths[place], node.size, factor));
        }
    }

    /// The sum over all trees for one row.
    #[allow(clippy::cast_possible_truncation)] // Trees compare f32.
    pub fn sum(&self, row: &[f64]) -> f64 {
        let mut keys = vec![0; 2 * self.columns];
        let (low, high) = keys.split_at_mut(self.columns);
        for (index, (low, high)) in low.iter_mut().zip(high).enumerate() {
            let value = row.get(index).map_or(f32::NAN, |&value| value as f32);
            let key = order_key(value);
            (*low, *high) = if value.is_nan() { (i32::MIN, ABOVE_ALL) } else { (key, key) };
        }
        let (groups, rest) = self.trees.as_chunks::<ABREAST>();
        let first = groups.iter().fold(0.0, |sum, group| self.add_group(sum, group, &keys));
        rest.iter().fold(first, |sum, tree| self.add_group(sum, std::array::from_ref(tree), &keys))
    }

    fn add_group<const N: usize>(&self, sum: f64, trees: &[FlatTree; N], keys: &[i32]) -> f64 {
        let mut places: [usize; N] = std::array::from_fn(|index| trees[index].start);
        let depth = trees.iter().map(|tree| tree.depth).max().unwrap_or(0);
        for _ in 0..depth {
            for (place, tree) in places.iter_mut().zip(trees) {
                let node = self.nodes[*place];
                let column = node.column_and_left as usize & ((1 << COLUMN_BITS) - 1);
                let left = (node.column_and_left >> COLUMN_BITS) as usize;
                *place = tree.start + left + usize::from(keys[column] >= node.key);
            }
        }
        places.iter().fold(sum, |sum, &place| sum + self.values[place])
    }
}
