//! One isolation tree: nodes in one flat array, the children of a split side by side.
//!
//! The n-th split's children are nodes 2n + 1 and 2n + 2 (splits counted from 0 in the order of the
//! array), so a saved tree needs no positions at all and a loaded one cannot point astray.

/// A split or a leaf.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Node {
    /// A known value below this goes left, any other right.
    pub threshold: f32,
    /// Position of the left child, the right one follows it; 0 marks a leaf.
    pub left: u32,
    /// Training rows that came here.
    pub size: u32,
    /// Column that the split looks at.
    pub feature: u16,
    /// An unknown value goes right.
    pub missing_right: bool,
}

impl Node {
    /// A leaf that `size` training rows came to.
    pub fn leaf(size: u32) -> Self {
        Self { threshold: 0.0, left: 0, size, feature: 0, missing_right: false }
    }

    /// Whether it is a leaf.
    pub fn is_leaf(&self) -> bool {
        self.left == 0
    }
}

/// A tree; the first node is the root, and children stand behind their parent.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    nodes: Vec<Node>,
}

impl Tree {
    /// Takes nodes whose children positions are already right.
    pub(super) fn new(nodes: Vec<Node>) -> Self {
        Self { nodes }
    }

    /// Its nodes.
    pub fn nodes(&self) -> &[Node] {
        &self.nodes
    }

    /// Number of splits on the way plus the mean length of what the leaf did not grow.
    pub fn path_length(&self, row: &[f32], lengths: &PathLengths) -> f64 {
        let mut depth = 0.0;
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            node = &self.nodes[child(node, row[usize::from(node.feature)])];
            depth += 1.0;
        }
        depth + lengths.of(node.size as usize)
    }

    /// Calls `visit` with each split and the child that the row goes to.
    pub fn walk(&self, row: &[f32], mut visit: impl FnMut(&Node, &Node)) {
        let mut node = &self.nodes[0];
        while !node.is_leaf() {
            let next = &self.nodes[child(node, row[usize::from(node.feature)])];
            visit(node, next);
            node = next;
        }
    }
}

fn child(node: &Node, value: f32) -> usize {
    let right = if value.is_nan() { node.missing_right } else { value >= node.threshold };
    node.left as usize + usize::from(right)
}

/// c(n), the mean path length of an unsuccessful search among n rows, for every n up to a limit.
#[derive(Debug, Clone, PartialEq)]
pub struct PathLengths(Vec<f64>);

impl PathLengths {
    /// c(n) = 2 H(n − 1) − 2 (n − 1) / n with exact harmonic numbers, c(0) = c(1) = 0.
    #[allow(clippy::cast_precision_loss)] // At most 65,536.
    pub fn up_to(limit: usize) -> Self {
        let mut table = vec![0.0, 0.0];
        let mut harmonic = 0.0;
        for n in 2..=limit {
            let n = n as f64;
            harmonic += 1.0 / (n - 1.0);
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
    fn path_lengths_use_exact_harmonic_numbers() {
        let lengths = PathLengths::up_to(256);
        assert_eq!([lengths.of(0), lengths.of(1), lengths.of(2)], [0.0, 0.0, 1.0]);
        assert!((lengths.of(3) - 5.0 / 3.0).abs() < 1e-15);
        assert!((lengths.of(256) - 10.248_7).abs() < 1e-4);
    }

    #[test]
    fn a_row_follows_its_values_and_an_unknown_value_the_larger_child() {
        let split = Node { threshold: 5.0, left: 1, size: 5, feature: 0, missing_right: true };
        let tree = Tree::new(vec![split, Node::leaf(1), Node::leaf(4)]);
        let lengths = PathLengths::up_to(5);
        assert_eq!(tree.path_length(&[4.9], &lengths), 1.0);
        for row in [5.0, f32::NAN] {
            assert_eq!(tree.path_length(&[row], &lengths), 1.0 + lengths.of(4));
        }
    }
}
