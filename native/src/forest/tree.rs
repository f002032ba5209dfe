//! One isolation tree: nodes in one flat array, the children of a split side by side.
//!
//! The n-th split's children are nodes 2n + 1 and 2n + 2 (splits counted from 0 in the order of the
//! array), so a saved tree needs no positions at all and a loaded one cannot point astray. A split looks
//! at one column, or at a weighted sum of several (extended splits, Hariri, Kind, Brunner 2019). The walk
//! here defines the answer; [`super::compact`] and [`super::flat`] hold the same tree for speed.
pub use super::lengths::PathLengths;

/// A split or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// A known value below this goes left, any other right.
    pub threshold: f32,
    /// Position of the left child, the right one follows it; 0 marks a leaf.
    pub left: u32,
    /// Training rows that came here.
    pub size: u32,
    /// Column that the split looks at; of an extended split its strongest.
    pub feature: u16,
    /// An unknown value goes right.
    pub missing_right: bool,
    /// 0, or the place of the split's terms in the tree's list of extended splits, counted from 1.
    pub extended: u32,
}

impl Node {
    /// A leaf that `size` training rows came to.
    pub fn leaf(size: u32) -> Self {
        Self { threshold: 0.0, left: 0, size, feature: 0, missing_right: false, extended: 0 }
    }

    /// Whether it is a leaf.
    pub fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// The terms of an extended split: columns and their coefficients, summed in f64 in this order.
#[derive(Debug, Clone, PartialEq)]
pub struct Terms(pub(super) Vec<(u16, f32)>);

impl Terms {
    /// The weighted sum for a row; NaN when any of the columns is unknown.
    pub fn project(&self, value: impl Fn(usize) -> f32) -> f64 {
        self.0.iter().map(|&(feature, weight)| f64::from(weight) * f64::from(value(feature.into()))).sum()
    }

    /// Columns and coefficients.
    pub fn as_slice(&self) -> &[(u16, f32)] {
        &self.0
    }
}

/// A tree; the first node is the root, and children stand behind their parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
    extended: Vec<Terms>,
    /// Its part in the forest's mean, above 0.
    weight: f64,
}

impl Tree {
    /// Takes nodes whose children positions are already right.
    pub(super) fn new(nodes: Vec<Node>, extended: Vec<Terms>) -> Self {
        Self { nodes, extended, weight: 1.0 }
    }

    /// The same tree with another weight.
    #[must_use]
    pub(super) fn weighted(mut self, weight: f64) -> Self {
        self.weight = weight;
        self
    }

    /// Its nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Its part in the forest's mean.
    pub fn weight(&self) -> f64 {
        self.weight
    }

    /// Rows that it was grown from.
    pub fn sample_size(&self) -> usize {
        self.nodes[0].size as usize
    }

    /// Terms of a node's extended split.
    pub fn terms(&self, node: &Node) -> Option<&Terms> {
        self.extended.get((node.extended as usize).wrapping_sub(1))
    }

    /// Whether any split looks at several columns.
    pub fn is_extended(&self) -> bool {
        !self.extended.is_empty()
    }

    /// Number of splits on the way plus the mean length of what the leaf did not grow.
    pub fn path_length(&self, row: &[f32], lengths: &PathLengths) -> f64 {
        let mut depth = 0.0;
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            node = &self.nodes[self.child(node, row)];
            depth += 1.0;
        }
        depth + lengths.of(node.size as usize)
    }

    /// Calls `visit` with each split and the child that the row goes to.
    pub fn walk(&self, row: &[f32], mut visit: impl FnMut(&Node, &Node)) {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let next = &self.nodes[self.child(node, row)];
            visit(node, next);
            node = next;
        }
    }

    fn child(&self, node: &Node, row: &[f32]) -> usize {
        let value = match self.terms(node) {
            None => f64::from(row[usize::from(node.feature)]),
            Some(terms) => terms.project(|feature| row[feature]),
        };
        let right = if value.is_nan() { node.missing_right } else { value >= f64::from(node.threshold) };
        node.left as usize + usize::from(right)
    }

    /// Most splits on a path.
    pub fn depth(&self) -> u32 {
        self.depths().into_iter().max().unwrap_or(0)
    }

    /// Depth of every node, the root's 0.
    pub fn depths(&self) -> Vec<u32> {
        let mut depths = vec![0; self.nodes.len()];
        for (place, node) in self.nodes.iter().enumerate().filter(|(_, node)| !node.is_leaf()) {
            let left = node.left as usize;
            (depths[left], depths[left + 1]) = (depths[place] + 1, depths[place] + 1);
        }
        depths
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_follows_its_values_and_an_unknown_value_the_larger_child() {
        let split = Node { threshold: 5.0, left: 1, size: 5, feature: 0, missing_right: true, extended: 0 };
        let tree = Tree::new(vec![split, Node::leaf(1), Node::leaf(4)], vec![]);
        let lengths = PathLengths::up_to(5);
        assert_eq!(tree.path_length(&[4.9], &lengths), 1.0);
        for row in [5.0, f32::NAN] {
            assert_eq!(tree.path_length(&[row], &lengths), 1.0 + lengths.of(4));
        }
    }

    #[test]
    fn an_extended_split_weighs_several_columns() {
        let split = Node { threshold: 1.0, left: 1, size: 5, feature: 0, missing_right: false, extended: 1 };
        let terms = Terms(vec![(0, 1.0), (1, -1.0)]);
        let tree = Tree::new(vec![split, Node::leaf(1), Node::leaf(4)], vec![terms]);
        let lengths = PathLengths::up_to(5);
        for (row, size) in [([3.0, 2.5], 1), ([3.0, 2.0], 4), ([9.0, f32::NAN], 1)] {
            assert_eq!(tree.path_length(&row, &lengths), 1.0 + lengths.of(size), "{row:?}");
        }
    }
}
